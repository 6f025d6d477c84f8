"""Events are routed, wait for their turn and are shown; log groups can be searched and end."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Runs the statements beside this file, all in the one transaction of the migration."""
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})


def downgrade() -> None:
    op.execute("""
        DROP TRIGGER append_only ON log_posts;
        DROP TRIGGER kept_for_its_time ON log_posts;
        DROP FUNCTION refuse_to_end_early;
        DROP INDEX ix_log_posts_text, ix_log_posts_subject_at, ix_event_deliveries_open,
            ix_events_subject, ix_events_unrouted, ix_events_unshown;
        ALTER TABLE events DROP COLUMN routed_at, DROP COLUMN shown_at;
        CREATE INDEX ix_events_undelivered ON events (id) WHERE delivered_at IS NULL;
        COMMENT ON COLUMN event_deliveries.delivered_at IS 'null: to be tried again';
        COMMENT ON TABLE log_posts IS NULL;
    """)
