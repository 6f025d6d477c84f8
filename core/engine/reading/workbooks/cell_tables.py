"""Cells, wherever they stand, as tables of whole rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.engine.columns.coded import Coded
from core.engine.columns.marks import FROM_WORKBOOK, TWICE, bare_text
from core.engine.dataset.headings import column_letter
from core.engine.dataset.notes_in_cells import RAGGED
from core.engine.dataset.problems import finding
from core.engine.reading.refusal import RefusedError, unreadable
from core.engine.reading.workbooks.cells import Cells, Numbers
from core.engine.reading.workbooks.sheets import TOP_ROWS

HEAD_ROWS = 50
"""Rows among which the headings are looked for."""
CELLS_LIMIT = 60_000_000
"""Cells of the sheet's rectangle; a million records of 38 columns have fewer."""
CELLS_AT_ONCE = 5_000_000
"""Cells of one table at most, however many rows were asked for."""
WIDE = 1000
"""Columns beyond which a sheet is no table of activity but has a stray cell."""


class CellTables:
    """Cuts a stream of cells into tables.

    ``width`` is fixed when the first rows are known. Cells beyond it, further down, are of columns
    without a heading, noted in ``beyond``. A run of empty rows between others becomes one blank
    row, since the data end there. ``rows_there`` counts rows as they come, before they are cut into
    tables.
    """

    def __init__(self, cells: Iterator[Cells], width_claimed: int, least: int = 0) -> None:
        self.rows_there = 0
        self.left_out: list[dict[str, Any]] = []
        self.keeps_noted = False  # rows that a note says to be ragged
        self.beyond: set[int] = set()
        self._cells = cells
        self._last_row, self._rows_given = 1, 1
        self._held = next((part for part in cells if len(part.rows)), None)
        seen = 0 if self._held is None else int(self._held.columns.max())
        self.width = max(seen, width_claimed if width_claimed <= WIDE else 0, least)
        self._far = _farthest(self._held)

    @property
    def is_blank(self) -> bool:
        """Whether no cell holds anything."""
        return self._held is None

    def head(self) -> list[list[str]]:
        """The first rows, from row 1 on, among which the headings are."""
        rows = {number: row for number, row in self._top(HEAD_ROWS) if number <= HEAD_ROWS}
        blank = [""] * self.width
        return [
            [bare_text(text) for text in rows.get(number, blank)]
            for number in range(1, max(rows, default=0) + 1)
        ]

    def top(self) -> list[list[str]]:
        """The first rows that hold something, with marks."""
        return [row for _, row in self._top(TOP_ROWS)]

    def _top(self, count: int) -> list[tuple[int, list[str]]]:
        if self._held is None:
            return []
        numbers = np.unique(self._held.rows)[:count]
        end = int(np.searchsorted(self._held.rows, numbers[-1], side="right"))
        rows = {int(number): [""] * self.width for number in numbers}
        texts = self._held.texts.slice(0, end).to_pylist()
        for row, column, text in zip(
            self._held.rows[:end].tolist(), self._held.columns[:end].tolist(), texts, strict=True
        ):
            if row in rows:
                rows[row][column - 1] = text
        return list(rows.items())

    def tables(self, rows: int, heading_row: int) -> Iterator[pa.Table]:
        """Tables of about so many rows below the headings: ``row``, columns by position, marked."""
        self._last_row = heading_row
        rows = max(min(rows, CELLS_AT_ONCE // max(self.width, 1)), 1)
        parts: list[Cells] = []
        for part in self._below(heading_row):
            parts.append(part)
            if sum(_distinct(part.rows) for part in parts) <= rows:
                continue
            cells = _joined(parts)
            while _distinct(cells.rows) > rows:
                cut = _end_of_row(cells.rows, rows)
                yield self._table(_slice(cells, 0, cut))
                cells = _slice(cells, cut, len(cells.rows))
            parts = [cells]
        if any(len(part.rows) for part in parts):
            yield self._table(_joined(parts))

    def _below(self, heading_row: int) -> Iterator[Cells]:
        """The cells below the headings; counts their rows as they come."""
        last = 0
        while self._held is not None:
            part, self._held = self._held, next(self._cells, None)
            if not len(part.rows):
                continue
            if part.rows[0] < last or (np.diff(part.rows) < 0).any():
                raise unreadable("its rows are out of order")
            below = int(np.searchsorted(part.rows, heading_row + 1))
            goes_on = below < len(part.rows) and int(part.rows[below]) == last
            self.rows_there += _distinct(part.rows[below:]) - goes_on
            last = int(part.rows[-1])
            yield _slice(part, below, len(part.rows)) if below else part

    def _table(self, cells: Cells) -> pa.Table:
        rows, columns, texts = self._without_repeats(cells)
        numbers = self._with_gaps(np.unique(rows))
        self._refuse_too_large(int(numbers[-1]))
        within = columns <= self.width
        noted = np.asarray(pc.starts_with(texts, RAGGED))
        if noted.any() and not self.keeps_noted:
            ragged = np.unique(rows[noted])
            self.left_out += [finding("ragged-row/noted", row=row) for row in ragged.tolist()]
            numbers = numbers[~np.isin(numbers, ragged)]
            within = ~np.isin(rows, ragged)
            rows, columns, texts = rows[within], columns[within], texts.filter(pa.array(within))
            within = columns <= self.width
        if not within.all():
            self.beyond.update((np.unique(columns[~within]) - 1).tolist())
            rows, columns, texts = rows[within], columns[within], texts.filter(pa.array(within))
        return self._laid_out(numbers, Cells(rows, columns, texts))

    def _laid_out(self, numbers: Numbers, cells: Cells) -> pa.Table:
        order = np.argsort(cells.columns, kind="stable")
        places = np.searchsorted(numbers, cells.rows)[order]
        ends = np.searchsorted(cells.columns[order], np.arange(1, self.width + 2))
        texts = cells.texts.take(pa.array(order))
        columns = {
            str(at): _column(texts, places, ends[at], ends[at + 1], len(numbers))
            for at in range(self.width)
        }
        return pa.table({"row": numbers, **columns}).replace_schema_metadata(FROM_WORKBOOK)

    def _without_repeats(self, cells: Cells) -> Cells:
        """Joins cells of one address, since nobody can tell which of them counts."""
        keys = cells.rows.astype(np.int64) * (1 << 15) + cells.columns
        if (np.diff(keys) > 0).all():
            return cells
        _, first, which = np.unique(keys, return_index=True, return_inverse=True)
        if len(first) == len(keys):
            return cells
        repeated = np.flatnonzero(np.bincount(which)[which] > 1)
        texts = cells.texts.to_pylist() if len(repeated) > len(keys) // 2 else None
        held: dict[int, list[str]] = {}
        for at in repeated.tolist():
            text = texts[at] if texts else cells.texts[at].as_py()
            held.setdefault(int(which[at]), []).append(bare_text(text))
        joined = {number: TWICE + " | ".join(parts) for number, parts in held.items()}
        mask = np.zeros(len(first), dtype=np.bool_)
        mask[list(joined)] = True
        replaced = pa.array([joined[number] for number in sorted(joined)], pa.string())
        texts_once = pc.replace_with_mask(
            cells.texts.take(pa.array(first)), pa.array(mask), replaced
        )
        return Cells(cells.rows[first], cells.columns[first], texts_once)

    def _with_gaps(self, numbers: Numbers) -> Numbers:
        """The row numbers, with the first of each run of rows that hold nothing."""
        expected = np.concatenate([[self._last_row], numbers[:-1]]) + 1
        gaps = expected[expected < numbers]
        self._last_row = int(numbers[-1])
        self._rows_given += len(numbers) + len(gaps)
        self.rows_there += len(gaps)
        return np.sort(np.concatenate([numbers, gaps])).astype(np.int32)

    def _refuse_too_large(self, last_row: int) -> None:
        if self._rows_given * self.width <= CELLS_LIMIT:
            return
        if self.width > WIDE:
            raise RefusedError(finding("unreadable-file/stray-cell", cell=self._far))
        size = f"{last_row:,} rows of {self.width:,} columns"
        raise RefusedError(finding("unreadable-file/too-many-cells", size=size))


def _farthest(cells: Cells | None) -> str:
    """The address of the cell furthest to the right."""
    if cells is None:
        return ""
    at = int(cells.columns.argmax())
    return f"{column_letter(int(cells.columns[at]) - 1)}{cells.rows[at]}"


def _column(
    texts: pa.Array, places: npt.NDArray[np.int64], begin: int, end: int, count: int
) -> pa.DictionaryArray:
    coded = texts.slice(begin, end - begin).dictionary_encode()
    codes = np.full(count, -1, np.int32)
    codes[places[begin:end]] = np.asarray(coded.indices)
    return Coded(codes, coded.dictionary).to_array()


def _distinct(rows: Numbers) -> int:
    return int(np.count_nonzero(np.diff(rows))) + 1 if len(rows) else 0


def _end_of_row(rows: Numbers, count: int) -> int:
    """Where the first ``count`` different rows end."""
    return int((np.flatnonzero(np.diff(rows)) + 1)[count - 1])


def _joined(parts: list[Cells]) -> Cells:
    if len(parts) == 1:
        return parts[0]
    rows, columns, texts = zip(*parts, strict=True)
    return Cells(np.concatenate(rows), np.concatenate(columns), pa.concat_arrays(texts))


def _slice(cells: Cells, begin: int, end: int) -> Cells:
    texts = cells.texts.slice(begin, end - begin)
    return Cells(cells.rows[begin:end], cells.columns[begin:end], texts)
