"""Opens an activity file of any kind."""

from __future__ import annotations

import dataclasses
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from core.engine.columns.as_read import text_as_read
from core.engine.dataset.fields import Field
from core.engine.dataset.headings import Heading, Layout, column_letter, match_headings
from core.engine.dataset.layouts import with_layout
from core.engine.dataset.notes_in_cells import is_note
from core.engine.dataset.problems import NO_ERRORS, errors_table, finding
from core.engine.dataset.specification import Specification
from core.engine.reading.csv_file import open_csv
from core.engine.reading.joined import Seams
from core.engine.reading.kinds import kind_of
from core.engine.reading.same_to_people import SameToPeople
from core.engine.reading.table_end import TableEnd, blank_rows
from core.engine.reading.transposing import transpose
from core.user_errors import UserError

CHUNK_ROWS = 50_000


ELSEWHERE = "headings-elsewhere"
OF_HEADINGS = {"missing-column", "duplicate-column", ELSEWHERE}
OF_SHEETS = ("data-on-another-sheet", "sheet-not-read")
"""Findings about other sheets, which do not prevent reading the chosen one."""


class Source(Protocol):
    """A file of some kind, opened: its first rows, and tables of those below the headings.

    ``heading_row`` may be set to another of the first rows before tables are asked for.
    """

    findings: list[dict[str, Any]]  # why the file cannot be read
    ragged: list[dict[str, Any]]  # rows left out of the tables, known once these were read
    heading_row: int
    ragged_cells: dict[int, list[str]] | None  # of ragged rows, for who sets it to a dictionary
    sheets: list[str]  # the names of those that a person sees, of a workbook
    rows_there: int  # rows below the headings, counted apart from the tables

    @property
    def beyond(self) -> Collection[int]: ...  # columns right of ``cells`` that hold something

    @property
    def head(self) -> list[list[str]]: ...

    @property
    def cells(self) -> list[str]: ...

    def tables(self, positions: Collection[int], chunk_rows: int) -> Iterator[pa.Table]: ...

    def expected_tables(self, chunk_rows: int) -> int | None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class RowCounts:
    """The numbers of rows below the headings of a file, blank ones aside, by what became of them.

    ``there`` is counted apart from the others, as line ends or by the sheet: it must be their sum.
    """

    there: int = 0
    records: int = 0
    in_error: int = 0  # could be no records
    left_out: int = 0  # headings again, and what stands below the end of the table

    @property
    def accounted(self) -> int:
        """The sum of the other counts."""
        return self.records + self.in_error + self.left_out

    @property
    def complete(self) -> bool:
        """Whether no row was lost."""
        return self.there == self.accounted


class Reading(AbstractContextManager["Reading"]):
    """A file opened against a specification.

    ``headings`` are as uploaded, each with the column it is taken for; they stand in
    ``heading_row``; ``layout_name`` is the layout that they tell, where the data set has several;
    ``sheets`` are those of a workbook that a person sees. ``errors`` hold what
    opening found, ``late_errors()`` what reading the rows found, and ``counts`` where they went,
    once ``chunks`` has ended. A ``refused`` file has no records that count.
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
        self.layout_name = layout.name if layout else None
        self.heading_row = source.heading_row
        self.sheets = source.sheets
        self.errors = errors_table(findings)
        self.refused = any(each["severity"] == "error" for each in findings)
        self.counts: RowCounts | None = None  # None: not counted, or nobody can
        self._source, self._layout = source, layout
        self._specification, self._chunk_rows = specification, chunk_rows
        self._late = NO_ERRORS

    def chunks(self) -> Iterator[pa.Table]:
        """Tables of ``row`` (int32) and every column of the standard layout (coded strings).

        Values are as uploaded; null is blank, and so is a column that the file does not have.
        """
        if self.refused or self._layout is None:
            self.counts = self._rows_of_refused()
            return
        read = _DataRows(self._source, self._layout, self._specification, self._chunk_rows)
        tables: Iterator[pa.Table] = (
            standard_layout(table, self._layout, self._specification) for table in read.tables()
        )
        if self._layout.transposed is not None:
            tables = self._transposed(tables, self._layout.transposed)
        identifiers = SameToPeople(self._specification)
        yield from map(identifiers.marked, tables)
        late = read.findings()
        self._late = errors_table(late)
        # a file that breaks off in the middle is not a month's activity: it is refused whole
        self.refused = any(each["code"] == "unreadable-file" for each in late)
        self.counts = None if self.refused else read.counts

    def _rows_of_refused(self) -> RowCounts | None:
        """The rows of a file that is not read for its headings alone: all of them are left out."""
        codes = set(self.errors["code"].to_pylist())
        if codes == {"empty-file"}:
            return RowCounts()
        if self._layout is None or any(
            found["severity"] == "error" for found in self._source.findings
        ):
            return None
        rows = [each["row"] for each in self._layout.findings if each["code"] == ELSEWHERE]
        self._source.heading_row = max([self._source.heading_row, *rows])
        blank = 0
        for table in self._source.tables(range(len(self._source.cells)), self._chunk_rows):
            blank += int(blank_rows(table).sum())
        if any(found["code"] == "unreadable-file" for found in self._source.ragged):
            return None
        there = self._source.rows_there - blank
        return RowCounts(there=there, left_out=there)

    def refuse(self, finding: dict[str, Any]) -> None:
        """Refuses the file for what its records hold; none of them counts."""
        self.refused, self.counts = True, None
        self._late = pa.concat_tables([errors_table([finding]), self._late])

    @property
    def lacks_headings(self) -> bool:
        """Whether the file is refused for its headings alone, which a person can match."""
        errors = self.errors.filter(pc.equal(self.errors["severity"], "error"))["code"].to_pylist()
        return self._layout is not None and bool(errors) and set(errors) <= OF_HEADINGS

    def expected_chunks(self) -> int | None:
        """About how many chunks there will be; None where only reading can tell."""
        if self.refused or self._layout is None or self._layout.transposed is not None:
            return None
        return self._source.expected_tables(self._chunk_rows)

    @property
    def first_rows(self) -> list[list[str]]:
        """The rows among which the headings are, for a person to choose one."""
        return self._source.head

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
        """The findings of opening and reading the file; complete once ``chunks`` has ended."""
        return pa.concat_tables([self.errors, self.late_errors()])

    def late_errors(self) -> pa.Table:
        """The findings of reading the rows; complete once ``chunks`` has ended."""
        return self._late

    def close(self) -> None:
        """Closes the file."""
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
    heading_row: int | None = None,
    sheet: str | None = None,
) -> Reading:
    """Opens ``path`` by what it contains, not by what it is called.

    ``headings`` says what a heading is taken for where matching alone would not do (None: leave
    the column out). ``heading_row`` says where they stand (None: in the first row, as they should).
    ``sheet`` is the sheet of a workbook that is read (None: the first that a person sees). Raises
    ``UserError`` only where there is no file, or no such sheet in it; whatever is wrong with its
    content is reported in ``Reading.errors``.
    """
    path = Path(path)
    source = open_source(path, specification, sheet=sheet)
    layout = None
    if all(each["code"] in OF_SHEETS for each in source.findings):
        layout = find_headings(
            source,
            partial(
                match_headings, specification=specification, transpose=transpose, chosen=headings
            ),
            heading_row,
        )
    return Reading(name or path.name, source, layout, specification, chunk_rows)


def open_source(
    path: Path,
    specification: Specification,
    *,
    sheet: str | None = None,
    least_width: int = 0,
) -> Source:
    """The file, opened by its kind; rows of a workbook have at least ``least_width`` cells."""
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):  # a pipe: its size is 0, and it is read but once
            raise UserError(
                f"{path}: is no file on a disk; save what it holds to one and name that"
            )
        size = facts.st_size
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
    if kind == "xlsx":
        from core.engine.reading.workbooks.xlsx_source import XlsxSource

        return XlsxSource(path, specification, sheet, least_width)
    from core.engine.reading.workbooks.xls_source import XlsSource

    return XlsSource(path, specification, sheet, least_width)


def find_headings(
    source: Source, match: Callable[[list[str]], Layout], chosen_row: int | None
) -> Layout:
    """The headings of the row that was chosen, else of the first; sets ``source.heading_row``.

    Where the first row lacks a required one and a row further down has all of them, that row is
    named; if it is the second and the first is one of headings too, it is taken.
    """
    head = source.head
    if chosen_row is not None and chosen_row <= len(head):
        source.heading_row = chosen_row
        return match(head[chosen_row - 1])
    layout = match(head[0] if head else [])
    if not layout.missing:
        return layout
    for row, cells in enumerate(head[1:], start=2):
        below = match(cells)
        if below.missing:
            continue
        if row == SECOND and sum(1 for cell in head[0] if text_as_read(cell)) >= GROUPS:
            source.heading_row = row
            two_rows = finding("joined-file/two-rows", row=row)
            return replace(below, findings=[two_rows, *below.findings])
        elsewhere = finding("headings-elsewhere", row=row, heading_row=row)
        return replace(layout, findings=[elsewhere])
    return layout


SECOND = 2
GROUPS = 3
"""Cells from which on a row above the headings names groups of columns and is no title."""


@dataclass
class Unreadable:
    """A file that is none of the kinds that can be read."""

    findings: list[dict[str, Any]]
    head: list[list[str]] = dataclasses.field(default_factory=list)
    cells: list[str] = dataclasses.field(default_factory=list)
    ragged: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    heading_row: int = 1
    rows_there: int = 0
    beyond: Collection[int] = ()
    sheets: list[str] = dataclasses.field(default_factory=list)
    ragged_cells: dict[int, list[str]] | None = None

    def tables(self, positions: Collection[int], chunk_rows: int) -> Iterator[pa.Table]:
        """No tables."""
        del positions, chunk_rows
        return iter(())

    def expected_tables(self, chunk_rows: int) -> int | None:
        """No tables."""
        del chunk_rows
        return 0

    def close(self) -> None:
        """Nothing is open."""


class _DataRows:
    """The rows of the data, up to the first empty one, and their findings."""

    def __init__(
        self, source: Source, layout: Layout, specification: Specification, chunk_rows: int
    ) -> None:
        self._source, self._layout, self._chunk_rows = source, layout, chunk_rows
        self._nameless = [
            at
            for at, heading in enumerate(layout.headings)
            if layout.columns[at] is None and not text_as_read(heading.heading)
        ]
        self._beyond = {
            at: column for at, column in enumerate(layout.columns) if column in layout.beyond
        }
        self._errors = _error_headings(layout)
        self._all = range(len(layout.columns))
        self._end = TableEnd()
        self._seams = Seams(layout, specification.in_layout(layout.name))
        self._filled: set[int] = set()
        self._records = 0

    def tables(self) -> Iterator[pa.Table]:
        for table in self._source.tables(self._all, self._chunk_rows):
            data = self._seams.without_headings(self._end.cut(table))
            self._records += data.num_rows
            self._note_filled(data)
            if data.num_rows:
                yield data

    @property
    def counts(self) -> RowCounts:
        """The counts of the rows; complete once ``tables`` has ended."""
        heading_row = self._source.heading_row  # it may be faulty too, and is no record
        ragged = sum((found["row"] or 0) > heading_row for found in self._source.ragged)
        after = self._end.rows_after + self._end.ragged_after(self._source.ragged)
        return RowCounts(
            there=self._source.rows_there - self._end.blank_rows,
            records=self._records,
            in_error=ragged - self._end.ragged_after(self._source.ragged) + self._seams.in_error,
            left_out=self._seams.left_out + after,
        )

    def findings(self) -> list[dict[str, Any]]:
        findings = [
            finding("unknown-column/no-heading", letter=column_letter(at))
            for at in self._nameless
            if at in self._filled
        ]
        findings += [
            finding("unknown-column/no-heading", letter=column_letter(at))
            for at in sorted(self._source.beyond)
        ]
        findings += self._empty_slots()
        findings += [
            finding(
                "bad-pattern/heading",
                row=self._source.heading_row,
                value=name,
                letter=column_letter(at),
            )
            for at, name in self._errors.items()
            if at in self._filled
        ]
        rows = self._end.findings(self._source.ragged)
        findings += self._seams.findings + rows
        counts = self.counts
        if not counts.complete:
            findings.append(rows_lost(counts.there, counts.accounted))
        if not self._records and not rows:
            findings.append(finding("empty-file/heading-alone"))
        return findings

    def _empty_slots(self) -> Iterator[dict[str, Any]]:
        for at, column in self._beyond.items():
            if at not in self._filled:
                field = self._layout.beyond[column or ""]
                yield finding(
                    "unknown-column/beyond",
                    value=self._layout.headings[at].heading,
                    heading=self._layout.headings[at].heading,
                    slots=field.repeat,
                    field=field.name,
                )

    def _note_filled(self, table: pa.Table) -> None:
        for at in (*self._nameless, *self._beyond, *self._errors):
            if at not in self._filled and not blank_rows(table.select([str(at)])).all():
                self._filled.add(at)


def _error_headings(layout: Layout) -> dict[int, str]:
    """The columns, by position, whose heading is the error of a spreadsheet: nobody's name."""
    unknown = {each["value"] for each in layout.findings if each["code"] == "unknown-column"}
    return {
        at: heading.heading
        for at, heading in enumerate(layout.headings)
        if layout.columns[at] is None
        and heading.heading.strip() in unknown
        and is_note(heading.heading)
    }


def rows_lost(there: int, found: int) -> dict[str, Any]:
    """The finding about a file of which some rows were lost."""
    return finding("unreadable-file/rows-lost", there=there, found=found)


def slices(table: pa.Table, rows: int) -> Iterator[pa.Table]:
    """The table in pieces of ``rows`` rows that share its dictionaries."""
    for start in range(0, table.num_rows, rows):
        yield table.slice(start, rows)


def standard_layout(table: pa.Table, layout: Layout, specification: Specification) -> pa.Table:
    """The table with every column of the data set, in its order; those not there are blank.

    Slots that the data set does not have follow, for the checks to report what they hold.
    """
    places = {column: str(at) for at, column in enumerate(layout.columns) if column is not None}
    blank = pa.DictionaryArray.from_arrays(
        pa.nulls(table.num_rows, pa.int32()), pa.array([], pa.string())
    )
    cells = {
        column: table[places[column]] if column in places else blank
        for column in (*specification.columns, *layout.beyond)
    }
    laid_out = pa.table({"row": table["row"], **cells})
    laid_out = laid_out.replace_schema_metadata(table.schema.metadata)
    return with_layout(laid_out, layout.name)
