"""Indicators, figures and pathways of the old service stand in tables of ours."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Runs the statements beside this file, all in the one transaction of the migration."""
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})


def downgrade() -> None:
    op.execute("""
        DROP TABLE consumable_prices, step_consumables, consumables, pathway_steps, pathways;
        DROP INDEX ix_legacy_rows_not_here;
        DELETE FROM kpi_results WHERE taken_over;
        ALTER TABLE kpi_results DROP COLUMN taken_over;
        DROP TRIGGER transitions ON kpis;
        DELETE FROM kpi_trials WHERE kpi_id IN (SELECT id FROM kpis WHERE state = 'taken over');
        UPDATE kpis SET state = 'retired' WHERE state = 'taken over';
        ALTER TABLE kpis DROP CONSTRAINT ck_kpis_state;
        ALTER TABLE kpis ADD CONSTRAINT ck_kpis_state
            CHECK (state IN ('draft', 'published', 'retired'));
        CREATE TRIGGER transitions BEFORE INSERT OR UPDATE OF state ON kpis
            FOR EACH ROW EXECUTE FUNCTION refuse_transition(
                'draft',
                'draft > published',
                'draft > retired',
                'published > retired');
    """)
