"""Files with one code a row: every code finds a slot, every row stays a row."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.engine.reading import open_file
from core.engine.reading.transposing import slots_of
from tests.small_dataset import GOOD, HEADINGS, SMALL, check_lines, codes, found, stored

HEADING = HEADINGS + ",Episode_Activity"


def test_each_new_code_of_an_episode_takes_the_next_slot(tmp_path: Path) -> None:
    check = check_lines(
        tmp_path,
        HEADING,
        "C1,1,2017-04-03,T4",
        "C1,2,2017-04-03,T1",
        " C1 ,1,2017-04-03,T1",
        "C1,1,2017-04-03,t4",
        "C1,1,2017-04-03,",
        "C1,1,2017-04-04,T2",
        "C1,1,2017-04-03,7",
        transpose=True,
    )
    assert codes(check) == []
    assert stored(check, "Code 1") == ["T4", "T1", None, "T4", None, "T2", None]
    assert stored(check, "Code 2") == [None, None, "T1", None, None, None, None]
    assert stored(check, "Code 3") == [None] * 6 + ["7"]


def test_a_code_too_many_is_an_error_of_its_record(tmp_path: Path) -> None:
    check = check_lines(
        tmp_path,
        HEADING,
        *[f"C1,1,2017-04-03,{code}" for code in ("T4", "T1", "T2", "C4", "t4", "c4 ")],
        transpose=True,
    )
    assert found(check) == [
        (5, "Code 3", "C4", "too-many-codes"),
        (7, "Code 3", "c4", "too-many-codes"),
    ]
    assert stored(check, "in_error") == [False, False, False, True, False, True]


def test_a_wrong_code_keeps_its_row_and_counts_as_a_code(tmp_path: Path) -> None:
    check = check_lines(tmp_path, HEADING, GOOD + ",T4", GOOD + ",zz", GOOD + ",T1", transpose=True)
    assert found(check) == [(3, "Code 2", "zz", "unknown-code")]
    assert stored(check, "Code 3") == [None, None, "T1"]


def test_the_column_of_codes_must_be_there(tmp_path: Path) -> None:
    check = check_lines(tmp_path, HEADINGS, GOOD, transpose=True)
    assert found(check) == [(None, "Code", None, "missing-column")]
    assert "Code, Episode_Activity" in check.errors["message"][0].as_py()


def test_a_column_of_codes_and_a_slot_are_two_columns_on_one_field(tmp_path: Path) -> None:
    check = check_lines(tmp_path, HEADING + ",Code 2", GOOD + ",T1,T2", transpose=True)
    assert codes(check) == ["duplicate-column"]


def test_an_episode_may_lie_in_several_chunks(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    rows = [
        f"C1,{number % 30_000},2017-04-03,{('T1', 'T2')[number // 30_000]}"
        for number in range(60_000)
    ]
    path.write_text("\n".join([HEADING, *rows]))
    with open_file(path, SMALL, transpose=True, chunk_rows=7_000) as reading:
        chunks = list(reading.chunks())
    assert max(chunk.num_rows for chunk in chunks) == 7_000
    second = [value for chunk in chunks for value in chunk["Code 2"].to_pylist()]
    assert second == [None] * 30_000 + ["T2"] * 30_000
    assert [row for chunk in chunks for row in chunk["row"].to_pylist()] == list(range(2, 60_002))


def test_slots_are_counted_by_episode() -> None:
    episodes = np.array([5, 5, 2, 5, 2, 5, 2])
    codes = np.array([1, 0, 1, 1, -1, 3, 0])
    assert slots_of(episodes, codes).tolist() == [0, 1, 0, 0, -1, 2, 1]
    assert slots_of(np.array([0]), np.array([-1])).tolist() == [-1]
