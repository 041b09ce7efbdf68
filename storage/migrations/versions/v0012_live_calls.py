"""Calls of real traffic, in daily partitions."""

from __future__ import annotations

from alembic import op

from storage.migrations.versions.v0003_tenancy import MINE

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# A call is written when it begins, when it is answered and when it ends: room for the next version
# of a row in its page, so that no index is touched.
TABLE = """
CREATE TABLE live_calls (
    at timestamptz NOT NULL,
    id text NOT NULL,
    org_id text NOT NULL,
    trunk_id text,
    number text,
    direction text,
    match text NOT NULL,
    sip_call_id text NOT NULL,
    correlation_id text,
    from_user text,
    to_user text,
    ended boolean NOT NULL,
    sip_code integer,
    sip_reason text,
    source_ip text,
    started_at timestamptz NOT NULL,
    answered_at timestamptz,
    ended_at timestamptz,
    pdd_ms integer,
    duration_ms integer,
    codecs text[] NOT NULL,
    messages integer NOT NULL,
    retransmissions integer NOT NULL,
    details jsonb NOT NULL,
    state jsonb,
    PRIMARY KEY (at, id),
    CONSTRAINT live_calls_match CHECK (match IN ('matched', 'ambiguous', 'unmatched')),
    CONSTRAINT live_calls_direction CHECK (direction IN ('inbound', 'outbound'))
) PARTITION BY RANGE (at);
CREATE INDEX live_calls_of_number ON live_calls (org_id, number, started_at, id);
CREATE INDEX live_calls_of_trunk ON live_calls (trunk_id, ended_at);
CREATE INDEX live_calls_sip_call_id ON live_calls (sip_call_id);
CREATE INDEX live_calls_correlation ON live_calls (correlation_id);
CREATE INDEX live_calls_id ON live_calls (id);
CREATE INDEX live_calls_open ON live_calls (at) WHERE NOT ended;
CREATE TABLE live_calls_default PARTITION OF live_calls DEFAULT WITH (fillfactor = 50);
"""

# As for sip_messages: the owner's rights, two seconds for a lock, writers wait for the table itself,
# and a partition is filled before it is attached.
MAINTAIN = """
CREATE FUNCTION maintain_live_calls(today date, days_ahead integer, days_kept integer)
RETURNS TABLE (change text, partition_name text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
SET timezone = 'UTC'
SET lock_timeout = '2s'
AS $function$
DECLARE
    day date;
BEGIN
    IF days_ahead NOT BETWEEN 0 AND 31 OR days_kept < 1 THEN
        RAISE EXCEPTION 'days_ahead must be 0 to 31 and days_kept at least 1'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT pg_try_advisory_xact_lock(hashtextextended('trunkline:live_calls', 0)) THEN
        RETURN;
    END IF;

    FOR day IN SELECT generate_series(today, today + days_ahead, interval '1 day')::date LOOP
        partition_name := 'live_calls_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('public.' || partition_name) IS NOT NULL;
        LOCK TABLE ONLY live_calls IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('CREATE TABLE %I (LIKE live_calls INCLUDING CONSTRAINTS)
                        WITH (fillfactor = 50)', partition_name);
        EXECUTE format('WITH moved AS (DELETE FROM live_calls_default
                                       WHERE at >= %L AND at < %L RETURNING *)
                        INSERT INTO %I SELECT * FROM moved',
                       day::timestamptz, (day + 1)::timestamptz, partition_name);
        EXECUTE format('ALTER TABLE live_calls ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                       partition_name, day::timestamptz, (day + 1)::timestamptz);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', partition_name);
        change := 'created';
        RETURN NEXT;
    END LOOP;

    FOR partition_name IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'live_calls'::regclass
           AND c.relname ~ '^live_calls_[0-9]{8}$'
           AND to_date(right(c.relname, 8), 'YYYYMMDD') < today - days_kept
         ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE %I', partition_name);
        change := 'dropped';
        RETURN NEXT;
    END LOOP;
    DELETE FROM live_calls_default WHERE at < (today - days_kept)::timestamptz;
END
$function$;
"""

FUNCTION = "maintain_live_calls(date, integer, integer)"


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(MAINTAIN)
    mine = MINE.format(column="org_id")
    op.execute("ALTER TABLE live_calls ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON live_calls USING ({mine}) WITH CHECK ({mine})")
    op.execute("ALTER TABLE live_calls_default ENABLE ROW LEVEL SECURITY")
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().opts["app_role"])
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON live_calls TO {role}")
    op.execute(f"REVOKE ALL ON FUNCTION {FUNCTION} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {FUNCTION} TO {role}")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {FUNCTION}")
    op.execute("DROP TABLE live_calls")
