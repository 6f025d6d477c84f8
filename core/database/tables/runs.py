"""Runs of submissions, and what they calculated. No foreign keys in bulk: ``submissions.py``."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from core.database.tables.columns import (
    count,
    metadata,
    moment,
    now,
    number,
    one_of,
    pence,
    user,
    words,
)
from core.vocabulary.column_values import RUN_KINDS, RUN_STATES

runs = Table(
    "runs",
    metadata,
    number(),
    Column("submission_id", Integer, ForeignKey("submissions.id"), nullable=False),
    Column("number", Integer, nullable=False, comment="counts the runs of its submission"),
    words("kind"),
    Column("configuration_id", Integer, ForeignKey("configurations.id")),
    Column(
        "dataset_id",
        Integer,
        ForeignKey("datasets.id"),
        comment="version of the data set that it is calculated under",
    ),
    Column("state", Text, nullable=False, server_default="running"),
    Column("chunks", Integer, comment="null until the records were counted"),
    count("records"),
    count("episodes"),
    Column("episodes_charged", Integer, comment="episodes with a charge; null: not counted"),
    count("charges"),
    pence(),
    words("failure", required=False),
    user("requested_by"),
    now("requested_at"),
    moment("started_at"),
    moment("finished_at"),
    Column("flow_run", UUID(as_uuid=True)),
    Column("inputs", Text, comment="fingerprint of what it is calculated with"),
    Column("hosts", JSONB, comment="clinic to the authority that hosts it; null: not kept"),
    Column("register", Text, comment="register of areas that it follows, in kept_registers"),
    Column("rules", Integer, comment="revision of the rules of the calculation; null: not kept"),
    UniqueConstraint("submission_id", "number"),
    one_of("kind", RUN_KINDS),
    one_of("state", RUN_STATES),
)

run_files = Table(
    "run_files",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("file_id", Integer, ForeignKey("files.id"), primary_key=True),
    Column("position", Integer, nullable=False),
    words("name"),
    words("storage_key"),
    words("sha256"),
    Column("transpose", Boolean, nullable=False),
    words("sheet", required=False),
    Column("heading_row", Integer),
    Column("headings", JSONB, nullable=False, comment="heading to column, as it was read"),
    Column(
        "corrections", JSONB, nullable=False, comment="those in force, in the order they were made"
    ),
    Column(
        "reader", Integer, nullable=False, comment="revision of the reader that made its records"
    ),
)

kept_registers = Table(
    "kept_registers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False, comment="an Arrow file, compressed"),
    now("kept_at"),
)

run_chunks = Table(
    "run_chunks",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("chunk", Integer, primary_key=True, autoincrement=False),
    count("records"),
    count("episodes"),
    count("episodes_charged"),
    count("charges"),
    count("warnings"),
    pence(),
    now("done_at"),
)

run_stages = Table(
    "run_stages",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("stage", Text, primary_key=True),
    Column("chunks", Integer, nullable=False, comment="of those that this attempt has to do"),
    count("done"),
    Column("counted", BigInteger, nullable=False, comment="what came out of those that are done"),
)

charges = Table(
    "charges",
    metadata,
    Column("run_id", Integer, nullable=False),
    Column("chunk", SmallInteger, nullable=False),
    words("clinic_id"),
    words("patient_id"),
    Column("attendance_date", Date, nullable=False),
    words("currency"),
    words("rate_type"),
    Column("rate_pence", Integer, nullable=False),
    Column("factor", Numeric(9, 5), nullable=False),
    Column("amount_pence", Integer, nullable=False),
    Column("commissioner", Text, comment="null: nobody is charged"),
    words("basis"),
    Column("reason_id", Integer, nullable=False, comment="in charge_reasons, of the same chunk"),
    # Charges of a run are written together, so a BRIN index is enough (decisions/0005).
    Index(None, "run_id", postgresql_using="brin", postgresql_with={"pages_per_range": 32}),
)

charge_reasons = Table(
    "charge_reasons",
    metadata,
    Column("run_id", Integer, primary_key=True, autoincrement=False),
    Column("chunk", SmallInteger, primary_key=True, autoincrement=False),
    Column("reason_id", Integer, primary_key=True, autoincrement=False),
    words("reason"),
)

run_warnings = Table(
    "run_warnings",
    metadata,
    Column("run_id", Integer, nullable=False),
    Column("chunk", SmallInteger, nullable=False),
    Column("file_id", Integer),
    Column("row", Integer),
    words("field", required=False),
    words("value", required=False),
    words("code"),
    words("message"),
    Index(None, "run_id", "chunk"),
)

run_days = Table(
    "run_days",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("day", Date, primary_key=True, comment="attendance date of a charge"),
)

run_decisions = Table(
    "run_decisions",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id"), primary_key=True),
    words("reason"),
    Column("records", Integer, nullable=False),
    Column("outside", Integer, nullable=False, comment="records dated outside the month"),
    Column("visits", Integer, nullable=False, comment="visits that other months charged"),
    pence(),
    user("decided_by"),
    now("decided_at"),
)

visits_before = Table(
    "visits_before",
    metadata,
    Column("run_id", Integer, nullable=False),
    words("clinic_id"),
    words("patient_id"),
    Column("attendance_date", Date, nullable=False),
    Column("before_month", Date, nullable=False, comment="which had charged the visit"),
    Index(None, "run_id", "patient_id"),
)
