"""What the scheduler's hook was told, so that nothing counts twice."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE hook_calls (
            signature TEXT NOT NULL,
            at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
            CONSTRAINT pk_hook_calls PRIMARY KEY (signature));
        COMMENT ON TABLE hook_calls IS
            'what was told by the scheduler''s hook, so that it is not told again';
    """)


def downgrade() -> None:
    op.execute("DROP TABLE hook_calls")
