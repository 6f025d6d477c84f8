"""What the old service sent, row by row as it was sent, and how it compares with what it has now.

A row's checksum is the MD5 of its text as PostgreSQL writes jsonb; where an id stands in the table
several times it is all of theirs, in order. Everything here works on whole pages in SQL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

BLOCK = 1000
"""Ids are compared in blocks of so many: 0 to 999, 1000 to 1999 and so on."""

_UNKEEPABLE = re.compile(
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
class Kept:
    """What pages brought: rows never seen, rows that differ from before, rows no longer there."""

    new: int = 0
    changed: int = 0
    gone: int = 0


def keep_pages(connection: Connection, table: str, pages: Sequence[str]) -> Kept:
    """Keeps the rows of pages, given as the JSON that was sent; those that are as kept stay."""
    given = {"table": table, "pages": [_keepable(page) for page in pages]}
    found = list(connection.execute(_KEEP, given).scalars())
    return Kept(new=sum(found), changed=len(found) - sum(found))


def keep_block(connection: Connection, table: str, block: int, pages: Sequence[str]) -> Kept:
    """The same for all pages of a block of ids; what they lack is gone from the old service."""
    kept = keep_pages(connection, table, pages)
    first = block * BLOCK
    given = {
        "table": table,
        "pages": [_keepable(page) for page in pages],
        "first": first,
        "last": first + BLOCK - 1,
    }
    return Kept(kept.new, kept.changed, connection.execute(_GONE, given).rowcount)


def differing_blocks(
    connection: Connection, table: str, theirs: Sequence[Mapping[str, Any]]
) -> list[int]:
    """The blocks of ids whose rows are not those of the old service."""
    found = connection.execute(_BLOCKS, {"table": table, "size": BLOCK})
    ours = {int(row.block): row.checksum for row in found}
    wanted = {int(each["block"]): each["checksum"] for each in theirs}
    return sorted(
        block for block in ours.keys() | wanted.keys() if ours.get(block) != wanted.get(block)
    )


def _keepable(page: str) -> str:
    """The page without what PostgreSQL cannot hold: NUL, and halves of characters."""
    if "\\u" not in page:
        return page
    return _UNKEEPABLE.sub(lambda found: f"{found[1]}\\ufffd", page)
