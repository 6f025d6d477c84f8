"""Cell suppression: hides small counts of a table, and others so that none can be derived.

A table of counts has a total for each row and column. A count below the limit is hidden; then
further ones, until no small count follows from the visible ones. This is decided exactly: the
hidden cells are the edges of a graph between rows and columns, and a cell can have another value
if and only if it lies on a cycle along which cells can alternately rise and fall by one without
any of them falling below one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Cell = tuple[int, int]


def with_totals(counts: Counts) -> Counts:
    """The table with a last column and a last row of totals."""
    rows = np.column_stack([counts, counts.sum(axis=1)])
    return np.vstack([rows, rows.sum(axis=0)])


def hidden_cells(counts: Counts, limit: int) -> Mask:
    """The mask of the cells to hide, for the table with its totals.

    ``counts`` has the totals neither of rows nor of columns. With a ``limit`` of 0 nothing is
    hidden; zeros never need to be.
    """
    table = with_totals(counts)
    small = (table > 0) & (table < limit)
    mask = small.copy()
    while exposed := [cell for cell in _cells(small) if _follows(table, mask, cell)]:
        for cell in exposed:
            if _follows(table, mask, cell):  # cells hidden for another may protect it
                for further in _cheapest_cycle(table, mask, cell) or [_further(table, mask, cell)]:
                    mask[further] = True
    return mask


def _cells(mask: Mask) -> list[Cell]:
    return [(int(row), int(column)) for row, column in np.argwhere(mask)]


def _cheapest_cycle(table: Counts, mask: Mask, cell: Cell) -> list[Cell]:
    """The three cells of the rectangle with this one along which it can rise, with the least sum of
    counts to hide; empty if there is no such rectangle."""
    row, column = cell
    if not _can_change(table, cell, rising=True):
        return []
    cost = np.where(mask, 0.0, np.where(table > 0, table, np.inf))
    falling = np.where(_can_fall(table), cost, np.inf)
    rising = np.where(_can_rise(table), cost, np.inf)
    rectangle = falling[row, :] + falling[:, [column]] + rising
    rectangle[row, :] = rectangle[:, column] = np.inf
    if not np.isfinite(rectangle.min(initial=np.inf)):
        return []
    at = int(rectangle.argmin())
    other_row, other_column = at // table.shape[1], at % table.shape[1]
    return [(row, other_column), (other_row, column), (other_row, other_column)]


def _further(table: Counts, mask: Mask, cell: Cell) -> Cell:
    """The next cell to hide: in the same row or column if there is one, the smallest of them."""
    row, column = cell
    near = np.zeros_like(mask)
    near[row, :] = near[:, column] = True
    for allowed in (near & (table > 0), table > 0, near, np.ones_like(mask)):
        open_cells = allowed & ~mask
        if open_cells.any():
            at = np.where(open_cells, table, np.iinfo(np.int64).max).argmin()
            return (int(at // table.shape[1]), int(at % table.shape[1]))
    raise AssertionError("everything is hidden, so nothing follows")


def _follows(table: Counts, mask: Mask, cell: Cell) -> bool:
    """Whether the cell's value follows from the visible cells."""
    return not any(_cycle(table, mask, cell, rising) for rising in (True, False))


def _cycle(table: Counts, mask: Mask, cell: Cell, rising: bool) -> bool:
    """Whether the cell can rise (or fall) by one while others compensate for it."""
    if not _can_change(table, cell, rising):
        return False
    row, column = cell
    start, goal = (
        (("column", column), ("row", row)) if rising else (("row", row), ("column", column))
    )
    seen, waiting = {start}, deque([start])
    while waiting:
        for node in _steps(table, mask, waiting.popleft(), cell):
            if node == goal:
                return True
            if node not in seen:
                seen.add(node)
                waiting.append(node)
    return False


def _steps(
    table: Counts, mask: Mask, node: tuple[str, int], without: Cell
) -> Iterator[tuple[str, int]]:
    """The next nodes of a change: from a row along a cell that rises, from a column along one that
    falls."""
    kind, at = node
    line = mask[at, :] if kind == "row" else mask[:, at]
    for crossing in np.flatnonzero(line):
        cell = (at, int(crossing)) if kind == "row" else (int(crossing), at)
        if cell != without and _can_change(table, cell, kind == "row"):
            yield ("column" if kind == "row" else "row"), int(crossing)


def _can_change(table: Counts, cell: Cell, rising: bool) -> bool:
    """Whether, to a reader, a hidden cell could be one more (or one less) than it is."""
    is_total = (cell[0] == table.shape[0] - 1) != (cell[1] == table.shape[1] - 1)
    return rising != is_total or bool(table[cell] > 1)


def _can_rise(table: Counts) -> Mask:
    """``_can_change`` of every cell at once, rising.

    A total counts against its row or column, so it falls where a cell would rise. What is hidden
    is known to be at least one.
    """
    return ~_totals(table) | (table > 1)


def _can_fall(table: Counts) -> Mask:
    return _totals(table) | (table > 1)


def _totals(table: Counts) -> Mask:
    totals = np.zeros(table.shape, np.bool_)
    totals[-1, :-1] = totals[:-1, -1] = True
    return totals
