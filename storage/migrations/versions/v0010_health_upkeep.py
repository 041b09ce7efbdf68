"""What keeps the health tables small: the unused goes, days come and go, old minutes are dropped."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# What nobody uses any more goes. The owner's rights, because a tenant cannot see whether another
# organization uses it too. Nothing that is used can be removed, whatever is asked for.
COLLECT = """
CREATE FUNCTION collect_health(names text[], targets text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $function$
BEGIN
    DELETE FROM health_names n
     WHERE n.id = ANY (names)
       AND NOT EXISTS (SELECT FROM trunk_endpoints e WHERE e.name_id = n.id);
    DELETE FROM health_targets t
     WHERE t.id = ANY (targets)
       AND NOT EXISTS (SELECT FROM health_name_targets l WHERE l.target_id = t.id);
    DELETE FROM health_states s
     WHERE s.target_id = ANY (targets)
       AND NOT EXISTS (SELECT FROM health_name_targets l
                         JOIN trunk_endpoints e ON e.name_id = l.name_id
                        WHERE l.target_id = s.target_id AND e.rule_key = s.rule_key);
END
$function$;
"""

# As for sip_messages: the owner's rights, two seconds for a lock, writers wait for the table itself,
# and a partition is filled before it is attached.
MAINTAIN = """
CREATE FUNCTION maintain_health_hours(today date, days_ahead integer, days_kept integer)
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
    IF NOT pg_try_advisory_xact_lock(hashtextextended('trunkline:health_hours', 0)) THEN
        RETURN;
    END IF;

    FOR day IN SELECT generate_series(today, today + days_ahead, interval '1 day')::date LOOP
        partition_name := 'health_hours_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('public.' || partition_name) IS NOT NULL;
        LOCK TABLE ONLY health_hours IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('CREATE TABLE %I (LIKE health_hours) WITH (fillfactor = 50)',
                       partition_name);
        EXECUTE format('WITH moved AS (DELETE FROM health_hours_default
                                       WHERE hour >= %L AND hour < %L RETURNING *)
                        INSERT INTO %I SELECT * FROM moved',
                       day::timestamptz, (day + 1)::timestamptz, partition_name);
        EXECUTE format('ALTER TABLE health_hours ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                       partition_name, day::timestamptz, (day + 1)::timestamptz);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', partition_name);
        change := 'created';
        RETURN NEXT;
    END LOOP;

    FOR partition_name IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'health_hours'::regclass
           AND c.relname ~ '^health_hours_[0-9]{8}$'
           AND to_date(right(c.relname, 8), 'YYYYMMDD') < today - days_kept
         ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE %I', partition_name);
        change := 'dropped';
        RETURN NEXT;
    END LOOP;
    DELETE FROM health_hours_default WHERE hour < (today - days_kept)::timestamptz;
END
$function$;
"""

# A day is written anew instead of updated: an update would leave the minutes' room behind, and here
# each target's hours come to lie side by side. A day that was written anew has no fillfactor. The
# table is locked for the exchange alone; a day that is over has no writers.
COMPACT = """
CREATE FUNCTION compact_health_hours(before_day date)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
SET timezone = 'UTC'
SET lock_timeout = '2s'
AS $function$
DECLARE
    old_name text;
    new_name text;
    day date;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('trunkline:health_hours', 0)) THEN
        RETURN NULL;
    END IF;
    SELECT c.relname INTO old_name
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'health_hours'::regclass
       AND c.relname ~ '^health_hours_[0-9]{8}$'
       AND c.reloptions @> ARRAY['fillfactor=50']
       AND to_date(right(c.relname, 8), 'YYYYMMDD') < before_day
     ORDER BY c.relname LIMIT 1;
    IF old_name IS NULL THEN
        RETURN NULL;
    END IF;
    day := to_date(right(old_name, 8), 'YYYYMMDD');
    new_name := old_name || '_new';
    EXECUTE format('CREATE TABLE %I (LIKE health_hours)', new_name);
    EXECUTE format('INSERT INTO %I
                    SELECT target_id, hour, probes, classes, total_ms, max_ms, NULL
                      FROM %I ORDER BY target_id, hour', new_name, old_name);
    EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (target_id, hour),
                                   ADD CONSTRAINT of_its_day CHECK (hour >= %L AND hour < %L)',
                   new_name, day::timestamptz, (day + 1)::timestamptz);
    LOCK TABLE ONLY health_hours IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('DROP TABLE %I', old_name);
    EXECUTE format('ALTER TABLE %I RENAME TO %I', new_name, old_name);
    EXECUTE format('ALTER INDEX %I RENAME TO %I', new_name || '_pkey', old_name || '_pkey');
    EXECUTE format('ALTER TABLE health_hours ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   old_name, day::timestamptz, (day + 1)::timestamptz);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT of_its_day', old_name);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', old_name);
    RETURN old_name;
END
$function$;
"""

FUNCTIONS = (
    "collect_health(text[], text[])",
    "maintain_health_hours(date, integer, integer)",
    "compact_health_hours(date)",
)


def upgrade() -> None:
    for statements in (COLLECT, MAINTAIN, COMPACT):
        op.execute(statements)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().opts["app_role"])
    for function in FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {role}")


def downgrade() -> None:
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
