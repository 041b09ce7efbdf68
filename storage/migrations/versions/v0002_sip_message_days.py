"""Partitions of ``sip_messages``: one a day, and one for what fits no day."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

DEFAULT_PARTITION = """
CREATE TABLE sip_messages_default PARTITION OF sip_messages DEFAULT;
"""

# The owner's rights, because partitions belong to the owner and the app's role owns nothing. Two
# seconds for a lock, because everybody who writes a message waits behind the one who waits for it.
# A partition is filled before it is attached: rows of its day may be in the default partition.
FUNCTION = """
CREATE FUNCTION maintain_sip_messages(today date, days_ahead integer, days_kept integer)
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
    IF NOT pg_try_advisory_xact_lock(hashtextextended('trunkline:sip_messages', 0)) THEN
        RETURN;
    END IF;

    FOR day IN SELECT generate_series(today, today + days_ahead, interval '1 day')::date LOOP
        partition_name := 'sip_messages_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('public.' || partition_name) IS NOT NULL;
        LOCK TABLE sip_messages_default IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('CREATE TABLE %I (LIKE sip_messages INCLUDING CONSTRAINTS)',
                       partition_name);
        EXECUTE format('WITH moved AS (DELETE FROM sip_messages_default
                                       WHERE at >= %L AND at < %L RETURNING *)
                        INSERT INTO %I SELECT * FROM moved',
                       day::timestamptz, (day + 1)::timestamptz, partition_name);
        EXECUTE format('ALTER TABLE sip_messages ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                       partition_name, day::timestamptz, (day + 1)::timestamptz);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', partition_name);
        change := 'created';
        RETURN NEXT;
    END LOOP;

    FOR partition_name IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'sip_messages'::regclass
           AND c.relname ~ '^sip_messages_[0-9]{8}$'
           AND to_date(right(c.relname, 8), 'YYYYMMDD') < today - days_kept
         ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE %I', partition_name);
        change := 'dropped';
        RETURN NEXT;
    END LOOP;
    DELETE FROM sip_messages_default WHERE at < (today - days_kept)::timestamptz;
END
$function$;
"""


def upgrade() -> None:
    op.execute(DEFAULT_PARTITION)
    op.execute(FUNCTION)


def downgrade() -> None:
    op.execute("DROP FUNCTION maintain_sip_messages(date, integer, integer)")
    op.execute(
        """
        DO $block$
        DECLARE partition_name text;
        BEGIN
            FOR partition_name IN
                SELECT inhrelid::regclass::text FROM pg_inherits
                 WHERE inhparent = 'sip_messages'::regclass
            LOOP
                EXECUTE 'DROP TABLE ' || partition_name;
            END LOOP;
        END
        $block$
        """
    )
