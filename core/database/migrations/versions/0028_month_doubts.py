"""Days of runs, reasons for final months that are doubtful, and visits charged before."""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE run_days (
            run_id INTEGER NOT NULL,
            day DATE NOT NULL,
            CONSTRAINT pk_run_days PRIMARY KEY (run_id, day),
            CONSTRAINT fk_run_days_run_id FOREIGN KEY (run_id) REFERENCES runs (id)
        );
        COMMENT ON COLUMN run_days.day IS 'attendance date of a charge';
        INSERT INTO run_days SELECT DISTINCT c.run_id, c.attendance_date FROM charges c
            JOIN runs r ON r.id = c.run_id WHERE r.kind = 'final' AND r.state = 'published';
        CREATE TABLE run_decisions (
            run_id INTEGER NOT NULL,
            reason TEXT NOT NULL,
            records INTEGER NOT NULL,
            outside INTEGER NOT NULL,
            visits INTEGER NOT NULL,
            amount_pence BIGINT NOT NULL DEFAULT 0,
            decided_by INTEGER,
            decided_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(),
            CONSTRAINT pk_run_decisions PRIMARY KEY (run_id),
            CONSTRAINT fk_run_decisions_run_id FOREIGN KEY (run_id) REFERENCES runs (id),
            CONSTRAINT fk_run_decisions_decided_by FOREIGN KEY (decided_by) REFERENCES users (id)
        );
        COMMENT ON COLUMN run_decisions.outside IS 'records dated outside the month';
        COMMENT ON COLUMN run_decisions.visits IS 'visits that other months charged';
        CREATE TABLE visits_before (
            run_id INTEGER NOT NULL,
            clinic_id TEXT NOT NULL,
            patient_id TEXT NOT NULL,
            attendance_date DATE NOT NULL,
            before_month DATE NOT NULL
        );
        COMMENT ON COLUMN visits_before.before_month IS 'which had charged the visit';
        CREATE INDEX ix_visits_before_run_id_patient_id ON visits_before (run_id, patient_id);
    """)


def downgrade() -> None:
    op.execute("DROP TABLE visits_before, run_decisions, run_days")
