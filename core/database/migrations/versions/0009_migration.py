"""What the migration from the old service knows: plan, keys, states, comparison."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SUBMISSIONS = """
CREATE TRIGGER transitions BEFORE INSERT OR UPDATE OF state ON submissions
    FOR EACH ROW EXECUTE FUNCTION refuse_transition(
        'open',
        'open > queued',
        'queued > merging',
        'queued > failed',
        'merging > merging',
        'merging > triggering',
        'merging > failed',
        'triggering > merging',
        'triggering > combining',
        'triggering > failed',
        'combining > merging',
        'combining > pricing',
        'combining > failed',
        'pricing > merging',
        'pricing > allocating',
        'pricing > failed',
        'allocating > merging',
        'allocating > measuring',
        'allocating > failed',
        'measuring > merging',
        'measuring > draft',
        'measuring > submitted',
        'measuring > failed',
        'draft > open',
        'draft > queued',
        'submitted > reset asked',
        'reset asked > open',
        'reset asked > submitted',
        'failed > open',
        'failed > queued');
"""


def upgrade() -> None:
    """Runs the statements beside this file, all in the one transaction of the migration."""
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})


def downgrade() -> None:
    op.execute("""
        DROP TABLE migration_differences, migration_checks, migration_pages, migrated_tables,
            migration_runs, legacy_rows;
        DELETE FROM failures WHERE kind IN ('migration', 'legacy row');
        ALTER TABLE failures DROP CONSTRAINT ck_failures_kind;
        ALTER TABLE failures ADD CONSTRAINT ck_failures_kind CHECK (kind IN (
            'file check', 'run', 'report', 'event delivery', 'notification', 'spider', 'area'));
        DROP TRIGGER transitions ON submissions;
    """)
    op.execute(SUBMISSIONS)
