"""Reads csv: whole blocks with Arrow where that is exact, else line by line.

Arrow reads blocks in which each line is one row. Other blocks (a row of another width, a line break
inside quotes, a lone carriage return) are read by the csv module, which handles every row. Both
return the same table; tests/property compares them.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from core.engine.columns.as_read import text_as_read
from core.engine.columns.coded import CODED, Coded
from core.engine.dataset.fields import heading_key
from core.engine.dataset.problems import finding
from core.engine.reading.csv_records import (
    BlockLines,
    CountedLines,
    Record,
    Records,
    date_columns,
    joined_ends,
)
from core.engine.reading.refusal import RefusedError
from core.engine.reading.text import (
    Fault,
    TextFacts,
    has_quotes,
    scan_text,
    text_before,
    text_lines,
    utf8_blocks,
    whole_lines,
    with_line_feeds,
)

DELIMITERS = ",;\t|"
HEAD = 1 << 20
"""Characters within which the heading row must end."""

MOST_RAGGED = 100_000
"""Rows that are no records before a file is no table of activity."""
MOST_COLUMNS = 16_384
"""Columns that a sheet of Excel has."""

LEAST_BLOCK, MOST_BLOCK = 1 << 16, 1 << 26
"""Bytes of text that are read at once, whatever the rows asked for."""

SURE = 2
"""The number of known headings that prove a row of headings; a title may have one."""

HEAD_ROWS = 50
"""Rows among which the headings are looked for."""


@dataclass
class CsvSource:
    """A csv file, opened: its first rows, and tables of the rows below the headings."""

    path: Path
    facts: TextFacts = field(default_factory=TextFacts)
    delimiter: str = ","
    first: list[Record] = field(default_factory=list)
    lines_above: int = 0  # text lines that a ``sep=`` line takes up
    bytes_a_row: int = 1
    findings: list[dict[str, Any]] = field(default_factory=list)
    ragged: list[dict[str, Any]] = field(default_factory=list)
    rows_there: int = 0
    sheets: list[str] = field(default_factory=list)  # a csv file has none
    ragged_cells: dict[int, list[str]] | None = None
    heading_row: int = 1
    _next_row: int = 2

    @property
    def beyond(self) -> Collection[int]:
        """No column: a row that is wider than the headings is ragged."""
        return ()

    @property
    def head(self) -> list[list[str]]:
        """The cells of the first rows, among which the headings are."""
        return [record.cells for record in self.first]

    @property
    def cells(self) -> list[str]:
        """The headings."""
        return self.first[self.heading_row - 1].cells if self.first else []

    def tables(self, positions: Collection[int], chunk_rows: int) -> Iterator[pa.Table]:
        """Tables of about ``chunk_rows`` rows: ``row`` and the wanted columns by position.

        Ragged rows are left out and noted in ``ragged``.
        """
        shown = 0
        try:
            for table in self._tables(positions, chunk_rows):
                shown += table.num_rows
                yield table
        except RefusedError as refused:  # nothing of the file counts
            self.rows_there = shown + len(self.ragged)
            self.ragged.append(refused.finding)

    def _tables(self, positions: Collection[int], chunk_rows: int) -> Iterator[pa.Table]:
        self._next_row = self.heading_row + 1
        if not self.first:  # a byte that is no text comes before the first row
            return
        if fault := self.first[self.heading_row - 1].fault:
            self.ragged.append(finding(f"ragged-row/{fault}", row=self.heading_row))
        above = self.lines_above + sum(record.lines for record in self.first[: self.heading_row])
        blocks = utf8_blocks(self.path, self.facts, self._block(chunk_rows))
        if self.facts.lone_cr and not has_quotes(self.path):
            blocks = with_line_feeds(blocks)
        elif self.facts.lone_cr:
            lines = joined_ends(text_lines(blocks))
            below = itertools.islice(lines, above, None)
            yield from self._exactly(below, positions, chunk_rows)
            return
        rest = _without_first_lines(whole_lines(blocks), above)
        for block in rest:
            table = (
                self._at_once(block, positions) if _plainly_quoted(block, self.delimiter) else None
            )
            if table is not None:
                yield table
            elif not block.strip(b" \t\n" + self.delimiter.encode()):
                yield self._blank(_count_lines(block), positions)
            else:
                of_blocks = BlockLines(itertools.chain([block], rest))
                yield from self._exactly(of_blocks, positions, chunk_rows)

    def expected_tables(self, chunk_rows: int) -> int | None:
        """The number of blocks, which is exact if every line is one row."""
        return -(-self.path.stat().st_size // self._block(chunk_rows))

    def _block(self, chunk_rows: int) -> int:
        """Bytes to read at once for about so many rows."""
        return min(max(self.bytes_a_row * chunk_rows, LEAST_BLOCK), MOST_BLOCK)

    def close(self) -> None:
        """Nothing stays open between reads."""

    @property
    def _width(self) -> int:
        return len(self.cells)

    def _at_once(self, block: bytes, positions: Collection[int]) -> pa.Table | None:
        """The block as Arrow reads it, or None if a row does not have the headings' width."""
        count = _count_lines(block)
        try:
            table = _parsed(block, self._width, positions, self.delimiter)
        except pa.ArrowInvalid:
            return None
        if table.num_rows != count:
            return None
        rows = np.arange(self._next_row, self._next_row + count, dtype=np.int32)
        self._next_row += count
        self.rows_there += count
        return table.add_column(0, "row", pa.array(rows))

    def _blank(self, count: int, positions: Collection[int]) -> pa.Table:
        """So many rows without anything in them."""
        rows = np.arange(self._next_row, self._next_row + count, dtype=np.int32)
        self._next_row += count
        self.rows_there += count
        nothing = Coded(np.full(count, -1, np.int32), pa.array([], pa.string())).to_array()
        return pa.table({"row": rows, **{str(at): nothing for at in positions}})

    def _exactly(
        self, lines: Iterator[str], positions: Collection[int], chunk_rows: int
    ) -> Iterator[pa.Table]:
        """Tables of rows that are read one by one, up to the end of a block."""
        counted = CountedLines(lines)
        dated = date_columns(self.first[self.heading_row :], self._width)
        records = Records(counted, self.delimiter, self._width, dated)
        if isinstance(lines, BlockLines):
            rows = self._of_full_width(_within_block(records, lines))
        else:
            rows = self._of_full_width(records)
        while (table := self._next_table(rows, positions, chunk_rows)) is not None:
            yield table
        self.rows_there += counted.number - records.lines_within

    def _next_table(
        self, rows: Iterator[tuple[int, list[str]]], positions: Collection[int], chunk_rows: int
    ) -> pa.Table | None:
        """The next rows that the csv module reads; put in plain quotes for Arrow, one by one."""
        text, numbers = io.StringIO(newline=""), array("i")
        writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
        for row, cells in itertools.islice(rows, chunk_rows):
            writer.writerow(cells)
            numbers.append(row)
        if not numbers:
            return None
        row_numbers = pa.array(np.asarray(numbers, dtype=np.int32))
        if not self._width:  # the row of the headings is blank: so is each row of its width
            return pa.table({"row": row_numbers})
        table = _parsed(text.getvalue().encode(), self._width, positions, ",")
        return table.add_column(0, "row", row_numbers)

    def _of_full_width(self, records: Iterable[Record]) -> Iterator[tuple[int, list[str]]]:
        """Rows as wide as the headings; blank rows are widened, others are ragged."""
        expected = self._width
        for record in records:
            row, cells = self._next_row, record.cells
            self._next_row += 1
            if record.fault:
                self._note_ragged(finding(f"ragged-row/{record.fault}", row=row), cells)
            elif len(cells) == expected:
                yield row, cells
            elif not any(map(text_as_read, cells)):
                yield row, [""] * expected
            else:
                ragged = finding("ragged-row", row=row, cells=len(cells), expected=expected)
                self._note_ragged(ragged, cells)

    def _note_ragged(self, ragged: dict[str, Any], cells: list[str]) -> None:
        self.ragged.append(ragged)
        if len(self.ragged) > MOST_RAGGED:
            limit = f"{MOST_RAGGED:,}"
            raise RefusedError(finding("unreadable-file/too-many-ragged", limit=limit))
        if self.ragged_cells is not None:
            self.ragged_cells[ragged["row"]] = cells


def _within_block(records: Records, lines: BlockLines) -> Iterator[Record]:
    """Rows up to the first that ends where a block ends: Arrow may read the next block."""
    for record in records:
        yield record
        if records.between_rows and lines.at_end_of_block:
            return


def open_csv(path: Path, known: Collection[str]) -> CsvSource:
    """Opens a text file; the separator is the one that makes most headings known.

    A first line ``sep=;``, as Excel writes and hides it, counts as no row.
    """
    facts = scan_text(path)
    if facts.fault is not None and facts.fault.offset is None:
        return CsvSource(path, findings=[finding(facts.fault.reason)])
    head = _head_of(path, facts)
    marked = _SEPARATOR_LINE.match(head)
    body = head[marked.end() :] if marked else head
    if facts.fault is None and not text_as_read(body):
        return CsvSource(path, findings=[finding("empty-file")])
    delimiters = marked["separator"] if marked else DELIMITERS
    rows = {delimiter: list(_first_rows(body, delimiter)) for delimiter in delimiters}
    best = _best(rows, known)
    source = CsvSource(path, facts, best, rows[best], bool(marked), _bytes_a_row(head))
    if any(len(row.cells) > MOST_COLUMNS for row in rows[best]):
        return CsvSource(path, findings=[finding("unreadable-file/too-many-columns")])
    if facts.fault is not None:
        source.findings.append(_located(path, facts, facts.fault, best))
    return source


_SEPARATOR_LINE = re.compile(
    r"""\s*(?P<quote>"?)sep=(?P<separator>[^"\w\s]|[\t])(?P=quote)[,;|\t ]*(?:\r*\n|\r|$)""",
    re.IGNORECASE,
)


def _first_rows(head: str, delimiter: str) -> Iterator[Record]:
    """The rows among which the headings are looked for; a faulty one without regard to quotes."""
    lines = joined_ends(io.StringIO(head, newline=""))
    return itertools.islice(Records(lines, delimiter), HEAD_ROWS)


def _best(rows: Mapping[str, list[Record]], known: Collection[str]) -> str:
    """The separator that makes most headings of a row known: of the first, if that has any."""
    scores = {delimiter: _score(records[:1], known) for delimiter, records in rows.items()}
    if max(scores.values())[0] < SURE:
        scores = {delimiter: _score(records, known) for delimiter, records in rows.items()}
    return max(scores, key=lambda delimiter: scores[delimiter])


def _score(rows: list[Record], known: Collection[str]) -> tuple[int, int]:
    """How many headings of the best row are known, and how many cells the first row has."""
    counts = (sum(heading_key(cell) in known for cell in row.cells) for row in rows)
    return max(counts, default=0), len(rows[0].cells) if rows else 0


def _located(path: Path, facts: TextFacts, fault: Fault, delimiter: str) -> dict[str, Any]:
    """The finding against a byte that is no text, with its spreadsheet row."""
    text = text_before(path, facts, fault.offset or 0)
    if marked := _SEPARATOR_LINE.match(text):
        text = text[marked.end() :]
    lines = joined_ends(io.StringIO(text, newline=""))
    row = sum(1 for _ in Records(lines, delimiter))
    return finding(fault.reason, row=max(row, 1), byte=fault.byte)


def _head_of(path: Path, facts: TextFacts) -> str:
    if facts.fault is not None:
        return text_before(path, facts, min(facts.fault.offset or 0, HEAD))
    block = next(utf8_blocks(path, facts, HEAD), b"")
    return block.decode("utf-8", errors="ignore")


def _bytes_a_row(head: str) -> int:
    lines = max(head.count("\n"), head.count("\r"), 1)
    return max(len(head.encode()) // lines, 1)


def _without_first_lines(blocks: Iterator[bytes], lines: int) -> Iterator[bytes]:
    for block in blocks:
        cut = 0
        while lines:
            end = block.find(b"\n", cut) + 1
            if not end:
                break
            cut, lines = end, lines - 1
        if lines:
            continue
        if cut < len(block):
            yield block[cut:] if cut else block


def _count_lines(block: bytes) -> int:
    return block.count(b"\n") + (not block.endswith(b"\n"))


def _plainly_quoted(block: bytes, delimiter: str) -> bool:
    """Whether quotes stand only around whole cells, or doubled inside, and hold no line end.

    Taken in pairs, the first quote must begin a cell, the second end it; where a second and the
    next first are neighbours, they are one doubled quote.
    """
    if b'"' not in block:
        return True
    text = np.frombuffer(block, dtype=np.uint8)
    quotes = np.flatnonzero(text == ord('"'))
    if len(quotes) % 2:
        return False
    opening, closing = quotes[0::2], quotes[1::2]
    doubled = opening[1:] == closing[:-1] + 1
    around = np.concatenate([[ord("\n")], text, [ord("\n")]])
    begins = np.isin(around[opening], [ord("\n"), ord(delimiter)])
    ends = np.isin(around[closing + 2], [ord("\n"), ord("\r"), ord(delimiter)])
    begins[1:] |= doubled
    ends[:-1] |= doubled
    line_ends = np.flatnonzero(text == ord("\n"))
    broken = np.searchsorted(line_ends, opening) != np.searchsorted(line_ends, closing)
    return bool(begins.all() and ends.all() and not broken.any())


def _parsed(text: bytes, width: int, positions: Collection[int], delimiter: str) -> pa.Table:
    """Coded columns, named by position; raises ``ArrowInvalid`` where a row is not that wide."""
    columns = [str(position) for position in positions]
    return pa_csv.read_csv(
        pa.BufferReader(text),
        pa_csv.ReadOptions(
            column_names=[str(position) for position in range(width)], block_size=len(text) + 1
        ),
        pa_csv.ParseOptions(delimiter=delimiter, ignore_empty_lines=False, newlines_in_values=True),
        pa_csv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(columns, CODED),
            null_values=[""],
            strings_can_be_null=True,
            include_columns=columns,
        ),
    )
