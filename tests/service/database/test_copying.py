"""Columns come back from PostgreSQL as they went in, whatever is written in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.database.copying import copy_table, read_copy
from core.database.embedded import EmbeddedPostgres
from core.engine.columns.coded import CODED
from core.user_errors import UserError

TEXTS = st.none() | st.sampled_from(["", '"', "\\", "\\.", "\\N", "a,b", "x\ny", "\r\n", "\t", " "])
TEXTS |= st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
SCHEMA = pa.schema(
    [
        ("number", pa.int32()),
        ("small", pa.int16()),
        ("good", pa.bool_()),
        ("day", pa.date32()),
        ("A, b", CODED),
        ('c "d"', CODED),
    ]
)
ROW = st.tuples(
    st.none() | st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**15), 2**15 - 1),
    st.booleans(),
    st.none() | st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)),
    TEXTS,
    TEXTS,
)


@pytest.fixture(scope="module")
def cursor(postgres: EmbeddedPostgres) -> Iterator[psycopg.Cursor[Any]]:
    with (
        psycopg.connect(postgres.url(), autocommit=True) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "CREATE TEMP TABLE written (position serial, number int, small smallint, "
            'good boolean, day date, "A, b" text, "c ""d""" text)'
        )
        cursor.execute('CREATE TEMP TABLE alone ("value" text)')
        yield cursor


def as_table(rows: list[tuple[Any, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(SCHEMA)
    return pa.table(
        [pa.array(column, type=field.type) for column, field in zip(columns, SCHEMA, strict=True)],
        schema=SCHEMA,
    )


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ROW, max_size=12))
def test_every_value_comes_back(cursor: psycopg.Cursor[Any], rows: list[tuple[Any, ...]]) -> None:
    cursor.execute("TRUNCATE written")
    assert copy_table(cursor, "written", SCHEMA.names, as_table(rows)) == len(rows)
    read = read_copy(
        cursor,
        'SELECT number, small, good, day, "A, b", "c ""d""" FROM written WHERE small >= %s '
        "ORDER BY position",
        [-(2**15)],
        SCHEMA,
    )
    assert read.schema == SCHEMA
    assert [tuple(row.values()) for row in read.to_pylist()] == rows


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, max_size=6))
def test_a_single_column_keeps_its_absent_values(
    cursor: psycopg.Cursor[Any], texts: list[str | None]
) -> None:
    cursor.execute("TRUNCATE alone")
    schema = pa.schema([("value", CODED)])
    copy_table(cursor, "alone", ["value"], pa.table([pa.array(texts, type=CODED)], schema=schema))
    read = read_copy(cursor, "SELECT value FROM alone ORDER BY ctid", None, schema)
    assert read["value"].to_pylist() == texts


def test_many_rows_come_back_in_one_piece(cursor: psycopg.Cursor[Any]) -> None:
    count = 120_000
    rows = pa.table({"value": pa.array([f"value {row % 977}" for row in range(count)])})
    cursor.execute("TRUNCATE alone")
    copy_table(cursor, "alone", ["value"], rows)
    read = read_copy(
        cursor, "SELECT value FROM alone ORDER BY ctid", None, pa.schema([("o", CODED)])
    )
    assert read["o"].num_chunks == 1
    assert read["o"].cast(pa.string()).to_pylist() == rows["value"].to_pylist()


def test_nul_is_refused_with_the_table(cursor: psycopg.Cursor[Any]) -> None:
    with (
        cursor.connection.transaction(force_rollback=True),
        pytest.raises(UserError, match="alone"),
    ):
        copy_table(cursor, "alone", ["value"], pa.table({"value": ["a\0b"]}))
