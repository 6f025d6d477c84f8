"""Submissions, their files, and what checks found in these.

Bulk tables (errors, charges and the like) have no foreign keys: PostgreSQL would look up each of a
million rows on its own. The code that deletes a file or a run deletes its rows.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from core.database.tables.columns import count, metadata, moment, now, number, one_of, user, words
from core.vocabulary.column_values import FILE_STATES, LOOKS, SUBMISSION_STATES

submissions = Table(
    "submissions",
    metadata,
    number(),
    Column("provider_id", Integer, ForeignKey("organisations.id"), nullable=False),
    Column("month", Date, nullable=False, comment="its first day"),
    Column(
        "dataset",
        Text,
        nullable=False,
        server_default="",
        comment="name of the data set; empty: not known yet",
    ),
    Column(
        "dataset_id",
        Integer,
        ForeignKey("datasets.id"),
        comment="version once submitted, for ever; null: by month",
    ),
    Column(
        "configuration_id",
        Integer,
        ForeignKey("configurations.id"),
        comment="revision of the tariff once submitted, for ever; null: by month",
    ),
    Column("state", Text, nullable=False, server_default="open"),
    Column(
        "run_id",
        Integer,
        ForeignKey("runs.id", use_alter=True),
        comment="the published run: what readers see",
    ),
    words("failure", required=False),
    now("created_at"),
    now("changed_at"),
    UniqueConstraint("provider_id", "month", "dataset"),
    one_of("state", SUBMISSION_STATES),
    CheckConstraint("extract(day from month) = 1", name="month"),
)

files = Table(
    "files",
    metadata,
    number(),
    Column("submission_id", Integer, ForeignKey("submissions.id"), nullable=False, index=True),
    Column("position", Integer, nullable=False, comment="order of upload within the submission"),
    words("name"),
    words("storage_key"),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("transpose", Boolean, nullable=False, server_default=text("false")),
    Column(
        "look",
        Text,
        nullable=False,
        server_default="never",
        comment="when its headings are shown before it is checked",
    ),
    Column("sheet", Text, comment="of a workbook: the one chosen; null: the first seen"),
    Column("sheets", JSONB, comment="names of the sheets that a person sees, as read"),
    Column("state", Text, nullable=False, server_default="received"),
    Column("check_number", Integer, nullable=False, server_default="0", comment="newest check"),
    Column("chunks", Integer, comment="about so many in its newest check; null: not known"),
    count("records"),
    count("errors"),
    count("warnings"),
    Column("headings", JSONB),
    Column("heading_row", Integer, comment="as somebody chose it; null: the first"),
    Column("first_rows", JSONB, comment="while the row of its headings is to be chosen"),
    Column("rows_there", Integer, comment="below the headings; null: not counted"),
    Column("rows_in_error", Integer),
    Column("rows_left_out", Integer),
    Column(
        "reader",
        Integer,
        nullable=False,
        server_default="1",
        comment="revision of the reader that made its records",
    ),
    Column(
        "dataset_id",
        Integer,
        ForeignKey("datasets.id"),
        comment="version that it was checked under; null: not checked yet",
    ),
    words("failure", required=False),
    user("uploaded_by"),
    now("uploaded_at"),
    UniqueConstraint("submission_id", "position"),
    one_of("state", FILE_STATES),
    one_of("look", LOOKS),
)

file_chunks = Table(
    "file_chunks",
    metadata,
    Column("file_id", Integer, ForeignKey("files.id"), primary_key=True),
    Column("chunk", Integer, primary_key=True),
    Column("check_number", Integer, nullable=False, comment="the check that wrote it"),
    count("records"),
    count("in_error"),
    count("errors"),
    count("warnings"),
    now("done_at"),
)

errors = Table(
    "errors",
    metadata,
    Column("file_id", Integer, nullable=False),
    Column("chunk", Integer, nullable=False),
    Column("row", Integer, comment="spreadsheet row; null: the file as a whole"),
    words("field", required=False),
    words("value", required=False),
    words("code"),
    words("severity"),
    words("message"),
    Index(None, "file_id", "code"),
)

corrections = Table(
    "corrections",
    metadata,
    number(),
    Column("file_id", Integer, ForeignKey("files.id"), nullable=False, index=True),
    words("field"),
    Column("wrong", Text, comment="the value it replaces; null: blank"),
    Column("value", Text, comment="the value put in its place; null: blank"),
    Column("row", Integer, comment="null: every row with that wrong value"),
    user("made_by"),
    now("made_at"),
    moment("undone_at"),
)
