"""A report is collated in parts: a provider's month, or a chunk of it, each on its own.

A part is read once, as columns, and stored as an Arrow file until the workbook is written, so
memory does not grow with the number of charges. A part holds all commissioners that the report
shows: charges are found by their run, and reading a run once for each of a hundred commissioners
would read it a hundred times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import feather
from sqlalchemy import Connection, Row

from core.reports.collating.charge_lines import read_lines, read_sums
from core.reports.collating.merged_records import columns_of, read_episodes, widened
from core.reports.requests import ReportRequest, services_of
from core.submissions.commands.run_inputs import load_run
from core.vocabulary.report_kinds import Facts


@dataclass(frozen=True)
class Part:
    """A part of a report; ``chunk`` is a chunk of the run where episodes are asked for."""

    number: int
    run: Row[Any]  # one of runs_to_show
    chunk: int | None
    service: str = ""  # title of the data set, in a report of several

    @property
    def title(self) -> str:
        chunk = "" if self.chunk is None else f"chunk {self.chunk + 1}"
        parts = (self.run.provider, f"{self.run.month:%Y-%m}", self.service, chunk)
        return " ".join(filter(None, parts))


def plan_parts(
    connection: Connection, request: ReportRequest, runs: Sequence[Row[Any]]
) -> list[Part]:
    """The parts of a report, in the order in which they stand in it."""
    places: list[tuple[Row[Any], int | None]] = []
    for run in runs:
        if "episodes" in request.about.facts:
            places += [(run, chunk) for chunk in range(load_run(connection, run.id).chunks)]
        else:
            places.append((run, None))
    services = services_of(runs)
    return [
        Part(number, run, chunk, services.get(run.dataset, ""))
        for number, (run, chunk) in enumerate(places)
    ]


def collate_part(connection: Connection, request: ReportRequest, part: Part, folder: Path) -> None:
    """Reads the facts of this part and stores them in ``folder``."""
    for facts in sorted(request.about.facts):
        table = _named(_READERS[facts](connection, request, part), part.run)
        table = _of_service(table, part.service)
        feather.write_feather(table, _path(folder, facts, part.number), compression="lz4")


def _lines(connection: Connection, request: ReportRequest, part: Part) -> pa.Table:
    return read_lines(connection, part.run.id, request.commissioners)


def _sums(connection: Connection, request: ReportRequest, part: Part) -> pa.Table:
    return read_sums(connection, part.run.id, request.commissioners)


def _episodes(connection: Connection, request: ReportRequest, part: Part) -> pa.Table:
    run = load_run(connection, part.run.id)
    return read_episodes(connection, run, part.chunk or 0, labels=request.labels)


_READERS = {"lines": _lines, "sums": _sums, "episodes": _episodes}
MONTH, PROVIDER, PROVIDER_NAME = "month", "provider", "provider_name"
CURRENCY = "currency"


def _named(table: pa.Table, run: Row[Any]) -> pa.Table:
    """The table with month, provider and its name as first columns."""
    count = table.num_rows
    month = pa.repeat(pa.scalar(run.month, pa.date32()), count)
    columns = {
        MONTH: month,
        PROVIDER: _same(run.provider, count),
        PROVIDER_NAME: _same(run.provider_name, count),
    }
    return pa.table({**columns, **{name: table[name] for name in table.column_names}})


def _of_service(table: pa.Table, service: str) -> pa.Table:
    """With the currencies told from those of other data sets that have the same code."""
    if not service or CURRENCY not in table.column_names:
        return table
    place = table.column_names.index(CURRENCY)
    codes = table[CURRENCY].combine_chunks()
    told = [currency_of_service(code, service) for code in codes.dictionary.to_pylist()]
    named = pa.DictionaryArray.from_arrays(codes.indices, pa.array(told, pa.string()))
    return table.set_column(place, CURRENCY, named)


def currency_of_service(code: str, service: str) -> str:
    """The code of a currency in a report of several data sets: ``Swimming lessons: T2``."""
    return f"{service}: {code}" if service else code


def _same(text: str, count: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(np.zeros(count, np.int32), [text])


def _path(folder: Path, facts: Facts, number: int) -> str:
    return str(folder / f"{facts}-{number:05}.arrow")


@dataclass(frozen=True)
class Collated:
    """The collated parts of a report."""

    folder: Path
    parts: int

    def sums(self) -> pa.Table:
        """All sums: one row for each month, provider, clinic, currency and commissioner."""
        return pa.concat_tables(self._each("sums")).unify_dictionaries().combine_chunks()

    def lines(self) -> Iterator[pa.Table]:
        """The lines, a part at a time."""
        return self._each("lines")

    def episodes(self) -> Iterator[pa.Table]:
        """The episodes, a part at a time; every part with the same columns."""
        names = columns_of([self._schema("episodes", number) for number in range(self.parts)])
        for table in self._each("episodes"):
            yield widened(table, names)

    def _schema(self, facts: Facts, number: int) -> pa.Schema:
        with pa.memory_map(_path(self.folder, facts, number)) as file:
            return pa.ipc.open_file(file).schema

    def _each(self, facts: Facts) -> Iterator[pa.Table]:
        for number in range(self.parts):
            yield feather.read_table(_path(self.folder, facts, number), memory_map=True)
