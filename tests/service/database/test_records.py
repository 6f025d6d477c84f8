"""The wide table of a data set, and the columns that a new version brings."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
from sqlalchemy import Engine, inspect

from core.database.copying import copy_table, read_copy
from core.database.engine import driver_cursor
from core.database.records import PLACE_COLUMNS, create_records_table, records_table
from core.engine.columns.coded import CODED
from core.engine.dataset.fields import Field
from core.engine.dataset.specification import Specification


def specification(*names: str) -> Specification:
    roles = dict(zip(names, ("clinic", "patient", "date"), strict=False))
    fields = tuple(Field(name=name, role=roles.get(name)) for name in names)  # type: ignore[arg-type]
    return Specification(dataset="blood-tests", version="1", title="Blood", fields=fields)


FIRST = specification("Clinic", "Patient", "Date", 'A "quoted", name')
SECOND = specification("Clinic", "Patient", "Date", 'A "quoted", name', "New")


def columns(database: Engine) -> list[str]:
    return [column["name"] for column in inspect(database).get_columns("records_blood_tests")]


def test_the_table_has_the_place_of_each_record_and_the_standard_layout(database: Engine) -> None:
    with database.begin() as connection:
        assert create_records_table(connection, FIRST) == records_table(FIRST)
    assert columns(database) == [*PLACE_COLUMNS, *FIRST.columns]
    [index] = inspect(database).get_indexes("records_blood_tests")
    assert index["column_names"] == ["file_id", "bucket"]


def test_a_new_version_adds_columns_and_keeps_what_is_there(database: Engine) -> None:
    record = pa.table(
        {
            "file_id": pa.array([1], pa.int32()),
            "chunk": pa.array([0], pa.int32()),
            "bucket": pa.array([7], pa.int16()),
            "row": pa.array([2], pa.int32()),
            "in_error": [False],
            **{name: pa.array([name], CODED) for name in FIRST.columns},
        }
    )
    with database.begin() as connection:
        name = create_records_table(connection, FIRST)
        with driver_cursor(connection) as cursor:
            copy_table(cursor, name, record.column_names, record)
        create_records_table(connection, SECOND)
        create_records_table(connection, FIRST)  # an older version again takes nothing away
        schema = pa.schema([("a", CODED), ("new", CODED)])
        with driver_cursor(connection) as cursor:
            query = f'SELECT "A ""quoted"", name", "New" FROM {name}'
            read = read_copy(cursor, query, None, schema)
    assert read.to_pylist() == [{"a": 'A "quoted", name', "new": None}]


def test_two_files_of_a_new_data_set_may_come_at_once(database: Engine) -> None:
    def make(_number: int) -> None:
        with database.begin() as connection:
            create_records_table(connection, SECOND)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(make, range(8)))
    assert columns(database) == [*PLACE_COLUMNS, *SECOND.columns]
