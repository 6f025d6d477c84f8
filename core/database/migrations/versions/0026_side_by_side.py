"""Titles of data sets as a column; reminders of months of several data sets."""

from __future__ import annotations

import sqlalchemy as sa
import yaml
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE datasets ADD COLUMN title TEXT")
    bodies = op.get_bind().execute(sa.text("SELECT id, dataset, body FROM datasets")).all()
    for number, dataset, body in bodies:
        document = yaml.safe_load(body)
        title = document.get("title", dataset) if isinstance(document, dict) else dataset
        statement = sa.text("UPDATE datasets SET title = :title WHERE id = :number")
        op.get_bind().execute(statement, {"title": str(title), "number": number})
    op.execute("""
        ALTER TABLE datasets ALTER COLUMN title SET NOT NULL;
        ALTER TABLE deadline_notices ADD COLUMN dataset TEXT NOT NULL DEFAULT '';
        COMMENT ON COLUMN deadline_notices.dataset IS 'name of the data set';
        UPDATE deadline_notices SET dataset = (SELECT min(dataset) FROM datasets)
            WHERE (SELECT count(DISTINCT dataset) FROM datasets) = 1;
        ALTER TABLE deadline_notices DROP CONSTRAINT pk_deadline_notices;
        ALTER TABLE deadline_notices ADD CONSTRAINT pk_deadline_notices
            PRIMARY KEY (user_id, provider_id, month, dataset, stage);
        ALTER TABLE heading_choices ADD COLUMN dataset TEXT NOT NULL DEFAULT '';
        ALTER TABLE heading_choices ADD COLUMN dataset_id INTEGER
            CONSTRAINT fk_heading_choices_dataset_id REFERENCES datasets (id);
        COMMENT ON COLUMN heading_choices.dataset IS 'name of the data set';
        COMMENT ON COLUMN heading_choices.dataset_id IS
            'version that it was chosen under; null: not known';
        UPDATE heading_choices SET dataset_id = d.id, dataset = d.dataset
            FROM datasets d WHERE d.id = coalesce(
                (SELECT max(id) FROM datasets WHERE imported_at <= heading_choices.chosen_at),
                (SELECT max(id) FROM datasets));
        ALTER TABLE heading_choices DROP CONSTRAINT pk_heading_choices;
        ALTER TABLE heading_choices ADD CONSTRAINT pk_heading_choices
            PRIMARY KEY (provider_id, dataset, heading);
    """)


def downgrade() -> None:
    op.execute("""
        ALTER TABLE deadline_notices DROP CONSTRAINT pk_deadline_notices;
        DELETE FROM deadline_notices d USING deadline_notices other
            WHERE (d.user_id, d.provider_id, d.month, d.stage)
                = (other.user_id, other.provider_id, other.month, other.stage)
            AND d.dataset > other.dataset;
        ALTER TABLE deadline_notices DROP COLUMN dataset;
        ALTER TABLE deadline_notices ADD CONSTRAINT pk_deadline_notices
            PRIMARY KEY (user_id, provider_id, month, stage);
        ALTER TABLE heading_choices DROP CONSTRAINT pk_heading_choices;
        DELETE FROM heading_choices d USING heading_choices other
            WHERE (d.provider_id, d.heading) = (other.provider_id, other.heading)
            AND d.dataset > other.dataset;
        ALTER TABLE heading_choices DROP COLUMN dataset, DROP COLUMN dataset_id;
        ALTER TABLE heading_choices ADD CONSTRAINT pk_heading_choices
            PRIMARY KEY (provider_id, heading);
        ALTER TABLE datasets DROP COLUMN title;
    """)
