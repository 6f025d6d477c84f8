"""The database refuses what the declarations do not allow, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, Table, insert, select
from sqlalchemy.exc import IntegrityError

from core.database import tables
from core.database.tables.columns import metadata
from core.vocabulary.process import Machine
from core.vocabulary.state_machines import MACHINES
from tests.service.month import way

WITH_TABLES = [machine for machine in MACHINES if machine.table]
each_machine = pytest.mark.parametrize("machine", WITH_TABLES, ids=lambda machine: machine.name)
ROWS: dict[str, dict[str, Any]] = {
    "submissions": {"provider_id": 1, "month": date(2017, 4, 1)},
    "files": {
        "submission_id": 1, "position": 1, "name": "n", "storage_key": "k", "size": 1, "sha256": "",
    },
    "runs": {"submission_id": 1, "number": 1, "kind": "draft"},
    "reports": {"kind": "backing-data"},
    "failures": {
        "reference": "R", "kind": "run", "work": "w", "subject": "s", "title": "t", "reason": "r",
    },
    "notification_deliveries": {"notification_id": 1, "channel": "e-mail"},
    "kpis": {"kpi": "a-share", "version": 1, "dataset": "d", "body": {}},
    "spider_runs": {"source": "sparql"},
    "subscriptions": {
        "kind": "operator", "user_id": 1, "price": 0,
        "quoted_on": date(2017, 4, 1), "first_day": date(2017, 4, 1),
    },
    "migration_runs": {"dry_run": False},
    "migrated_tables": {"run_id": 1_000, "legacy_table": "clinics", "position": 1},
}  # fmt: skip


@pytest.fixture
def connection(database: Engine) -> Iterator[Connection]:
    """In a transaction, with a provider and its month for files and runs to belong to."""
    with database.connect() as connection:
        provider = {"kind": "provider", "code": "ZX1", "name": "Z"}
        connection.execute(insert(tables.organisations).values(provider))
        connection.execute(insert(tables.submissions).values(ROWS["submissions"]))
        _tell_somebody(connection)
        connection.execute(insert(tables.migration_runs).values(id=1_000))
        yield connection


def _tell_somebody(connection: Connection) -> None:
    """A notification, for deliveries to belong to."""
    event = {"event_id": uuid4(), "name": "report.ready", "subject": "report/1", "payload": {}}
    connection.execute(insert(tables.users).values(id=1, subject="pat", name="Pat"))
    connection.execute(insert(tables.events).values(event))
    told = {"topic": "reports", "title": "t", "text": "t", "address": "a", "in_portal": True}
    values = {"user_id": 1, "event_id": event["event_id"], **told}
    connection.execute(insert(tables.notifications).values(values))


def table_of(machine: Machine) -> Table:
    return metadata.tables[str(machine.table)]


def made(connection: Connection, machine: Machine) -> int:
    """A new row; the month is there already."""
    if machine.table == "submissions":
        return connection.execute(select(tables.submissions.c.id)).scalar_one()
    values = insert(table_of(machine)).values(ROWS[str(machine.table)])
    return int(connection.execute(values.returning(table_of(machine).c.id)).scalar_one())


@contextmanager
def undone(connection: Connection) -> Iterator[None]:
    with connection.begin_nested() as nested:
        yield
        nested.rollback()


def allows(connection: Connection, machine: Machine, row: int, target: str) -> bool:
    table = table_of(machine)
    try:
        with undone(connection):
            connection.execute(table.update().where(table.c.id == row).values(state=target))
    except IntegrityError as refused:
        assert "cannot go from" in str(refused)
        return False
    return True


@each_machine
def test_the_database_allows_exactly_the_declared_transitions(
    connection: Connection, machine: Machine
) -> None:
    row = made(connection, machine)
    table = table_of(machine)
    for state in machine.states:
        with undone(connection):
            for step in way(machine.follows, machine.first, state):
                connection.execute(table.update().where(table.c.id == row).values(state=step))
            allowed = {to for to in machine.states if allows(connection, machine, row, to)}
            assert allowed == machine.follows[state], f"from {state}"


@each_machine
def test_rows_begin_in_the_first_state(connection: Connection, machine: Machine) -> None:
    table = table_of(machine)
    connection.execute(tables.submissions.delete().where(table.name == "submissions"))
    with undone(connection):
        connection.execute(insert(table).values(ROWS[table.name]))
    for state in set(machine.states) - {machine.first}:
        with pytest.raises(IntegrityError, match=f"must be {machine.first}"), undone(connection):
            connection.execute(insert(table).values(**ROWS[table.name], state=state))


@each_machine
def test_other_columns_change_in_any_state(connection: Connection, machine: Machine) -> None:
    row = made(connection, machine)
    table = table_of(machine)
    same = {column: table.c[column] for column in ROWS[table.name]}
    assert connection.execute(table.update().where(table.c.id == row).values(same)).rowcount == 1
