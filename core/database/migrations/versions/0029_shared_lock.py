"""A lock that many hold at once, while nobody holds it alone."""

from __future__ import annotations

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE FUNCTION hold_shared_lock(subject text) RETURNS void LANGUAGE sql STRICT
            SECURITY DEFINER SET search_path = public, pg_temp
            AS $$ SELECT pg_advisory_xact_lock_shared(lock_key(subject)) $$;
    """)


def downgrade() -> None:
    op.execute("DROP FUNCTION hold_shared_lock(text)")
