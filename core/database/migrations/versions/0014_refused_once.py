"""A cookie that is refused over and over leaves a row a minute in the audit."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE audit ADD COLUMN once TEXT;"
        "COMMENT ON COLUMN audit.once IS 'of what there is one row at most; null: of each';"
        "CREATE UNIQUE INDEX ix_audit_once ON audit (once) WHERE once IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE audit DROP COLUMN once")
