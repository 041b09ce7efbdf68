"""Which revision of a trunk its workflow goes by."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE trunks ADD COLUMN adopted_revision bigint NOT NULL DEFAULT 0")


def downgrade() -> None:
    op.execute("ALTER TABLE trunks DROP COLUMN adopted_revision")
