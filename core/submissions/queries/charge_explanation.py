"""The explanation of a charge: its records, the origin of each value, the factor, the payer, and
the codes that were overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import Connection

from core.areas.kept_registers import kept_register
from core.database import tables
from core.database.records import records_table
from core.engine.areas.register import AreaRegister
from core.engine.calculation.buckets import bucket_of
from core.engine.calculation.groups import GroupRows
from core.engine.calculation.stages import calculate
from core.engine.dataset.specification import Specification
from core.engine.tariff.configuration import Configuration
from core.submissions.commands.run_inputs import RunInputs, load_run
from core.submissions.queries.charge_list import ChargeLine, VisibleRun
from core.submissions.queries.lost_codes import worth_of

FACTORS = {
    "provider": "The market forces factor of {name}.",
    "host": "The geo-weighting of {name}, which hosts the clinic.",
    "none": "No factor is given for the provider or for the clinic's host, so 1.",
}
PAYERS = {
    "resident": "{payer} pays, because the patient lives there.",
    "host": "{payer} pays, because it hosts the clinic: {because}.",
    "none": "Nobody pays.",
}
HOST_PAYS = {
    "none": "the tariff charges {currency} to the host, wherever the patient lives",
    "else": "where the patient lives is not known",
}


@dataclass(frozen=True)
class SourceRow:
    """A record of the episode: the file, its spreadsheet row, and its filled cells."""

    file: str
    row: int
    cells: dict[str, str]


@dataclass(frozen=True)
class MergedValue:
    """A value of the episode, and the record that it came from."""

    column: str
    value: str
    file: str
    row: int


@dataclass(frozen=True)
class OverwrittenCode:
    """A code that a later record overwrote, and what it would have added to the episode."""

    column: str
    value: str
    by: str
    file: str
    row: int
    pence: int


@dataclass(frozen=True)
class Explanation:
    """The explanation of a charge."""

    tariff: str
    factor: str
    payer: str
    records: tuple[SourceRow, ...]
    merged: tuple[MergedValue, ...]
    lost: tuple[OverwrittenCode, ...]
    specification: Specification  # of the run


def explain(connection: Connection, run: VisibleRun, line: ChargeLine) -> Explanation:
    """Explains ``line`` of ``run``; records are shown to its own provider alone."""
    inputs = load_run(connection, run.run_id)
    register = kept_register(connection, inputs.register).as_of(run.month)
    facts = (
        tariff_words(inputs),
        factor_words(inputs, line, register),
        payer_words(inputs.configuration, line, register),
    )
    if not run.own:
        return Explanation(*facts, (), (), (), inputs.specification)
    records = _records(connection, inputs, line)
    names = _file_names(connection, inputs.files)
    return Explanation(
        *facts,
        tuple(_source_rows(records, names)),
        tuple(_merged(records, inputs, names, register)),
        tuple(_lost(records, inputs, names, register)),
        inputs.specification,
    )


def tariff_words(inputs: RunInputs) -> str:
    """The tariff that priced the charge, with its revision where it is not the first."""
    title = inputs.configuration.title or inputs.configuration.configuration
    return f"{title}, revision {inputs.revision}" if inputs.revision > 1 else title


def factor_words(inputs: RunInputs, line: ChargeLine, register: AreaRegister) -> str:
    """The sentence on the origin of the factor (docs/formats.md, rule 7)."""
    configuration = inputs.configuration
    host = inputs.terms(register).placed.authorities.get(line.clinic_id, "")
    if configuration.providers[inputs.submission.provider].factor is not None:
        return FACTORS["provider"].format(name=inputs.submission.provider_name)
    member = configuration.commissioners.get(host)
    if member is not None and member.geo_weighting is not None:
        return FACTORS["host"].format(name=register.names.get(host, host))
    return FACTORS["none"]


def payer_words(configuration: Configuration, line: ChargeLine, register: AreaRegister) -> str:
    """The sentence on who pays, and by which rule (docs/formats.md, rule 8)."""
    kinds = {currency.code: currency.cross_charge for currency in configuration.currencies}
    always = kinds.get(line.currency) == "none"
    because = HOST_PAYS["none" if always else "else"].format(currency=line.currency)
    payer = register.names.get(line.commissioner or "", line.commissioner or "")
    return PAYERS[line.basis].format(payer=payer, because=because)


def _records(connection: Connection, inputs: RunInputs, line: ChargeLine) -> pa.Table:
    """The records of the episode in order of upload and row, with ``file`` and ``row``."""
    key = (line.clinic_id, line.patient_id, line.attendance_date.isoformat())
    names = inputs.specification.key_columns
    columns = list(inputs.specification.columns)
    bucket = int(
        bucket_of(pa.table([[part] for part in key], list(names)), inputs.specification)[0]
    )
    table = sa.table(
        records_table(inputs.specification),
        *(sa.column(name) for name in ("file_id", "row", "bucket", *columns)),
    )
    query = sa.select(table.c.file_id, table.c.row, *(table.c[name] for name in columns)).where(
        table.c.file_id.in_(inputs.files),
        table.c.bucket == bucket,
        *(table.c[name] == part for name, part in zip(names, key, strict=True)),
    )
    rows = sorted(
        connection.execute(query).all(), key=lambda row: (inputs.files.index(row[0]), row[1])
    )
    cells = {
        name: pa.array([row[place] for row in rows], pa.string())
        for place, name in enumerate(columns, start=2)
    }
    numbers = {
        "file": pa.array([inputs.files.index(row[0]) for row in rows], pa.int32()),
        "row": pa.array([row[1] for row in rows], pa.int32()),
    }
    return pa.table(numbers | cells)


def _file_names(connection: Connection, files: tuple[int, ...]) -> list[str]:
    query = sa.select(tables.files.c.id, tables.files.c.name).where(tables.files.c.id.in_(files))
    names_by_id = {row.id: row.name for row in connection.execute(query)}
    return [names_by_id.get(file, "") for file in files]


def _source_rows(records: pa.Table, names: list[str]) -> list[SourceRow]:
    return [
        SourceRow(
            names[row.pop("file")],
            row.pop("row"),
            {column: value for column, value in row.items() if value is not None},
        )
        for row in records.to_pylist()
    ]


def _merged(
    records: pa.Table, inputs: RunInputs, names: list[str], register: AreaRegister
) -> list[MergedValue]:
    """The values of the episode, each with the latest record that holds it."""
    if not records.num_rows:
        return []
    merged = calculate(records, inputs.terms(register)).merged
    episode = merged.episodes.to_pylist()[0]
    rows = records.to_pylist()
    values = []
    for column, value in episode.items():
        if column == "records" or value is None:
            continue
        field = inputs.specification.columns.get(column)
        places = field.columns if field is not None else (column,)
        last = next(
            (row for row in reversed(rows) if row.get(column) == value),
            next((row for row in rows if value in (row.get(place) for place in places)), rows[-1]),
        )
        values.append(MergedValue(column, value, names[last["file"]], last["row"]))
    for group in merged.groups.values():
        values += _of_group(group, rows, names)
    return values


def _of_group(
    group: GroupRows, rows: list[dict[str, Any]], names: list[str]
) -> Iterator[MergedValue]:
    """What the records hold of a group, record by record, so that what belongs together shows."""
    columns = {name: cells.to_array().to_pylist() for name, cells in group.columns.items()}
    for place, record in enumerate(group.record.tolist()):
        row = rows[record]
        for name, cells in columns.items():
            if cells[place] is not None:
                yield MergedValue(name, cells[place], names[row["file"]], row["row"])


def _lost(
    records: pa.Table, inputs: RunInputs, names: list[str], register: AreaRegister
) -> list[OverwrittenCode]:
    if records.num_rows < 2:
        return []
    lost = calculate(records, inputs.terms(register)).merged.overwritten.to_pylist()
    if not lost:
        return []
    episode = records.to_pylist()
    codes = [(code["field"], code["value"], episode) for code in lost]
    return [
        OverwrittenCode(
            code["field"], code["value"], code["by"], names[code["file"]], code["row"], pence
        )
        for code, pence in zip(lost, worth_of(codes, inputs, register), strict=True)
    ]
