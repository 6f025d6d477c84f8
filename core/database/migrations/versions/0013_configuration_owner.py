"""Each configuration has its lead commissioner in a column: only they write its drafts."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Those that are there get it from their body, where it stands on a line of its own."""
    op.execute(
        "ALTER TABLE configurations ADD COLUMN owner TEXT;"
        "COMMENT ON COLUMN configurations.owner IS 'area code of the lead commissioner';"
        r"UPDATE configurations SET owner = substring(body FROM '(?n)^owner\:\s*[\"'']?(\w+)')"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE configurations DROP COLUMN owner")
