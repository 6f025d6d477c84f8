from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from core.engine.columns import csv_lines
from core.engine.columns.csv_lines import (
    Spaced,
    as_cells,
    as_one,
    in_text_order,
    in_words,
    write_csv,
)
from core.engine.columns.joins import coded


@pytest.fixture(params=[1, 2, 100])
def lines_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_lines, "LINES_AT_ONCE", request.param)


@pytest.mark.usefixtures("lines_at_once")
def test_any_csv_reader_reads_back_what_was_written(tmp_path: Path) -> None:
    awkward = ['a "b"', "x,y", None, "line\nbreak", "=1+1"]
    column = coded(pa.array(awkward))
    amounts = np.array([5, 0, 123456, 100, 1])
    path = tmp_path / "out.csv"
    order = np.array([4, 3, 2, 1, 0])
    one = as_one([as_cells(column), in_words(amounts)])
    write_csv(path, ["text", "text,again", "amount", "both"], [as_cells(column), one,
              Spaced([column, column])], order)  # fmt: skip
    with path.open(newline="") as lines:
        found = list(csv.reader(lines))
    texts = [text or "" for text in awkward]
    pounds = ["0.05", "0.00", "1234.56", "1.00", "0.01"]
    both = [f"{text} {text}".strip() for text in texts]
    expected = [list(row) for row in zip(texts, texts, pounds, both, strict=True)]
    assert found == [["text", "text,again", "amount", "both"], *reversed(expected)]


def test_cells_are_quoted_only_where_they_need_it(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write_csv(path, ["a"], [as_cells(coded(pa.array(["plain", "x,y"])))], np.arange(2))
    assert path.read_bytes() == b'a\nplain\n"x,y"\n'


def test_several_slots_stand_in_one_cell_without_gaps(tmp_path: Path) -> None:
    slots = [
        coded(pa.array(column)) for column in (["T1", None, None], [None, "T2", None], ["C4"] * 3)
    ]
    path = tmp_path / "out.csv"
    write_csv(
        path,
        ["codes"],
        [
            Spaced(slots[:2]),
        ],
        np.arange(3),
    )
    assert path.read_text() == "codes\nT1\nT2\n\n"
    write_csv(path, ["codes"], [Spaced(slots)], np.arange(3))
    assert path.read_text() == "codes\nT1 C4\nT2 C4\nC4\n"


def test_values_are_put_in_alphabetical_order() -> None:
    column = in_text_order(coded(pa.array(["10", "9", None, "Z", "a", "10"])))
    assert column.values.to_pylist() == ["10", "9", "Z", "a"]
    assert column.to_array().to_pylist() == ["10", "9", None, "Z", "a", "10"]
