"""Writes coded columns as csv at disk speed: each distinct cell is quoted once."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.engine.columns.coded import Coded
from core.engine.columns.csv_injection import heading_line, inert_texts
from core.engine.columns.joins import BLANK, combinations_of, distinct

LINES_AT_ONCE = 100_000
WRITERS = 2
_NEEDS_QUOTES = '[,"\r\n]'

Order = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Spaced:
    """Several columns in one cell: the values that are not blank, with spaces between."""

    columns: Sequence[Coded]


Cell = Coded | Spaced


def write_csv(path: Path, headings: Sequence[str], cells: Sequence[Cell], order: Order) -> None:
    """Writes finished cells (see ``as_cells``), rows in this order; a blank is an empty cell."""
    with path.open("wb") as out, ThreadPoolExecutor(WRITERS) as pool:
        out.write(heading_line(headings, end="\n"))
        waiting: deque[Future[memoryview]] = deque()
        for at in range(0, len(order), LINES_AT_ONCE):
            waiting.append(pool.submit(_lines, cells, order[at : at + LINES_AT_ONCE]))
            if len(waiting) > WRITERS:  # few at a time, since lines take memory
                out.write(waiting.popleft().result())
        for lines in waiting:
            out.write(lines.result())


def as_cells(column: Coded) -> Coded:
    """The column with its values as csv has them: in quotes only where they need it."""
    return Coded(column.codes, _quoted(column.values))


def text_cells(column: Coded) -> Coded:
    """The same for texts of others, none of which a spreadsheet then calculates."""
    return as_cells(Coded(column.codes, inert_texts(column.values)))


def as_one(columns: Sequence[Coded]) -> Coded:
    """Neighbouring cells as one cell, which is faster where there are few combinations."""
    numbers, example = combinations_of(columns)
    return Coded(numbers, pc.binary_join_element_wise(*_texts(columns, example), ","))


def in_words(amounts: npt.NDArray[np.int64]) -> Coded:
    """Pence as pounds with two decimals."""
    numbers, first = distinct(amounts)
    pence = amounts[first]
    pounds = pa.array(pence // 100).cast(pa.string())
    rest = pc.utf8_lpad(pa.array(pence % 100).cast(pa.string()), 2, "0")
    return Coded(numbers, pc.binary_join_element_wise(pounds, rest, "."))


def in_text_order(column: Coded) -> Coded:
    """The column with its values in alphabetical order."""
    order = pc.sort_indices(column.values)
    ranks = np.full(len(order) + 1, BLANK, np.int32)
    ranks[order.to_numpy()] = np.arange(len(order))
    return Coded(ranks[column.codes], column.values.take(order))


def _lines(cells: Sequence[Cell], rows: Order) -> memoryview:
    """The lines of these rows: an Arrow array of strings holds them one after the other."""
    *most, last = _texts(cells, rows)
    ended = pc.binary_join_element_wise(last, "\n", "")
    lines = pc.binary_join_element_wise(*most, ended, ",")
    _, offsets, text = lines.buffers()
    end = np.frombuffer(offsets, np.int32)[len(lines)]
    return memoryview(text)[: int(end)]


def _texts(cells: Sequence[Cell], rows: Order) -> list[pa.StringArray]:
    """The text of each cell at these rows, empty for a blank."""
    return [
        spaced(cell.columns, rows) if isinstance(cell, Spaced) else _text(cell, rows)
        for cell in cells
    ]


def _text(column: Coded, rows: Order) -> pa.StringArray:
    codes = column.codes[rows]
    blank = codes < 0
    if not blank.any():
        return column.values.take(pa.array(codes))
    return pc.fill_null(column.values.take(pa.array(codes, mask=blank)), "")


def spaced(columns: Sequence[Coded], rows: Order) -> pa.StringArray:
    """The values that are not blank in these rows, with spaces between, as a finished cell."""
    led = [
        Coded(column.codes, pc.binary_join_element_wise(" ", column.values, ""))
        for column in columns
    ]  # not null_handling="skip": it leaves out the rows where all are null
    codes = pc.binary_join_element_wise(*(_text(column, rows) for column in led), "")
    codes = pc.ascii_ltrim(codes, characters=" ")
    plain = not any(pc.any(_needs_quotes(column.values)).as_py() for column in columns)
    return codes if plain else _quoted(codes)


def _quoted(values: pa.StringArray) -> pa.StringArray:
    doubled = pc.replace_substring(values, '"', '""')
    in_quotes = pc.binary_join_element_wise('"', doubled, '"', "")
    return pc.if_else(_needs_quotes(values), in_quotes, values)


def _needs_quotes(values: pa.StringArray) -> pa.BooleanArray:
    return pc.match_substring_regex(values, _NEEDS_QUOTES)
