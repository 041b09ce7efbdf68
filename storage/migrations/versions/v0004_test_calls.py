"""Test calls: what ends, watches and repeats one, and its timeline."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CALLS = """
DROP INDEX calls_one_test;
ALTER TABLE calls
    ADD COLUMN snapshot bytea,
    ADD COLUMN hang_up_at timestamptz,
    ADD COLUMN deadline_at timestamptz,
    ADD COLUMN parent_id text REFERENCES calls (id) ON DELETE SET NULL,
    ADD COLUMN variant text,
    ADD COLUMN workflow_id text,
    ADD COLUMN requested_by text;
CREATE INDEX calls_unfinished ON calls (started_at) WHERE kind = 'test' AND ended_at IS NULL;
"""

EVENTS = """
CREATE TABLE call_events (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    call_id text NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    org_id text NOT NULL,
    at timestamptz NOT NULL,
    event text NOT NULL,
    detail text NOT NULL,
    data jsonb NOT NULL
);
CREATE INDEX call_events_order ON call_events (call_id, seq);

ALTER TABLE call_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON call_events
    USING (current_setting('trunkline.org_id', true) = '*'
           OR org_id = nullif(current_setting('trunkline.org_id', true), ''))
    WITH CHECK (current_setting('trunkline.org_id', true) = '*'
                OR org_id = nullif(current_setting('trunkline.org_id', true), ''));
"""

# The index that comes back allows one unfinished test call for each organization.
BACK = """
DROP TABLE call_events;
UPDATE calls SET status = 'failed', result = 'failed', ended_at = now()
 WHERE kind = 'test' AND ended_at IS NULL;
DROP INDEX calls_unfinished;
ALTER TABLE calls
    DROP COLUMN snapshot,
    DROP COLUMN hang_up_at,
    DROP COLUMN deadline_at,
    DROP COLUMN parent_id,
    DROP COLUMN variant,
    DROP COLUMN workflow_id,
    DROP COLUMN requested_by;
CREATE UNIQUE INDEX calls_one_test ON calls (org_id) WHERE kind = 'test' AND ended_at IS NULL;
"""


def upgrade() -> None:
    op.execute(CALLS)
    op.execute(EVENTS)
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().opts["app_role"])
    op.execute(f"GRANT SELECT, INSERT ON call_events TO {role}")


def downgrade() -> None:
    op.execute(BACK)
