"""Runs migrations on the connection of ``migrate``, within its transaction."""

from __future__ import annotations

from alembic import context

import core.database.tables  # noqa: F401 (fills the metadata)
from core.database.tables.columns import metadata

RECORDS = "records_"


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """The tables of records are made from specifications, not by migrations."""
    return not (kind == "table" and name is not None and name.startswith(RECORDS))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_name=_is_ours,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
