"""What was not measured or tried, and what an installation's own rules start, may fail too."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

BEFORE = (
    "'file check', 'run', 'report', 'event delivery', 'notification', 'spider', 'area', "
    "'migration', 'legacy row'"
)
NEW = "'measuring', 'trial of an indicator', 'run of a rule'"


def upgrade() -> None:
    op.execute(f"""
        ALTER TABLE failures DROP CONSTRAINT ck_failures_kind;
        ALTER TABLE failures ADD CONSTRAINT ck_failures_kind CHECK (kind IN ({BEFORE}, {NEW}));
    """)


def downgrade() -> None:
    op.execute(f"DELETE FROM failures WHERE kind IN ({NEW})")  # noqa: S608 - constants of this file
    op.execute(f"""
        ALTER TABLE failures DROP CONSTRAINT ck_failures_kind;
        ALTER TABLE failures ADD CONSTRAINT ck_failures_kind CHECK (kind IN ({BEFORE}));
    """)
