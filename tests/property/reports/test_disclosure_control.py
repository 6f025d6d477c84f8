"""No small number follows from what a reader can see, found by trying every table that fits."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.reports.disclosure.disclosure_control import Counts, Mask, hidden_cells, with_totals

LIMIT = 3
SIZES = st.tuples(st.integers(1, 3), st.integers(1, 3))
TABLES = SIZES.flatmap(
    lambda size: st.lists(
        st.lists(st.integers(0, 5), min_size=size[1], max_size=size[1]),
        min_size=size[0],
        max_size=size[0],
    )
).map(lambda rows: np.array(rows, np.int64))


def possible(counts: Counts, mask: Mask) -> list[Counts]:
    """Tables near the true one that agree with all that is shown; what is hidden is at least 1.

    A cell is uncertain if it can differ by one in some table, so cells need to be tried only from
    one below to one above.
    """
    rows, columns = counts.shape
    inner = [(r, c) for r in range(rows) for c in range(columns) if mask[r, c]]
    shown = with_totals(counts)
    found = []
    for changes in product((-1, 0, 1), repeat=len(inner)):
        guess = counts.copy()
        for cell, change in zip(inner, changes, strict=True):
            guess[cell] += change
        whole = with_totals(guess)
        if (whole[mask] >= 1).all() and (whole[~mask] == shown[~mask]).all():
            found.append(whole)
    return found


@settings(max_examples=300, deadline=None)
@given(counts=TABLES)
def test_no_small_number_can_be_worked_out(counts: Counts) -> None:
    mask = hidden_cells(counts, LIMIT)
    table = with_totals(counts)
    small = (table > 0) & (table < LIMIT)
    assert mask[small].all()
    tables = possible(counts, mask)
    for cell in np.argwhere(small):
        assert len({int(one[tuple(cell)]) for one in tables}) > 1, (counts, mask, cell)


@settings(max_examples=100, deadline=None)
@given(counts=TABLES)
def test_nothing_is_hidden_without_need(counts: Counts) -> None:
    table = with_totals(counts)
    assert not hidden_cells(counts, 0).any()
    if not ((table > 0) & (table < LIMIT)).any():
        assert not hidden_cells(counts, LIMIT).any()


def test_one_small_number_takes_another_of_its_row_and_column_with_it() -> None:
    counts = np.array([[2, 40, 60], [10, 20, 30], [70, 80, 90]], np.int64)
    mask = hidden_cells(counts, 5)
    assert mask[0, 0]
    assert mask.sum() == 4
    assert not mask[-1, -1]
    assert mask[0].sum() == mask[:, 0].sum() == 2


def test_a_large_table_takes_no_long_time() -> None:
    counts = np.random.default_rng(7).poisson(6, (400, 12)).astype(np.int64)
    mask = hidden_cells(counts, 5)
    assert mask.sum() >= ((counts > 0) & (counts < 5)).sum()


def test_an_empty_table_hides_nothing() -> None:
    assert not hidden_cells(np.zeros((0, 2), np.int64), 5).any()
