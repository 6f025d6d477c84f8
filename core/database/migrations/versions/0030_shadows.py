"""A shadow of a tariff may overlap what charges."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Runs the statements beside this file, all in the one transaction of the migration."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Refuses by itself where a shadow overlaps: the constraint of before does not hold then."""
    op.execute("""
        ALTER TABLE configuration_providers DROP CONSTRAINT one_shadow_at_a_time;
        ALTER TABLE configuration_providers DROP CONSTRAINT one_at_a_time;
        ALTER TABLE configuration_providers ADD CONSTRAINT one_at_a_time
            EXCLUDE USING gist (dataset WITH =, provider WITH =, during WITH &&) WHERE (NOT draft);
        ALTER TABLE configuration_providers DROP COLUMN shadow;
    """)
