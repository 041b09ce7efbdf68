"""Alerts, their deliveries, and quiet hours."""

from __future__ import annotations

from alembic import op

from storage.migrations.versions.v0003_tenancy import MINE

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE organizations ADD COLUMN quiet_hours jsonb;

CREATE TABLE alerts (
    id text PRIMARY KEY,
    org_id text NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    kind text NOT NULL,
    severity text NOT NULL,
    opened_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    resolved_at timestamptz,
    document jsonb NOT NULL
);
CREATE INDEX alerts_of_org ON alerts (org_id, opened_at, id);
CREATE INDEX alerts_open ON alerts (org_id) WHERE resolved_at IS NULL;

CREATE TABLE alert_deliveries (
    id text PRIMARY KEY,
    org_id text NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    alert_id text REFERENCES alerts (id) ON DELETE CASCADE,
    workflow_id text NOT NULL,
    notice text NOT NULL,
    channel text NOT NULL,
    route_key text NOT NULL,
    recipient text NOT NULL,
    event jsonb NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    next_at timestamptz,
    ended_at timestamptz,
    last_error text,
    CONSTRAINT alert_deliveries_state CHECK (state IN ('pending', 'delivered', 'given_up')),
    CONSTRAINT alert_deliveries_channel CHECK (channel IN ('email', 'sms', 'webhook'))
);
CREATE INDEX alert_deliveries_of_alert ON alert_deliveries (alert_id, created_at, id);
CREATE INDEX alert_deliveries_of_org ON alert_deliveries (org_id, created_at, id);
CREATE INDEX alert_deliveries_pending ON alert_deliveries (workflow_id)
    WHERE state = 'pending';

CREATE TABLE alert_attempts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_id text NOT NULL REFERENCES alert_deliveries (id) ON DELETE CASCADE,
    org_id text NOT NULL,
    at timestamptz NOT NULL,
    delivered boolean NOT NULL,
    ms integer NOT NULL,
    detail text NOT NULL
);
CREATE INDEX alert_attempts_of_delivery ON alert_attempts (delivery_id, id);

CREATE TABLE alert_watch (
    org_id text PRIMARY KEY REFERENCES organizations (id) ON DELETE CASCADE,
    due_at timestamptz NOT NULL,
    decided_at timestamptz
);
CREATE INDEX alert_watch_due ON alert_watch (due_at);
"""

WRITABLE = ("alerts", "alert_deliveries", "alert_watch")
# Attempts are not rewritten.
APPENDED = ("alert_attempts",)


def upgrade() -> None:
    op.execute(TABLES)
    mine = MINE.format(column="org_id")
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().opts["app_role"])
    for table in (*WRITABLE, *APPENDED):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({mine}) WITH CHECK ({mine})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(WRITABLE)} TO {role}")
    op.execute(f"GRANT SELECT, INSERT ON {', '.join(APPENDED)} TO {role}")


def downgrade() -> None:
    for table in ("alert_watch", "alert_attempts", "alert_deliveries", "alerts"):
        op.execute(f"DROP TABLE {table}")
    op.execute("ALTER TABLE organizations DROP COLUMN quiet_hours")
