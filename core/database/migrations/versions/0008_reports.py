"""What a report was made from, its files, and reports that are wanted every month."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Runs the statements beside this file, all in the one transaction of the migration."""
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})


def downgrade() -> None:
    op.execute("""
        DROP TABLE report_schedule_months, report_schedules, report_files, report_runs;
        ALTER TABLE reports DROP COLUMN parts, DROP COLUMN parts_done;
    """)
