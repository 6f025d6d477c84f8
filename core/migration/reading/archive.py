"""The rows of the old service as they were sent, and how they compare with what it has now.

A row's checksum is the MD5 of its text as PostgreSQL writes jsonb; where an id occurs several
times, the checksums of all its rows are joined in order. All of it works on whole pages in SQL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

BLOCK = 1000
"""The size of the blocks in which ids are compared: 0 to 999, 1000 to 1999 and so on."""

_NOT_STORABLE = re.compile(
    r"(?<!\\)((?:\\\\)*)(?:\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|"
    r"(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]..)"
)

_SENT = """
    sent AS (
        SELECT item, page, place, md5(item::text) AS checksum,
            CASE WHEN jsonb_typeof(item -> 'id') = 'number'
                AND item ->> 'id' ~ '^[1-9][0-9]{0,17}$' THEN CAST(item ->> 'id' AS bigint)
            ELSE -1 - CAST(CAST('x' || left(md5(item::text), 15) AS bit(60)) AS bigint) END AS id
        FROM unnest(CAST(:pages AS text[])) WITH ORDINALITY AS pages (body, page),
            jsonb_array_elements(CAST(body AS jsonb) -> 'items') WITH ORDINALITY AS e (item, place)
    )
"""
_KEEP = sa.text(f"""
    WITH {_SENT},
    each AS (
        SELECT id, (array_agg(item ORDER BY page, place))[1] AS body,
            string_agg(checksum, '' ORDER BY checksum) AS checksum
        FROM sent GROUP BY id ORDER BY id
    )
    INSERT INTO legacy_rows AS kept (legacy_table, legacy_id, body, checksum)
    SELECT :table, id, body, checksum FROM each
    ON CONFLICT (legacy_table, legacy_id) DO UPDATE
        SET body = excluded.body, checksum = excluded.checksum, gone_at = NULL
        WHERE kept.checksum <> excluded.checksum OR kept.gone_at IS NOT NULL
    RETURNING xmax = 0 AS new
""")
_GONE = sa.text(f"""
    WITH {_SENT}
    UPDATE legacy_rows SET gone_at = now()
    WHERE legacy_table = :table AND gone_at IS NULL
        AND legacy_id BETWEEN :first AND :last AND legacy_id NOT IN (SELECT id FROM sent)
""")
_BLOCKS = sa.text("""
    SELECT legacy_id / :size AS block, sum(length(checksum)) / 32 AS rows,
        md5(string_agg(checksum, '' ORDER BY legacy_id)) AS checksum
    FROM legacy_rows WHERE legacy_table = :table AND gone_at IS NULL AND legacy_id > 0
    GROUP BY 1
""")


@dataclass(frozen=True)
class PageChanges:
    """The counts of rows on pages that are new, that changed, and that are gone."""

    new: int = 0
    changed: int = 0
    gone: int = 0


def store_pages(connection: Connection, table: str, pages: Sequence[str]) -> PageChanges:
    """Stores the rows of pages, given as JSON text; unchanged rows are not written again."""
    parameters = {"table": table, "pages": [_storable(page) for page in pages]}
    is_new = list(connection.execute(_KEEP, parameters).scalars())
    return PageChanges(new=sum(is_new), changed=len(is_new) - sum(is_new))


def store_block(
    connection: Connection, table: str, block: int, pages: Sequence[str]
) -> PageChanges:
    """Stores all pages of a block of ids; rows that they lack are gone from the old service."""
    stored = store_pages(connection, table, pages)
    first = block * BLOCK
    parameters = {
        "table": table,
        "pages": [_storable(page) for page in pages],
        "first": first,
        "last": first + BLOCK - 1,
    }
    return PageChanges(stored.new, stored.changed, connection.execute(_GONE, parameters).rowcount)


def differing_blocks(
    connection: Connection, table: str, blocks: Sequence[Mapping[str, Any]]
) -> list[int]:
    """The blocks of ids whose rows differ from those of the old service, ascending."""
    rows = connection.execute(_BLOCKS, {"table": table, "size": BLOCK})
    checksums_here = {int(row.block): row.checksum for row in rows}
    checksums_there = {int(block["block"]): block["checksum"] for block in blocks}
    return sorted(
        block
        for block in checksums_here.keys() | checksums_there.keys()
        if checksums_here.get(block) != checksums_there.get(block)
    )


def _storable(page: str) -> str:
    """The page without what PostgreSQL cannot store: NUL, and unpaired surrogates."""
    if "\\u" not in page:
        return page
    return _NOT_STORABLE.sub(lambda match: f"{match[1]}\\ufffd", page)
