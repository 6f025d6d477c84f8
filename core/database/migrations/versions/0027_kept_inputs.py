"""A run keeps what it is calculated from, so that it can be made again."""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE runs ADD COLUMN hosts JSONB;
        ALTER TABLE runs ADD COLUMN register TEXT;
        ALTER TABLE runs ADD COLUMN rules INTEGER;
        COMMENT ON COLUMN runs.hosts IS 'clinic to the authority that hosts it; null: not kept';
        COMMENT ON COLUMN runs.register IS 'register of areas that it follows, in kept_registers';
        COMMENT ON COLUMN runs.rules IS 'revision of the rules of the calculation; null: not kept';
        CREATE TABLE run_files (
            run_id INTEGER NOT NULL,
            file_id INTEGER NOT NULL,
            position INTEGER NOT NULL,
            name TEXT NOT NULL,
            storage_key TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            transpose BOOLEAN NOT NULL,
            sheet TEXT,
            heading_row INTEGER,
            headings JSONB NOT NULL,
            corrections JSONB NOT NULL,
            reader INTEGER NOT NULL,
            CONSTRAINT pk_run_files PRIMARY KEY (run_id, file_id),
            CONSTRAINT fk_run_files_run_id FOREIGN KEY(run_id) REFERENCES runs (id),
            CONSTRAINT fk_run_files_file_id FOREIGN KEY(file_id) REFERENCES files (id)
        );
        COMMENT ON COLUMN run_files.headings IS 'heading to column, as it was read';
        COMMENT ON COLUMN run_files.corrections IS 'those in force, in the order they were made';
        COMMENT ON COLUMN run_files.reader IS 'revision of the reader that made its records';
        CREATE TABLE kept_registers (
            name TEXT NOT NULL,
            content BYTEA NOT NULL,
            kept_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
            CONSTRAINT pk_kept_registers PRIMARY KEY (name)
        );
        COMMENT ON COLUMN kept_registers.content IS 'an Arrow file, compressed';
    """)


def downgrade() -> None:
    op.execute("""
        DROP TABLE kept_registers;
        DROP TABLE run_files;
        ALTER TABLE runs DROP COLUMN hosts, DROP COLUMN register, DROP COLUMN rules;
    """)
