"""Row-level security, and what the app's role may do."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Table and the column that says whose row it is.
TENANT_TABLES = {
    "organizations": "id",
    "api_keys": "org_id",
    "idempotency_keys": "org_id",
    "discoveries": "org_id",
    "discovery_attempts": "org_id",
    "calls": "org_id",
    "sip_messages": "org_id",
    "outbox": "org_id",
    "audit_log": "org_id",
}

# What was recorded is not rewritten; the audit log least of all.
APPEND_ONLY = ("audit_log", "discovery_attempts", "sip_messages")
WRITABLE = (
    "organizations",
    "api_keys",
    "idempotency_keys",
    "discoveries",
    "calls",
    "outbox",
    "worker_presence",
)

# A setting that was set in an earlier transaction of the connection reads as '', not as NULL.
MINE = (
    "current_setting('trunkline.org_id', true) = '*' "
    "OR {column} = nullif(current_setting('trunkline.org_id', true), '')"
)


def upgrade() -> None:
    for table, column in TENANT_TABLES.items():
        mine = MINE.format(column=column)
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({mine}) WITH CHECK ({mine})")
    # Reached through sip_messages its policy holds; reached by name, nothing is to be seen.
    op.execute("ALTER TABLE sip_messages_default ENABLE ROW LEVEL SECURITY")

    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().opts["app_role"])
    op.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
    op.execute(f"GRANT SELECT, INSERT ON {', '.join(APPEND_ONLY)} TO {role}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(WRITABLE)} TO {role}")
    op.execute(f"GRANT SELECT ON alembic_version TO {role}")
    maintain = "FUNCTION maintain_sip_messages(date, integer, integer)"
    op.execute(f"REVOKE ALL ON {maintain} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON {maintain} TO {role}")


def downgrade() -> None:
    role = op.get_bind().dialect.identifier_preparer.quote(op.get_context().opts["app_role"])
    op.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}")
    op.execute(f"REVOKE ALL ON FUNCTION maintain_sip_messages(date, integer, integer) FROM {role}")
    for table in TENANT_TABLES:
        op.execute(f"DROP POLICY tenant ON {table}")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE sip_messages_default DISABLE ROW LEVEL SECURITY")
