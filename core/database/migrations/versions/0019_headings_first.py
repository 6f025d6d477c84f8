"""A file may wait, its headings matched, until somebody has looked at them."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Runs the statements beside this file, all in the one transaction of the migration."""
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})


def downgrade() -> None:
    op.execute("""
        DROP TRIGGER transitions ON files;
        UPDATE files SET state = 'rejected' WHERE state = 'unconfirmed';
        ALTER TABLE files DROP COLUMN look;
        ALTER TABLE files DROP CONSTRAINT ck_files_state;
        ALTER TABLE files ADD CONSTRAINT ck_files_state CHECK (
            state IN ('received', 'checking', 'rejected', 'in error', 'ready', 'removed'));
        CREATE TRIGGER transitions BEFORE INSERT OR UPDATE OF state ON files
            FOR EACH ROW EXECUTE FUNCTION refuse_transition(
                'received',
                'received > checking',
                'received > removed',
                'checking > checking',
                'checking > rejected',
                'checking > in error',
                'checking > ready',
                'rejected > checking',
                'rejected > removed',
                'in error > checking',
                'in error > removed',
                'ready > checking',
                'ready > removed');
    """)
