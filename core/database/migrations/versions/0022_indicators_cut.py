"""Trials of indicators see what their author may see; locks have numbers that nobody computes."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

FORGET_VIEWS = """
    DO $$
    DECLARE made record;
    BEGIN
        FOR made IN SELECT schemaname, viewname FROM pg_views WHERE schemaname LIKE 'kpi\\_%' LOOP
            EXECUTE format('DROP VIEW %I.%I', made.schemaname, made.viewname);
        END LOOP;
    END $$;
"""
"""They are made again, as the code has them, before the next indicator is measured."""


def upgrade() -> None:
    """Runs the statements beside this file, all in the one transaction of the migration."""
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(
        FORGET_VIEWS + statements, execution_options={"no_parameters": True}
    )


def downgrade() -> None:
    op.get_bind().exec_driver_sql(FORGET_VIEWS, execution_options={"no_parameters": True})
    op.execute("""
        DROP FUNCTION kpi_commissioners, hold_lock, lock_key;
        DROP TABLE kpi_left_out, lock_space;
        ALTER TABLE kpi_sessions DROP COLUMN commissioners;
    """)
