"""Transitions are held by the database too; what fails after its retries lands in a queue."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Runs the statements beside this file, all in the one transaction of the migration."""
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})


def downgrade() -> None:
    op.execute("""
        DROP TABLE failures;
        DROP FUNCTION refuse_transition CASCADE;
        UPDATE submissions SET state = 'submitted' WHERE state = 'reset asked';
        ALTER TABLE submissions DROP CONSTRAINT ck_submissions_state,
            ADD CONSTRAINT ck_submissions_state CHECK (state IN ('open', 'queued', 'merging',
                'triggering', 'combining', 'pricing', 'allocating', 'measuring', 'draft',
                'submitted', 'failed'));
    """)
