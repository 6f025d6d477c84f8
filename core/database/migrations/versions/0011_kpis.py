"""Indicators as data, what they came to, and what queries of them may see."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Runs the statements beside this file, all in the one transaction of the migration."""
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})


def downgrade() -> None:
    op.execute("""
        DO $$
        DECLARE made text;
        BEGIN
            FOR made IN SELECT nspname FROM pg_namespace WHERE nspname LIKE 'kpi\\_%' LOOP
                EXECUTE format('DROP SCHEMA %I CASCADE', made);
            END LOOP;
            FOR made IN SELECT tablename FROM pg_tables
                WHERE schemaname = 'public' AND tablename LIKE 'episodes\\_%' LOOP
                EXECUTE format('DROP TABLE %I', made);
            END LOOP;
        END $$;
        DROP TABLE kpi_results, kpi_trials, kpi_chunks, kpi_sessions, kpis;
        DROP FUNCTION kpi_run(), kpi_peers(integer, date, integer);
    """)
