"""Where each row of a file went, where its headings stand, and which reader made its records."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE files
            ADD COLUMN heading_row INTEGER,
            ADD COLUMN first_rows JSONB,
            ADD COLUMN rows_there INTEGER,
            ADD COLUMN rows_in_error INTEGER,
            ADD COLUMN rows_left_out INTEGER,
            ADD COLUMN reader INTEGER DEFAULT '1' NOT NULL;
        COMMENT ON COLUMN files.heading_row IS 'as somebody chose it; null: the first';
        COMMENT ON COLUMN files.first_rows IS 'while the row of its headings is to be chosen';
        COMMENT ON COLUMN files.rows_there IS 'below the headings; null: not counted';
        COMMENT ON COLUMN files.reader IS 'revision of the reader that made its records';
        ALTER TABLE file_chunks ADD COLUMN in_error INTEGER DEFAULT '0' NOT NULL;
        ALTER TABLE run_chunks ADD COLUMN episodes_charged INTEGER DEFAULT '0' NOT NULL;
        ALTER TABLE runs ADD COLUMN episodes_charged INTEGER;
        COMMENT ON COLUMN runs.episodes_charged IS 'episodes with a charge; null: not counted';
    """)


def downgrade() -> None:
    op.execute("""
        ALTER TABLE files
            DROP COLUMN heading_row,
            DROP COLUMN first_rows,
            DROP COLUMN rows_there,
            DROP COLUMN rows_in_error,
            DROP COLUMN rows_left_out,
            DROP COLUMN reader;
        ALTER TABLE file_chunks DROP COLUMN in_error;
        ALTER TABLE run_chunks DROP COLUMN episodes_charged;
        ALTER TABLE runs DROP COLUMN episodes_charged;
    """)
