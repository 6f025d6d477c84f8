"""The codes that a run lost by overwriting, and what each would have added to its episode."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import Connection

from core.areas.kept_registers import kept_register
from core.database import tables
from core.database.records import records_table
from core.engine.areas.register import AreaRegister
from core.engine.calculation.stages import calculate
from core.engine.dataset.specification import Specification
from core.submissions.commands.run_inputs import RunInputs, load_run
from core.submissions.queries.charge_list import VisibleRun

SHOWN = 100
"""The number of lost codes that are valued and listed."""

_Key = tuple[str, ...]
_Row = dict[str, Any]
_FIELD, _VALUE, _FILE = " lost field", " lost value", " file"
"""Technical columns beside those of a record; no field may have such a name."""


@dataclass(frozen=True)
class LostCode:
    """A code that a later record of the same episode overwrote."""

    clinic_id: str
    patient_id: str
    attendance_date: dt.date
    field: str
    value: str
    file: str
    row: int
    pence: int  # what the code would have added in an empty slot


def lost_codes(connection: Connection, run: VisibleRun) -> list[LostCode]:
    """The first ``SHOWN`` of the run, by file and row; for its own provider alone."""
    if not run.own:
        return []
    inputs = load_run(connection, run.run_id)
    rows = _overwritten(connection, inputs)
    if not rows:
        return []
    keys = inputs.specification.key_columns
    episodes = _episodes(connection, inputs, sorted({_key(row, keys) for row in rows}))
    codes = [(row[_FIELD], row[_VALUE], episodes[_key(row, keys)]) for row in rows]
    register = kept_register(connection, inputs.register).as_of(run.month)
    worth = worth_of(codes, inputs, register)
    return [_lost_code(row, keys, pence) for row, pence in zip(rows, worth, strict=True)]


def worth_of(
    lost: Sequence[tuple[str, str, Sequence[_Row]]], inputs: RunInputs, register: AreaRegister
) -> list[int]:
    """What each lost code would have added, in pence. A lost code is its column, the code, and the
    records of its episode in order.

    Every episode is calculated twice, unchanged and with the code in an empty slot of its field,
    all in one calculation.
    """
    patient = inputs.specification.key_columns[1]
    rows: list[_Row] = []
    for number, (column, value, episode) in enumerate(lost):
        rows += [{**row, patient: f"as it is {number}"} for row in episode]
        rows += [
            {**row, patient: f"with it {number}"}
            for row in _with_code(column, value, episode, inputs.specification)
        ]
    charges = calculate(_table(rows, inputs.specification), inputs.terms(register)).charges
    pence: dict[str, int] = defaultdict(int)
    for who, amount in zip(
        charges["patient_id"].to_pylist(), charges["amount"].to_pylist(), strict=True
    ):
        pence[who] += amount
    return [pence[f"with it {each}"] - pence[f"as it is {each}"] for each in range(len(lost))]


def _with_code(
    column: str, value: str, episode: Sequence[_Row], specification: Specification
) -> Iterator[_Row]:
    """The episode with the code in an empty slot of its field; unchanged where none is empty."""
    columns = specification.columns[column].columns
    empty = [name for name in columns if all(row[name] is None for row in episode)]
    yield from episode[:-1]
    yield {**episode[-1], **dict.fromkeys(empty[:1], value)}


def _lost_code(row: _Row, keys: Sequence[str], pence: int) -> LostCode:
    clinic, patient, date = _key(row, keys)
    return LostCode(
        clinic_id=clinic,
        patient_id=patient,
        attendance_date=dt.date.fromisoformat(date),
        field=row[_FIELD],
        value=row[_VALUE],
        file=row[_FILE],
        row=row["row"],
        pence=pence,
    )


def _overwritten(connection: Connection, inputs: RunInputs) -> list[_Row]:
    """The lost codes with the keys of their records."""
    lost, files = tables.run_warnings, tables.files
    records = _records(inputs.specification)
    query = (
        sa.select(
            lost.c.field.label(_FIELD),
            lost.c.value.label(_VALUE),
            files.c.name.label(_FILE),
            records.c.row,
            *(records.c[name] for name in inputs.specification.key_columns),
        )
        .join(records, sa.and_(records.c.file_id == lost.c.file_id, records.c.row == lost.c.row))
        .join(files, files.c.id == lost.c.file_id)
        .where(lost.c.run_id == inputs.run_id, lost.c.code == "code-overwritten")
        .order_by(lost.c.file_id, lost.c.row, lost.c.field)
        .limit(SHOWN)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _episodes(
    connection: Connection, inputs: RunInputs, keys: Sequence[_Key]
) -> dict[_Key, list[_Row]]:
    """The records of episodes, in order of upload and row."""
    records, names = _records(inputs.specification), inputs.specification.key_columns
    query = sa.select(records).where(
        records.c.file_id.in_(inputs.files),
        sa.tuple_(*(records.c[name] for name in names)).in_(keys),
    )
    order = {file: place for place, file in enumerate(inputs.files)}
    by_episode: dict[_Key, list[_Row]] = defaultdict(list)
    for row in connection.execute(query).mappings():
        by_episode[_key(row, names)].append({**row, "file": order[row["file_id"]]})
    return {key: sorted(rows, key=_place) for key, rows in by_episode.items()}


def _place(row: _Row) -> tuple[int, int]:
    return row["file"], row["row"]


def _table(rows: Sequence[_Row], specification: Specification) -> pa.Table:
    cells = {
        name: pa.array([row[name] for row in rows], pa.string()) for name in specification.columns
    }
    numbers = {name: pa.array([row[name] for row in rows], pa.int32()) for name in ("file", "row")}
    return pa.table(numbers | cells)


def _records(specification: Specification) -> sa.TableClause:
    names = ("file_id", "row", *specification.columns)
    return sa.table(records_table(specification), *(sa.column(name) for name in names))


def _key(row: Any, names: Sequence[str]) -> _Key:
    return tuple(str(row[name]) for name in names)
