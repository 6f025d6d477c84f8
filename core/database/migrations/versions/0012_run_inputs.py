"""A run notes with what it is calculated, so that one taken up again mixes nothing."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE runs ADD COLUMN inputs TEXT")
    op.execute("COMMENT ON COLUMN runs.inputs IS 'fingerprint of what it is calculated with'")


def downgrade() -> None:
    op.execute("ALTER TABLE runs DROP COLUMN inputs")
