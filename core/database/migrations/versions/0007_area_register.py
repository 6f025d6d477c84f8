"""The register of areas as the spider keeps it."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Runs the statements beside this file, all in the one transaction of the migration."""
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})


def downgrade() -> None:
    op.execute("""
        DROP TABLE spider_questions, spider_runs, area_answers, area_register, area_periods, areas;
        DELETE FROM failures WHERE kind IN ('spider', 'area');
        ALTER TABLE failures DROP CONSTRAINT ck_failures_kind;
        ALTER TABLE failures ADD CONSTRAINT ck_failures_kind
            CHECK (kind IN ('file check', 'run', 'report', 'event delivery', 'notification'));
    """)
