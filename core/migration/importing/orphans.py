"""Rows whose parent is no longer here: they are read again and wait as orphans."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from core.migration.reading.mapping import Table
from core.migration.reading.staging import reference_of
from core.migration.reading.transforms import literal

_NOT_HERE = "(p.gone_at IS NOT NULL OR p.local_table IS NULL)"
"""The condition of the partial index of ``legacy_rows``, word for word."""


def mark_orphans(connection: Connection, name: str, table: Table) -> None:
    """Marks rows whose parent is no longer here, and all below them, to be read again."""
    lost = [
        f"EXISTS (SELECT FROM legacy_rows p WHERE p.legacy_table = {literal(str(reference.to))} "
        f"AND {_NOT_HERE} AND p.legacy_id = {reference_of(column, reference)})"
        for column, reference in table.references.items()
        if _some_are_not_here(connection, str(reference.to))
    ]
    if not lost:
        return
    own = table.self_reference(name)
    below = (
        "UNION SELECT r.id, r.legacy_id FROM legacy_rows r JOIN lost "
        f"ON {reference_of(*own)} = lost.legacy_id WHERE {_imported(name)}"
        if own
        else ""
    )
    connection.execute(
        sa.text(
            "WITH RECURSIVE lost AS (SELECT r.id, r.legacy_id FROM legacy_rows r "
            f"WHERE {_imported(name)} AND ({' OR '.join(lost)}) {below}) "
            "UPDATE legacy_rows SET imported = NULL FROM lost WHERE legacy_rows.id = lost.id"
        )
    )


def _imported(name: str) -> str:
    return f"r.legacy_table = {literal(name)} AND r.imported = r.checksum AND r.gone_at IS NULL"


def _some_are_not_here(connection: Connection, parent: str) -> bool:
    query = f"SELECT EXISTS (SELECT FROM legacy_rows p WHERE p.legacy_table = :t AND {_NOT_HERE})"
    return bool(connection.execute(sa.text(query), {"t": parent}).scalar_one())
