"""Which sheet of a workbook is read, and which there are."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE files ADD COLUMN sheet TEXT;
        ALTER TABLE files ADD COLUMN sheets JSONB;
        COMMENT ON COLUMN files.sheet IS 'of a workbook: the one chosen; null: the first seen';
        COMMENT ON COLUMN files.sheets IS 'names of the sheets that a person sees, as read';
    """)


def downgrade() -> None:
    op.execute("ALTER TABLE files DROP COLUMN sheet, DROP COLUMN sheets")
