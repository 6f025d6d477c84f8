"""How far a check and the stages of a run are, with counts, for who waits for them."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE files ADD COLUMN chunks INTEGER;
        COMMENT ON COLUMN files.chunks IS 'about so many in its newest check; null: not known';
        CREATE TABLE run_stages (
            run_id INTEGER NOT NULL,
            stage TEXT NOT NULL,
            chunks INTEGER NOT NULL,
            done INTEGER DEFAULT '0' NOT NULL,
            counted BIGINT NOT NULL,
            CONSTRAINT pk_run_stages PRIMARY KEY (run_id, stage),
            CONSTRAINT fk_run_stages_run_id FOREIGN KEY(run_id) REFERENCES runs (id)
        );
        COMMENT ON COLUMN run_stages.chunks IS 'of those that this attempt has to do';
        COMMENT ON COLUMN run_stages.counted IS 'what came out of those that are done';
    """)


def downgrade() -> None:
    op.execute("DROP TABLE run_stages; ALTER TABLE files DROP COLUMN chunks")
