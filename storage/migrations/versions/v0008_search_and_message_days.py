"""Numbers found by a part of them, and days of messages that begin without failing anybody."""

from __future__ import annotations

import logging

from alembic import op
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage.migrations.versions import v0002_sip_message_days

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_log = logging.getLogger(__name__)

# Under row-level security an index serves only operators that are marked leakproof, and LIKE is not.
# The owner's view carries the tenancy itself: its condition is the policy's, without the clause for
# the system scope, so it shows the rows of one organization or none.
SEARCH = """
CREATE VIEW number_search AS
SELECT phone_number, direction, trunk_id
  FROM number_bindings
 WHERE org_id = nullif(current_setting('trunkline.org_id', true), '')
"""

# Both are trusted: who may CREATE in the database may have them.
EXTENSIONS = ("pg_trgm", "btree_gin")
OPERATORS = """
SELECT format('%I.%I', n.nspname, c.opcname)
  FROM pg_opclass c JOIN pg_namespace n ON n.oid = c.opcnamespace
 WHERE c.opcname = 'gin_trgm_ops'
"""
INDEX = """
CREATE INDEX number_bindings_search ON number_bindings USING gin (org_id, phone_number {operators})
"""

# A writer that waited for the default partition would go on to put its row there, and fail, because
# the partition that was attached meanwhile has taken the day. So writers wait for the table itself:
# they look for the partition when they have it. Nobody holds a partition without the table, so one
# lock in this order cannot be part of a deadlock.
MAINTAIN = """
CREATE OR REPLACE FUNCTION maintain_sip_messages(
    today date, days_ahead integer, days_kept integer
)
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
        LOCK TABLE ONLY sip_messages IN ACCESS EXCLUSIVE MODE;
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
    op.execute(MAINTAIN)
    op.execute(SEARCH)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().opts["app_role"])
    op.execute(f"GRANT SELECT ON number_search TO {role}")
    _index_search()


def downgrade() -> None:
    # The extensions stay: others may use them by now.
    op.execute("DROP INDEX IF EXISTS number_bindings_search")
    op.execute("DROP VIEW number_search")
    before = v0002_sip_message_days.FUNCTION
    op.execute(before.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))


def _index_search() -> None:
    """Index numbers by their trigrams where the server lets us have the extensions."""
    connection = op.get_bind()
    try:
        with connection.begin_nested():
            for extension in EXTENSIONS:
                connection.execute(text(f"CREATE EXTENSION IF NOT EXISTS {extension}"))
            operators = connection.scalar(text(OPERATORS))
            connection.execute(text(INDEX.format(operators=operators)))
    except DBAPIError as error:
        # Servers refuse an extension in words and codes of their own, and search works without it.
        if error.connection_invalidated:
            raise
        _log.warning(
            "searching numbers reads every number of the organization, because there is no index: "
            "%s. Let somebody who may CREATE EXTENSION %s, then as the owner of the tables: %s",
            str(error.orig).partition("\n")[0],
            " and ".join(EXTENSIONS),
            " ".join(INDEX.format(operators="gin_trgm_ops").split()),
        )
