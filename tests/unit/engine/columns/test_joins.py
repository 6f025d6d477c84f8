from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from core.engine.columns import joins as module
from core.engine.columns.coded import Coded
from core.engine.columns.joins import (
    coded,
    coded_together,
    combinations_of,
    distinct,
    distinct_rows,
    joined,
    occurring,
    spread,
)


def test_columns_in_chunks_share_one_list_of_values() -> None:
    first = pa.chunked_array(
        [pa.array(["a", None]).dictionary_encode(), pa.array(["b"]).dictionary_encode()]
    )
    second = pa.array(["b", "c", "a"])
    one, other = coded_together([first, second])
    assert one.values.equals(other.values)
    assert one.to_array().to_pylist() == ["a", None, "b"]
    assert other.to_array().to_pylist() == ["b", "c", "a"]


def test_numbers_under_nulls_are_not_followed() -> None:
    """What stands under a null may be anything; Arrow's own unifying crashed on it."""
    wild = pa.array(np.array([0, 2_000_000_000], np.int32), mask=np.array([False, True]))
    column = pa.chunked_array(
        [
            pa.DictionaryArray.from_arrays(wild, pa.array(["a"]), safe=False),
            pa.array(["b", None]).dictionary_encode(),
        ]
    )
    assert coded(column).to_array().to_pylist() == ["a", None, "b", None]


def test_blank_and_empty_columns_are_coded_too() -> None:
    assert coded(pa.nulls(2, pa.string())).codes.tolist() == [-1, -1]
    assert coded(pa.chunked_array([], pa.string())).codes.tolist() == []


def test_equal_keys_are_numbered_by_first_appearance() -> None:
    numbers, first = distinct(np.array([7, 3, 7, 3, 9]))
    assert (numbers.tolist(), first.tolist()) == ([0, 1, 0, 1, 2], [0, 1, 4])
    numbers, first = distinct(np.array([], np.int64))
    assert (numbers.tolist(), first.tolist()) == ([], [])


def test_keys_may_have_several_columns() -> None:
    numbers, first = distinct_rows([np.array([1, 1, 2, 1]), np.array([5, 6, 5, 5])])
    assert (numbers.tolist(), first.tolist()) == ([0, 1, 2, 0], [0, 1, 2])


def test_spread_lists_the_entries_of_every_range() -> None:
    assert spread(np.array([4, 0, 9]), np.array([2, 0, 3])).tolist() == [4, 5, 9, 10, 11]


@pytest.mark.parametrize("far", [2**62, 8])
def test_joined_keys_are_equal_where_rows_are(far: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FAR", far)
    rows = [("a", "x"), ("a", None), (None, "x"), ("b", "x"), ("a", "x"), (None, None)]
    columns = [coded(pa.array(column, pa.string())) for column in zip(*rows, strict=True)]
    keys, bound = joined(columns)
    assert keys.max() < bound
    assert [keys.tolist().index(key) for key in keys] == [0, 1, 2, 3, 0, 5]


@pytest.mark.parametrize("values", [3, 300])
def test_combinations_have_an_example_each(values: int) -> None:
    texts = pa.array([str(number) for number in range(values)])
    columns = [
        Coded(np.array([0, 1, 0, 2], np.int32), texts),
        Coded(np.array([1, -1, 1, 0], np.int32), texts),
    ]
    numbers, example = combinations_of(columns)
    assert len(set(numbers.tolist())) == len(example) == 3
    assert numbers[0] == numbers[2]
    assert numbers[example].tolist() == [0, 1, 2]


def test_values_that_no_row_holds_are_left_behind() -> None:
    column = coded(pa.array(["a", "b", None, "c"]).dictionary_encode())
    some = occurring(Coded(column.codes[[3, 2, 0, 3]], column.values))
    assert some.values.to_pylist() == ["a", "c"]
    assert some.to_array().to_pylist() == ["c", None, "a", "c"]
    assert occurring(column) is column
    nothing = occurring(Coded(column.codes[:0], column.values))
    assert (len(nothing.values), len(nothing.codes)) == (0, 0)
