"""Reads csv: whole blocks through Arrow where that is exact, else line by line.

The fast way needs blocks of lines that each are one row. Whatever it cannot vouch for (a row of
another width, a line break inside quotes, a lone carriage return) is read by the csv module,
which knows every row. Both give the same table; tests/property holds them to it.
"""

from __future__ import annotations

import csv
import io
import itertools
from array import array
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from core.engine.columns.coded import CODED
from core.engine.dataset.fields import heading_key
from core.engine.dataset.problems import finding
from core.engine.reading.text import TextFacts, scan_text, text_lines, utf8_blocks, whole_lines

DELIMITERS = ",;\t|"
HEAD = 1 << 20
"""Characters within which the heading row must end."""

LEAST_BLOCK, MOST_BLOCK = 1 << 16, 1 << 26
"""Bytes of text that are read at once, whatever the rows asked for."""

_END = "\0end of file\0"
"""Fed to the csv module as a last line: comes back as a row unless a quote is still open."""


@dataclass
class CsvSource:
    """A csv file, opened: its first row, and tables of the rows below it."""

    path: Path
    facts: TextFacts
    cells: list[str]
    delimiter: str
    lines_above: int  # text lines that the heading row and a ``sep=`` line take up
    bytes_a_row: int
    findings: list[dict[str, Any]] = field(default_factory=list)
    ragged: list[dict[str, Any]] = field(default_factory=list)

    def tables(self, wanted: Collection[int], chunk_rows: int) -> Iterator[pa.Table]:
        """Tables of about ``chunk_rows`` rows: ``row`` and the wanted columns by position.

        Ragged rows are left out and noted in ``ragged``.
        """
        blocks = utf8_blocks(self.path, self.facts, self._block(chunk_rows))
        if self.facts.lone_cr:
            yield from self._exactly(blocks, wanted, 2, chunk_rows, skip=self.lines_above)
            return
        lines = _without_first_lines(whole_lines(blocks), self.lines_above)
        row = 2
        for block in lines:
            if not _plainly_quoted(block, self.delimiter):
                rest = itertools.chain([block], lines)
                yield from self._exactly(rest, wanted, row, chunk_rows)
                return
            count = _count_lines(block)
            table = self._at_once(block, wanted, row, count)
            if table is None:
                yield from self._exactly([block], wanted, row, chunk_rows)
            else:
                yield table
            row += count

    def expected_tables(self, chunk_rows: int) -> int | None:
        """As many as blocks, if no row stands out of line."""
        return -(-self.path.stat().st_size // self._block(chunk_rows))

    def _block(self, chunk_rows: int) -> int:
        """Bytes to read at once for about so many rows."""
        return min(max(self.bytes_a_row * chunk_rows, LEAST_BLOCK), MOST_BLOCK)

    def close(self) -> None:
        """Nothing stays open between reads."""

    def _at_once(
        self, block: bytes, wanted: Collection[int], first_row: int, count: int
    ) -> pa.Table | None:
        """The block through Arrow, or None if any row does not have the headings' width."""
        try:
            table = _parsed(block, len(self.cells), wanted, self.delimiter)
        except pa.ArrowInvalid:
            return None
        if table.num_rows != count:
            return None
        rows = np.arange(first_row, first_row + count, dtype=np.int32)
        return table.add_column(0, "row", pa.array(rows))

    def _exactly(
        self,
        blocks: Iterable[bytes],
        wanted: Collection[int],
        first_row: int,
        chunk_rows: int,
        *,
        skip: int = 0,
    ) -> Iterator[pa.Table]:
        lines = itertools.islice(text_lines(blocks), skip, None)
        reader = csv.reader(itertools.chain(lines, [_END]), delimiter=self.delimiter)
        numbered = self._of_full_width(enumerate(_records(reader), start=first_row))
        while (table := self._next_table(numbered, wanted, chunk_rows)) is not None:
            yield table

    def _next_table(
        self, rows: Iterator[tuple[int, list[str]]], wanted: Collection[int], chunk_rows: int
    ) -> pa.Table | None:
        """The next rows that the csv module reads; put in plain quotes for Arrow, one by one."""
        text, numbers = io.StringIO(newline=""), array("i")
        writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
        for row, cells in itertools.islice(rows, chunk_rows):
            writer.writerow(cells)
            numbers.append(row)
        if not numbers:
            return None
        table = _parsed(text.getvalue().encode(), len(self.cells), wanted, ",")
        return table.add_column(0, "row", pa.array(np.asarray(numbers, dtype=np.int32)))

    def _of_full_width(
        self, rows: Iterable[tuple[int, list[str]]]
    ) -> Iterator[tuple[int, list[str]]]:
        """Rows as wide as the headings; blank ones are made so, others are ragged."""
        expected = len(self.cells)
        for row, cells in rows:
            if cells is UNCLOSED or cells is OVERLONG:
                self.ragged.append(finding(f"ragged-row/{cells[0]}", row=row))
            elif len(cells) == expected:
                yield row, cells
            elif not any(cell.strip() for cell in cells):
                yield row, [""] * expected
            else:
                self.ragged.append(
                    finding("ragged-row", row=row, cells=len(cells), expected=expected)
                )


UNCLOSED, OVERLONG = ["open-quote"], ["long-cell"]
"""Stand for a last row that cannot be told apart, by the wording of the finding."""


def open_csv(path: Path, known: Collection[str]) -> CsvSource:
    """Opens a text file; the separator is the one that makes most headings known.

    A first line ``sep=;``, as Excel writes and hides it, counts as no row.
    """
    facts = scan_text(path)
    if facts.problem is not None:
        return CsvSource(path, facts, [], ",", 0, 1, [facts.problem])
    head = _head_of(path, facts)
    if not head.strip():
        return CsvSource(path, facts, [], ",", 0, 1, [finding("empty-file")])
    marked = _marked_delimiter(head)
    if marked:
        head = head.split("\n", 1)[-1]
    best = max((_first_row(head, d) for d in marked or DELIMITERS), key=lambda f: f.score(known))
    above = best.lines + bool(marked)
    return CsvSource(path, facts, best.cells, best.delimiter, above, _bytes_a_row(head))


@dataclass(frozen=True)
class _FirstRow:
    delimiter: str
    cells: list[str]
    lines: int

    def score(self, known: Collection[str]) -> tuple[int, int]:
        return sum(heading_key(cell) in known for cell in self.cells), len(self.cells)


def _first_row(head: str, delimiter: str) -> _FirstRow:
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    try:
        cells = next(reader, [])
    except csv.Error:
        cells = []
    return _FirstRow(delimiter, cells, reader.line_num)


def _head_of(path: Path, facts: TextFacts) -> str:
    block = next(utf8_blocks(path, facts, HEAD), b"")
    return block.decode("utf-8", errors="ignore")


def _marked_delimiter(head: str) -> str:
    first = head[:8].splitlines()[:1]
    if first and first[0].lower().startswith("sep=") and len(first[0]) == 5:
        return first[0][4]
    return ""


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


def _records(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    """The rows of the file; ``UNCLOSED`` or ``OVERLONG`` in place of a last one that is broken."""
    try:
        for cells in reader:
            if cells == [_END]:
                return
            yield UNCLOSED if cells and cells[-1].endswith(_END) else cells
    except csv.Error:
        yield OVERLONG  # the only thing the csv module refuses here


def _parsed(text: bytes, width: int, wanted: Collection[int], delimiter: str) -> pa.Table:
    """Coded columns, named by position; raises ``ArrowInvalid`` where a row is not that wide."""
    columns = [str(position) for position in wanted]
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
