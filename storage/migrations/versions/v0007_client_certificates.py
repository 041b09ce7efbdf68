"""Keys of client certificates, and connection tests counted by their target."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE trunks ADD COLUMN client_key_sealed bytea")
    op.execute(
        """
        CREATE INDEX audit_log_connection_tests ON audit_log ((after ->> 'host'), at)
            WHERE action = 'trunk.test_connection'
        """
    )


def downgrade() -> None:
    op.execute("DROP INDEX audit_log_connection_tests")
    op.execute("ALTER TABLE trunks DROP COLUMN client_key_sealed")
