"""Checks a whole file offline: opens it, checks chunk by chunk, collects the findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.engine.calculation.accounting import rows_in_words
from core.engine.columns.coded import CODED
from core.engine.dataset.field_rules import References
from core.engine.dataset.problems import NO_ERRORS, errors_table
from core.engine.dataset.record_checks import Checked, check_chunk
from core.engine.dataset.specification import Specification
from core.engine.offline.kept_findings import KeptFindings
from core.engine.reading import Heading, Reading, open_file
from core.engine.reading.files import RowCounts
from core.engine.reading.refusal import RefusedError

__all__ = ["Checked", "FileCheck", "References", "check_chunk", "check_file"]

CHUNK_ROWS = 100_000
AHEAD = 2
"""Chunks checked at once: Arrow and numpy leave the interpreter free for each other."""


ROW_COUNTS = ("rows_in_file", "rows_read", "rows_in_error", "rows_left_out")
"""The first is the sum of the others."""


@dataclass(frozen=True)
class FileCheck:
    """A file, checked. ``errors``: ``ERRORS_SCHEMA``, findings on the file first, then by row."""

    name: str
    headings: list[Heading]
    layout: str | None
    refused: bool
    errors: pa.Table
    record_count: int
    counts: RowCounts | None
    records_in_error: int
    _chunks: list[pa.Table] = field(repr=False)
    _specification: Specification = field(repr=False)

    @property
    def error_count(self) -> int:
        """Findings that are errors."""
        return _count_of(self.errors["severity"], "error")

    @property
    def warning_count(self) -> int:
        """Findings that are warnings."""
        return _count_of(self.errors["severity"], "warning")

    @cached_property
    def row_count(self) -> int:
        """Rows of the data, with those that could not become records."""
        return self.record_count + _count_of(self.errors["code"], "ragged-row")

    @property
    def rows(self) -> dict[str, int | None]:
        """The counts of the file's rows by name; None where nobody can count them."""
        if self.counts is None:
            return dict.fromkeys(ROW_COUNTS)
        in_error = self.records_in_error + self.counts.in_error
        read = self.record_count - self.records_in_error
        counts = (self.counts.there, read, in_error, self.counts.left_out)
        return dict(zip(ROW_COUNTS, counts, strict=True))

    @property
    def rows_in_words(self) -> str | None:
        """The same as a sentence."""
        numbers = [number for number in self.rows.values() if number is not None]
        return rows_in_words(*numbers) if numbers else None

    @property
    def chunked_records(self) -> pa.Table:
        """As ``records``, in the chunks that were checked, each with dictionaries of its own."""
        if not self._chunks:
            return pa.table(_no_records(self._specification))
        return pa.concat_tables(self._chunks)

    @cached_property
    def records(self) -> pa.Table:
        """All records as ``Checked.records`` has them, one dictionary a column."""
        if not self._chunks:
            return pa.table(_no_records(self._specification))
        return pa.concat_tables(self._chunks).unify_dictionaries().combine_chunks()


def check_file(
    path: Path,
    specification: Specification,
    references: References,
    *,
    transpose: bool = False,
    name: str | None = None,
    headings: Mapping[str, str | None] | None = None,
    heading_row: int | None = None,
    sheet: str | None = None,
    keep_records: bool = True,
) -> FileCheck:
    """Reads and checks ``path``; ``keep_records=False`` forgets records that were checked.

    ``sheet`` is the sheet of a workbook that is read, None for the first visible one. Raises
    ``UserError`` only where there is no file or no such sheet: what is wrong with its content is in
    ``errors``. Of a file that turns out to be broken further down no records are kept.
    """
    with open_file(
        path,
        specification,
        name=name,
        transpose=transpose,
        chunk_rows=CHUNK_ROWS,
        headings=headings,
        heading_row=heading_row,
        sheet=sheet,
    ) as reading:
        records: list[pa.Table] = []
        kept = KeptFindings()
        count = in_error = 0
        too_many = NO_ERRORS
        try:
            for checked in _checked(reading, specification, references):
                count += checked.records.num_rows
                in_error += int(pc.sum(checked.records["in_error"]).as_py() or 0)
                kept.add(checked.errors)
                if keep_records:
                    records.append(checked.records)
        except RefusedError as stopped:
            too_many = errors_table([stopped.finding])
        of_file = pa.concat_tables([too_many, reading.file_errors()])
        findings = _in_order(of_file, kept)
        refused = reading.refused or bool(too_many.num_rows)
        if refused:
            records, count, in_error = [], 0, 0
        return FileCheck(
            name=reading.name,
            headings=reading.headings,
            layout=reading.layout_name,
            refused=refused,
            errors=findings,
            record_count=count,
            counts=None if too_many.num_rows else reading.counts,
            records_in_error=in_error,
            _chunks=records,
            _specification=specification,
        )


def _checked(
    reading: Reading, specification: Specification, references: References
) -> Iterator[Checked]:
    """Checks chunks while the next ones are read; in order, and never many ahead."""
    with ThreadPoolExecutor(max_workers=AHEAD) as pool:
        yield from _in_turn(
            pool.submit(check_chunk, chunk, specification, references)
            for _, chunk in reading.numbered_chunks()
        )


def _in_turn(started: Iterable[Future[Checked]]) -> Iterator[Checked]:
    waiting: list[Future[Checked]] = []
    started = iter(started)
    while True:
        waiting.extend(islice(started, AHEAD + 1 - len(waiting)))
        if not waiting:
            return
        yield waiting.pop(0).result()


def _in_order(of_file: pa.Table, kept: KeptFindings) -> pa.Table:
    """By row, findings on the whole file first; in a row, as they were found.

    The findings of chunks are in order already, and may be millions: they are moved only if
    findings of the file itself belong between them, and all of them are in memory.
    """
    of_rows = kept.all()
    if kept.spilled or not of_file["row"].is_valid().to_numpy().any():
        return pa.concat_tables([of_file, *of_rows])
    table = pa.concat_tables([of_file, *of_rows])
    rows = np.asarray(pc.fill_null(table["row"], 0))
    return table.take(pa.array(np.argsort(rows, kind="stable")))


def _count_of(column: pa.ChunkedArray, value: str) -> int:
    return int(pc.sum(pc.equal(column, value)).as_py() or 0)


def _no_records(specification: Specification) -> dict[str, pa.Array]:
    columns = {column: pa.array([], CODED) for column in specification.columns}
    return {"row": pa.array([], pa.int32()), "in_error": pa.array([], pa.bool_()), **columns}
