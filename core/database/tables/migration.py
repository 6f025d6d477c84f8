"""The migration from the old service: its rows and their keys, its runs and comparisons."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
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
from core.vocabulary.states.migration import MIGRATION_MACHINE, TABLE_MACHINE

legacy_rows = Table(
    "legacy_rows",
    metadata,
    number(kind=BigInteger),
    words("legacy_table"),
    Column("legacy_id", BigInteger, nullable=False),
    Column("body", JSONB, nullable=False, comment="the row as it was sent last"),
    Column("checksum", Text, nullable=False, comment="MD5 of each row of that id, in order"),
    Column("local_table", Text, comment="null: it is not here"),
    Column("local_id", BigInteger, comment="its number there; of a bulk row that of its parent"),
    Column("imported", Text, comment="the checksum of what is here"),
    Column("problems", JSONB, comment="why it is not here"),
    moment("gone_at"),
    UniqueConstraint("legacy_table", "legacy_id"),
    Index(
        "ix_legacy_rows_not_here",
        "legacy_table",
        "legacy_id",
        postgresql_where=text("gone_at IS NOT NULL OR local_table IS NULL"),
    ),
    comment="every row of the old service with its key here; nothing that was sent is lost",
)

migration_runs = Table(
    "migration_runs",
    metadata,
    number(),
    Column("state", Text, nullable=False, server_default="planned"),
    Column("dry_run", Boolean, nullable=False, server_default=text("false")),
    Column("only_table", Text, comment="null: all of them"),
    user("requested_by"),
    now("requested_at"),
    moment("started_at"),
    moment("finished_at"),
    words("failure", required=False),
    Column("summary", JSONB, comment="what it came to, table by table"),
    Column("flow_run", UUID(as_uuid=True)),
    Column("report_key", Text, comment="the report in the file store"),
    user("signed_by"),
    moment("signed_at"),
    Column("signed_name", Text, comment="who signed, as they were called then"),
    words("sign_note", required=False),
    one_of("state", MIGRATION_MACHINE.states),
)

migrated_tables = Table(
    "migrated_tables",
    metadata,
    number(),
    Column("run_id", Integer, ForeignKey("migration_runs.id"), nullable=False),
    words("legacy_table"),
    Column("position", Integer, nullable=False),
    Column("state", Text, nullable=False, server_default="planned"),
    Column("since", Text, comment="what the old service was asked for changes since; null: all"),
    Column("watermark", Text, comment="its clock when it was asked"),
    Column("pages", Integer, comment="null until the first was read"),
    count("rows_read"),
    count("new"),
    count("changed"),
    count("gone"),
    count("failed"),
    Column("source_rows", Integer),
    moment("started_at"),
    moment("finished_at"),
    UniqueConstraint("run_id", "legacy_table"),
    one_of("state", TABLE_MACHINE.states),
)

migration_pages = Table(
    "migration_pages",
    metadata,
    Column("table_id", Integer, ForeignKey("migrated_tables.id"), primary_key=True),
    Column("page", Integer, primary_key=True, autoincrement=False),
    now("read_at"),
    comment="pages that a run has read and kept",
)

migration_checks = Table(
    "migration_checks",
    metadata,
    number(kind=BigInteger),
    Column("run_id", Integer, ForeignKey("migration_runs.id"), nullable=False, index=True),
    words("legacy_table"),
    words("provider", required=False),
    Column("month", Date),
    count("source_rows"),
    count("here_rows"),
    count("failed_rows"),
    pence("source_pence"),
    pence("here_pence"),
    pence("failed_pence"),
    Column("same_content", Boolean, nullable=False, comment="whether the checksums are equal"),
    Column("agrees", Boolean, nullable=False),
)

migration_differences = Table(
    "migration_differences",
    metadata,
    number(kind=BigInteger),
    Column("submission_id", Integer, ForeignKey("submissions.id"), nullable=False, index=True),
    Column("legacy_run_id", Integer, ForeignKey("runs.id"), nullable=False),
    words("cause"),
    count("charges"),
    pence("legacy_pence"),
    pence("here_pence"),
    Column("detail", Text, comment="currencies or areas concerned; never of a patient"),
    Column("done_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    comment="charges of the old service against those of our own calculation, by cause",
)
