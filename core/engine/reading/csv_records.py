"""Rows of csv text, one by one, and the ones that a stray double quote would swallow.

The csv module joins whatever stands between two quotes. Here every row is looked at: a quote that
is out of place, or a quoted cell in which other rows seem to stand, is a fault of the row where it
begins, and the lines below are read as they stand. No row is lost in another.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

_WIDE = 8
"""Columns from which on a line with most of the cells is like a row too."""

_LEAST_WIDTH = 3
"""Columns that a table is taken to have where a title stands above its headings."""

_A_DATE = re.compile(r"\s*\d{4}-\d\d-\d\d\s*")


class Record(NamedTuple):
    """A row: its cells, the text lines it takes up, and the wording of what is wrong with it."""

    cells: list[str]
    lines: int = 1
    fault: str = ""


def date_columns(rows: Iterable[Record], width: int) -> frozenset[int] | None:
    """The columns, from 0, that hold dates alone in rows of this width; None where none does."""
    seen: dict[int, bool] = {}
    for row in rows:
        if len(row.cells) == width and not row.fault:
            for at, cell in enumerate(row.cells):
                if cell.strip():
                    seen[at] = seen.get(at, True) and _A_DATE.fullmatch(cell) is not None
    return frozenset(at for at, dates in seen.items() if dates) or None


class Records(Iterator[Record]):
    """The rows of text lines.

    ``width`` is that of the headings and ``dated`` the columns of dates, None while not known.
    """

    def __init__(
        self,
        lines: Iterable[str],
        delimiter: str,
        width: int | None = None,
        dated: frozenset[int] | None = None,
    ) -> None:
        self._lines, self._delimiter, self._width = iter(lines), delimiter, width
        self._dated = dated
        self._waiting: deque[str] = deque()
        self._taken: list[str] = []
        self._partner: str | None = None
        self.lines_within = 0  # line ends that stood inside quoted cells
        self._reader = self._fresh_reader()

    def __next__(self) -> Record:
        self._taken.clear()
        try:
            cells = next(self._reader)
        except csv.Error:  # a cell longer than the module allows
            return self._faulty("long-cell")
        taken = self._taken
        if taken and taken[0] is self._partner:
            return self._faulty("stray-quote")
        if len(taken) == 1 and '"' not in taken[0]:
            return Record(cells)
        text = "".join(taken)
        if not _sound(self._delimiter).fullmatch(text):
            unclosed = text.count('"') % 2 and self._nothing_follows()
            return self._faulty("open-quote" if unclosed else "stray-quote")
        if len(taken) > 1 and self._swallows(cells):
            self._partner = taken[-1]  # which holds the other quote that is out of place
            return self._faulty("rows-in-a-cell")
        self.lines_within += len(taken) - 1
        return Record(cells, len(taken))

    @property
    def between_rows(self) -> bool:
        """Whether no line has been read beyond the last row."""
        return not self._waiting

    def _nothing_follows(self) -> bool:
        """Whether the row was ended by the end of the text alone."""
        if not self._waiting and (line := next(self._lines, None)) is not None:
            self._waiting.append(line)
        return not self._waiting

    def _fresh_reader(self) -> Iterator[list[str]]:
        return csv.reader(self._feed(), delimiter=self._delimiter, skipinitialspace=True)

    def _feed(self) -> Iterator[str]:
        while True:
            line = self._waiting.popleft() if self._waiting else next(self._lines, None)
            if line is None:
                return
            self._taken.append(line)
            yield line

    def _faulty(self, wording: str) -> Record:
        """The first of the lines taken is faulty; the others are read again."""
        self._waiting.extendleft(reversed(self._taken[1:]))
        self._reader = self._fresh_reader()
        return Record(self._taken[0].rstrip("\r\n").split(self._delimiter), 1, wording)

    def _swallows(self, cells: list[str]) -> bool:
        """Whether lines within the row look like rows themselves."""
        if self._width is not None and cells and len(cells) != self._width:
            return True
        width = self._width or max(len(cells), _LEAST_WIDTH)
        if any(self._like_a_row(line, width) for line in self._taken[1:]):
            return True
        return self._ends_are_rows(width)

    def _like_a_row(self, line: str, width: int) -> bool:
        """By itself as many cells as a row has, or a date where a row has one."""
        first, separated, _ = line.partition(self._delimiter)
        if not separated or '"' in first:  # there the quote ends: the line goes on a row
            return False
        cells = next(csv.reader([line], delimiter=self._delimiter, skipinitialspace=True))
        return len(cells) >= width - _spared(width) or self._holds_a_date(cells, width)

    def _ends_are_rows(self, width: int) -> bool:
        """Whether what a cell takes of its first line and its last would make rows of both.

        Such a cell begins and ends in the same column: what it takes of the first line are the
        cells to the right of that column, and of the last line those to the left.
        """
        parts = "".join(self._taken).split('"')
        spared = _spared(width)
        column = 0
        for at, part in enumerate(parts):
            if not at % 2:  # outside quotes
                column += part.count(self._delimiter)
                continue
            lines = part.splitlines()
            if len(lines) < 2 and not part.endswith(("\n", "\r")):
                continue
            last = lines[-1] if not part.endswith(("\n", "\r")) else ""
            right = lines[0].count(self._delimiter) - (width - 1 - column)
            left = last.count(self._delimiter) - column
            if abs(right) <= spared and abs(left) <= spared and abs(right + left) <= spared:
                return True
            if self._holds_a_date(lines[0].split(self._delimiter), width, column):
                return True
        return False

    def _holds_a_date(self, cells: list[str], width: int, first: int | None = None) -> bool:
        """Whether a date stands in a cell of its own where a row has one, among enough cells.

        A note may hold dates too. Those of a row stand in the columns of dates; where it lacks a
        cell, they stand among more than two thirds of a row. ``first``: the column where the
        cells begin, after those of the same row; None where they begin a line, and the last may go
        on outside.
        """
        dates = {at for at, cell in enumerate(cells) if _A_DATE.fullmatch(cell)}
        if first is None:
            dates -= {0, len(cells) - 1} if self._dated is None else set()
        if not dates or self._dated is None:
            return bool(dates)
        before = first or 0
        in_place = any(before + at in self._dated for at in dates)
        return (in_place and 3 * len(cells) > width - before) or 3 * len(cells) > 2 * width


def _spared(width: int) -> int:
    """Cells that a line may lack and still be like a row."""
    return width // 4 if width >= _WIDE else 0


@lru_cache
def _sound(delimiter: str) -> re.Pattern[str]:
    """A row whose quotes stand around whole cells, doubled inside, or inside a cell without."""
    between = re.escape(delimiter)
    quoted = r' *"[^"]*(?:""[^"]*)*" *'
    bare = rf'(?! *")[^{between}\r\n]*'
    cell = f"(?:{quoted}|{bare})"
    return re.compile(rf"{cell}(?:{between}{cell})*[\r\n]*")


class CountedLines(Iterator[str]):
    """Lines, and how many they were."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines, self.number = iter(lines), 0

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        return line


class BlockLines(Iterator[str]):
    """The lines of blocks of whole lines, and whether the next is the first of a block."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._text, self._length = io.StringIO(), 0

    @property
    def at_end_of_block(self) -> bool:
        return self._text.tell() == self._length

    def __next__(self) -> str:
        while not (line := self._text.readline()):
            text = next(self._blocks).decode()
            self._text, self._length = io.StringIO(text, newline=""), len(text)
        return line


def joined_ends(lines: Iterable[str]) -> Iterator[str]:
    """Lines that end CR CR LF, as text written twice in text mode does, in one piece."""
    before: str | None = None
    for line in lines:
        if before is not None and before.endswith("\r") and line == "\r\n":
            yield before + line
            before = None
            continue
        if before is not None:
            yield before
        before = line
    if before is not None:
        yield before
