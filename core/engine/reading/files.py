"""One way to open any activity file, whatever it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from core.engine.dataset.fields import Field
from core.engine.dataset.headings import Heading, Layout, column_letter, match_headings
from core.engine.dataset.problems import NO_ERRORS, errors_table, finding
from core.engine.dataset.specification import Specification
from core.engine.reading.csv_file import open_csv
from core.engine.reading.kinds import kind_of
from core.engine.reading.table_end import TableEnd, blank_rows
from core.engine.reading.transposing import transpose
from core.user_errors import UserError

CHUNK_ROWS = 50_000


class Source(Protocol):
    """A file of some kind, opened: the cells of its first row, and tables of the others."""

    cells: list[str]
    findings: list[dict[str, Any]]  # why the file cannot be read
    ragged: list[dict[str, Any]]  # rows left out of the tables, known once these were read

    def tables(self, wanted: Collection[int], chunk_rows: int) -> Iterator[pa.Table]: ...

    def expected_tables(self, chunk_rows: int) -> int | None: ...

    def close(self) -> None: ...


class Reading(AbstractContextManager["Reading"]):
    """A file opened against a specification.

    ``headings`` are as uploaded, each with the column it is taken for. ``errors`` hold what
    opening found, ``late_errors()`` what reading the rows found. A ``refused`` file has no
    records.
    """

    def __init__(
        self,
        name: str,
        source: Source,
        layout: Layout | None,
        specification: Specification,
        chunk_rows: int,
    ) -> None:
        findings = [*source.findings, *(layout.findings if layout else [])]
        self.name = name
        self.headings: list[Heading] = layout.headings if layout else []
        self.errors = errors_table(findings)
        self.refused = any(found["severity"] == "error" for found in findings)
        self._source, self._layout = source, layout
        self._specification, self._chunk_rows = specification, chunk_rows
        self._late = NO_ERRORS

    def chunks(self) -> Iterator[pa.Table]:
        """Tables of ``row`` (int32) and every column of the standard layout (coded strings).

        Values are as uploaded; null is blank, and so is a column that the file does not have.
        """
        if self.refused or self._layout is None:
            return
        read = _DataRows(self._source, self._layout, self._chunk_rows)
        tables: Iterator[pa.Table] = (
            standard_layout(table, self._layout.columns, self._specification)
            for table in read.tables()
        )
        if self._layout.transposed is not None:
            tables = self._transposed(tables, self._layout.transposed)
        yield from tables
        self._late = errors_table(read.findings())

    def expected_chunks(self) -> int | None:
        """About how many chunks there will be; None where only reading can tell."""
        if self.refused or self._layout is None or self._layout.transposed is not None:
            return None
        return self._source.expected_tables(self._chunk_rows)

    def _transposed(self, tables: Iterator[pa.Table], field: Field) -> Iterator[pa.Table]:
        """The chunks of the whole file, transposed; an episode's rows may lie far apart."""
        whole = list(tables)
        if whole:
            table = transpose(pa.concat_tables(whole), field, self._specification)
            yield from slices(table, self._chunk_rows)

    def numbered_chunks(self, done: Collection[int] = ()) -> Iterator[tuple[int, pa.Table]]:
        """The chunks that hold rows, each with its number; those in ``done`` are left out."""
        for number, chunk in enumerate(self.chunks()):
            if number not in done and chunk.num_rows:
                yield number, chunk

    def file_errors(self) -> pa.Table:
        """What opening the file and reading its rows found; complete once ``chunks`` has ended."""
        return pa.concat_tables([self.errors, self.late_errors()])

    def late_errors(self) -> pa.Table:
        """What was found while the rows were read; complete once ``chunks`` has ended."""
        return self._late

    def close(self) -> None:
        """Lets go of the file."""
        self._source.close()

    def __exit__(self, *_: object) -> None:
        self.close()


def open_file(
    path: Path,
    specification: Specification,
    *,
    name: str | None = None,
    transpose: bool = False,
    chunk_rows: int = CHUNK_ROWS,
    headings: Mapping[str, str | None] | None = None,
) -> Reading:
    """Opens ``path`` by what it contains, not by what it is called.

    ``headings`` says what a heading is taken for where matching alone would not do (None: leave
    the column out). Raises ``UserError`` only where there is no file; whatever is wrong with its
    content is reported in ``Reading.errors``.
    """
    path = Path(path)
    source = open_source(path, specification)
    layout = None
    if not source.findings:
        layout = match_headings(source.cells, specification, transpose=transpose, chosen=headings)
    return Reading(name or path.name, source, layout, specification, chunk_rows)


def open_source(path: Path, specification: Specification) -> Source:
    """The file, opened by its kind."""
    try:
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}") from error
    if not size:
        return Unreadable([finding("empty-file")])
    kind = kind_of(path)
    if isinstance(kind, dict):
        return Unreadable([kind])
    if kind == "text":
        return open_csv(path, specification.known_headings())
    from core.engine.reading.workbook import WorkbookSource

    return WorkbookSource(path)


@dataclass
class Unreadable:
    """A file that is none of the kinds that can be read."""

    findings: list[dict[str, Any]]
    cells: list[str] = dataclasses.field(default_factory=list)
    ragged: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def tables(self, wanted: Collection[int], chunk_rows: int) -> Iterator[pa.Table]:
        """None at all."""
        del wanted, chunk_rows
        return iter(())

    def expected_tables(self, chunk_rows: int) -> int | None:
        """None at all."""
        del chunk_rows
        return 0

    def close(self) -> None:
        """Nothing is open."""


class _DataRows:
    """The rows of the data: up to the first empty one, with what was found on the way."""

    def __init__(self, source: Source, layout: Layout, chunk_rows: int) -> None:
        self._source, self._chunk_rows = source, chunk_rows
        self._nameless = [
            at
            for at, heading in enumerate(layout.headings)
            if layout.columns[at] is None and not heading.heading.strip()
        ]
        self._all = range(len(layout.columns))
        self._end = TableEnd()
        self._filled: set[int] = set()
        self._count = 0

    def tables(self) -> Iterator[pa.Table]:
        for table in self._source.tables(self._all, self._chunk_rows):
            data = self._end.cut(table)
            self._count += data.num_rows
            self._note_nameless(data)
            if data.num_rows:
                yield data
            if self._end.done:
                return

    def findings(self) -> list[dict[str, Any]]:
        found = [
            finding("unknown-column/no-heading", letter=column_letter(at))
            for at in sorted(self._filled)
        ]
        rows = self._end.findings(self._source.ragged)
        found += rows
        if not self._count and not rows:
            found.append(finding("empty-file/heading-alone"))
        return found

    def _note_nameless(self, table: pa.Table) -> None:
        for at in self._nameless:
            if at not in self._filled and not blank_rows(table.select([str(at)])).all():
                self._filled.add(at)


def slices(table: pa.Table, rows: int) -> Iterator[pa.Table]:
    """The table in pieces of ``rows`` rows that share its dictionaries."""
    for start in range(0, table.num_rows, rows):
        yield table.slice(start, rows)


def standard_layout(
    table: pa.Table, columns: list[str | None], specification: Specification
) -> pa.Table:
    """The table with every column of the data set, in its order; those not there are blank."""
    places = {column: str(at) for at, column in enumerate(columns) if column is not None}
    blank = pa.DictionaryArray.from_arrays(
        pa.nulls(table.num_rows, pa.int32()), pa.array([], pa.string())
    )
    cells = {
        column: table[places[column]] if column in places else blank
        for column in specification.columns
    }
    laid_out = pa.table({"row": table["row"], **cells})
    return laid_out.replace_schema_metadata(table.schema.metadata)
