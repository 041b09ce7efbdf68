"""How the last miss of a target came: silence and refusal are different reasons to move calls."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A target that is down already gets it with its next probe."""
    op.execute("ALTER TABLE health_states ADD COLUMN missed_by text")


def downgrade() -> None:
    op.execute("ALTER TABLE health_states DROP COLUMN missed_by")
