"""Versions of data sets by month, revisions of tariffs, months of several data sets."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Runs the statements beside this file, all in the one transaction of the migration."""
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})


def downgrade() -> None:
    op.execute("""
        ALTER TABLE configuration_providers DROP CONSTRAINT one_at_a_time;
        ALTER TABLE configuration_providers ADD CONSTRAINT one_at_a_time
            EXCLUDE USING gist (provider WITH =, during WITH &&) WHERE (NOT draft);
        ALTER TABLE configuration_providers DROP COLUMN dataset;
        ALTER TABLE submissions DROP CONSTRAINT uq_submissions_provider_id_month_dataset;
        ALTER TABLE submissions ADD CONSTRAINT uq_submissions_provider_id_month
            UNIQUE (provider_id, month);
        ALTER TABLE submissions DROP COLUMN dataset, DROP COLUMN dataset_id,
            DROP COLUMN configuration_id;
        ALTER TABLE runs DROP COLUMN dataset_id;
        ALTER TABLE files DROP COLUMN dataset_id;
        ALTER TABLE configurations DROP CONSTRAINT uq_configurations_configuration_revision;
        ALTER TABLE configurations DROP COLUMN revision, DROP COLUMN holds_from, DROP COLUMN why,
            DROP COLUMN made_by;
        ALTER TABLE configurations ADD CONSTRAINT uq_configurations_configuration
            UNIQUE (configuration);
        ALTER TABLE datasets DROP COLUMN starts;
    """)
