"""Rows and their keys, whatever pages they come in: once each, with the same key for ever."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from core.migration.importing.importing import import_table
from core.migration.reading.archive import BLOCK, differing_blocks, store_block, store_pages
from core.migration.reading.mapping import shipped_mapping
from tests.legacy_server import canonical, checksum

TABLE = "organisations"
LISTS: dict[str, object] = {"authorities": [], "fields": []}
RELAXED = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
ids = st.integers(1, 40)


@st.composite
def organisations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows with parents among them, in chains and loops; some are wrong or stand there twice."""
    found = []
    for number in draw(st.lists(ids, max_size=15)):
        found.append(
            {
                "id": number,
                "kind": draw(st.sampled_from(["PROVIDER", "COMMISSIONER", "OTHER"])),
                "code": draw(st.sampled_from([f"C{number}", "C1", ""])),
                "name": draw(texts),
                "partOfId": draw(st.none() | ids),
            }
        )
    return found


def pages_of(rows: list[dict[str, Any]], size: int) -> list[str]:
    return [
        json.dumps({"items": rows[start : start + size]}, ensure_ascii=bool(start % 2))
        for start in range(0, len(rows), size)
    ]


def state(connection: Connection) -> list[Any]:
    """All that a migration leaves of organisations."""
    rows = "SELECT legacy_id, checksum, local_id, imported, problems FROM legacy_rows"
    here = "SELECT id, kind, code, name, part_of_id FROM organisations"
    return [sorted(map(str, connection.execute(sa.text(query)).all())) for query in (rows, here)]


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "page by page"])
@RELAXED
@given(rows=organisations(), size=st.integers(1, 6))
def test_what_is_kept_is_what_was_sent(
    database: Engine, rows: list[dict[str, Any]], size: int, *, whole: bool
) -> None:
    """A block that was read whole is as the old service has it, rows that stand there twice too."""
    with database.connect() as connection, connection.begin() as transaction:
        if not whole:
            for page in pages_of(rows, size):
                store_pages(connection, TABLE, [page])
        store_block(connection, TABLE, 0, pages_of(rows, size))
        clean = [json.loads(canonical(row)) for row in rows]
        sums = sorted((row["id"], checksum([canonical(row)])) for row in clean)
        theirs = [{"block": 0, "checksum": checksum([each for _, each in sums])}] if rows else []
        assert all(row["id"] < BLOCK for row in rows)
        assert differing_blocks(connection, TABLE, theirs) == []
        transaction.rollback()


def provider(number: int, code: str) -> dict[str, Any]:
    return {"id": number, "kind": "PROVIDER", "code": code, "name": "x", "partOfId": None}


@RELAXED
@example(first=[provider(2, "C1")], then=[provider(2, "C2"), provider(3, "C1")], size=1)
@example(
    first=[provider(2, "C1"), provider(3, "C2")],
    then=[provider(2, "C2"), provider(3, "C3"), provider(4, "C1")],
    size=1,
)
@given(first=organisations(), then=organisations(), size=st.integers(1, 6))
def test_importing_again_changes_nothing_and_keys_stay(
    database: Engine, first: list[dict[str, Any]], then: list[dict[str, Any]], size: int
) -> None:
    table = shipped_mapping().tables[TABLE]
    with database.connect() as connection, connection.begin() as transaction:
        keys: dict[int, int] = {}
        for rows in (first, then):
            store_block(connection, TABLE, 0, pages_of(rows, size))
            import_table(connection, TABLE, table, LISTS)
            before = state(connection)
            again = import_table(connection, TABLE, table, LISTS)
            assert (again.new, again.changed, again.gone) == (0, 0, 0)
            assert state(connection) == before
            found = dict(
                map(
                    tuple,
                    connection.execute(
                        sa.text("SELECT legacy_id, local_id FROM legacy_rows WHERE local_id > 0")
                    ),
                )
            )
            assert len(set(found.values())) == len(found), "two rows have one key"
            assert all(found.get(number, key) == key for number, key in keys.items())
            keys |= found
            _everything_is_here_or_has_a_reason(connection)
        transaction.rollback()


def _everything_is_here_or_has_a_reason(connection: Connection) -> None:
    lost = connection.execute(
        sa.text(
            "SELECT count(*) FROM legacy_rows r LEFT JOIN organisations o ON o.id = r.local_id "
            "WHERE r.gone_at IS NULL AND r.problems IS NULL "
            "AND (o.id IS NULL OR o.code IS DISTINCT FROM btrim(r.body ->> 'code'))"
        )
    )
    assert lost.scalar_one() == 0
