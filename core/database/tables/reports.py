"""The runs and files of reports, and schedules of monthly reports."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from core.database.tables.columns import count, metadata, moment, now, number, one_of, user, words
from core.vocabulary.column_values import REPORT_STATES

reports = Table(
    "reports",
    metadata,
    number(),
    words("kind"),
    Column("parameters", JSONB, nullable=False, server_default=text("'{}'")),
    Column("state", Text, nullable=False, server_default="requested"),
    user("requested_by"),
    now("requested_at"),
    words("storage_key", required=False),
    words("name", required=False),
    Column("size", BigInteger),
    moment("ready_at"),
    moment("expires_at"),
    words("failure", required=False),
    Column("parts", Integer, comment="null until it was planned"),
    count("parts_done"),
    one_of("state", REPORT_STATES),
)


def _of_report() -> Column[int]:
    return Column("report_id", Integer, ForeignKey("reports.id"), primary_key=True)


report_runs = Table(
    "report_runs",
    metadata,
    _of_report(),
    Column("run_id", Integer, ForeignKey("runs.id"), primary_key=True, index=True),
)
report_files = Table(
    "report_files",
    metadata,
    _of_report(),
    Column("position", Integer, primary_key=True, comment="0: the workbook"),
    words("name"),
    Column("storage_key", Text, nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
)
report_schedules = Table(
    "report_schedules",
    metadata,
    number(),
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    Column("parameters", JSONB, nullable=False, comment="as of a report; its months are a pattern"),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    now("created_at"),
)
report_schedule_months = Table(
    "report_schedule_months",
    metadata,
    Column("schedule_id", Integer, ForeignKey("report_schedules.id"), primary_key=True),
    Column("month", Date, primary_key=True),
    Column("report_id", Integer, ForeignKey("reports.id"), nullable=False),
)
