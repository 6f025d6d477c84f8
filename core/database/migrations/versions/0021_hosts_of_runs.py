"""A run keeps the authority that counted as the host of each clinic."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE run_payers ADD COLUMN host TEXT;
        COMMENT ON COLUMN run_payers.host IS
            'the clinic''s host in the run; null: as the clinic has it';
    """)


def downgrade() -> None:
    op.execute("ALTER TABLE run_payers DROP COLUMN host")
