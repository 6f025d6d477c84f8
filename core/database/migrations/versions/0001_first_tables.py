"""The first tables."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
    event_deliveries, events, log_posts, audit, reports, run_warnings, charge_reasons, charges,
    run_chunks, runs, corrections, errors, file_chunks, files, submissions, configuration_providers,
    configurations, datasets, memberships, users, clinics, organisations
"""


def upgrade() -> None:
    """Runs the statements beside this file, all in the one transaction of the migration."""
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})


def downgrade() -> None:
    op.execute(f"DROP TABLE {TABLES} CASCADE")
    op.execute("DROP FUNCTION refuse_change")
