"""Since when a clinic has its host authority."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What the audit knows of the past stands in the new column."""
    op.execute(
        "ALTER TABLE clinics ADD COLUMN placed_at TIMESTAMP WITH TIME ZONE;"
        "COMMENT ON COLUMN clinics.placed_at IS"
        " 'since when it has its host; null: since it is known, or none';"
        "UPDATE clinics SET placed_at = ("
        " SELECT max(at) FROM audit WHERE action = 'clinic placed'"
        " AND subject = 'clinic:' || provider_id || '/' || clinic_id"
        ") WHERE commissioner IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE clinics DROP COLUMN placed_at")
