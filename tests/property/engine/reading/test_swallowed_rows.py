"""Notes over several lines stay one cell, whatever dates they hold; no quote swallows a row."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.small_dataset import SMALL, check_bytes, found, stored

NAMES = [
    "Clinic ID", "Patient ID", "Attendance Date", "LSOA", "Age", "Medium", "Code 1", "Code 2",
    "Main Method", "Notes",
]  # fmt: skip
assert set(NAMES[:-1]) <= set(SMALL.columns)


def row(patient: int, note: str = "") -> str:
    return f"C1,{patient},2017-04-03,,30,01,T1,,,{note}"


word = st.sampled_from(["seen", "2017-04-01", " 2017-04-08 ", "called back", "", "C1", "30", '""'])
line = st.lists(word, min_size=1, max_size=3).map(",".join)
note = st.lists(line, min_size=1, max_size=5).map("\n".join)


@settings(deadline=None)
@given(notes=st.lists(note, min_size=1, max_size=4), end=st.sampled_from(["\n", "\r\n"]))
def test_a_note_of_words_and_dates_is_one_cell(
    tmp_path_factory: pytest.TempPathFactory, notes: list[str], end: str
) -> None:
    rows = [row(number, f'"{text}"') for number, text in enumerate(notes, start=1)]
    lines = [",".join(NAMES), row(0), *rows, row(99)]
    check = check_bytes(tmp_path_factory.getbasetemp(), end.join([*lines, ""]).encode())
    assert {code for *_, code in found(check)} <= {"unknown-column"}
    assert stored(check, "Patient ID") == [str(at) for at in [0, *range(1, len(notes) + 1), 99]]


cell = st.integers(0, len(NAMES) - 1)


@settings(deadline=None)
@given(
    quoted=st.tuples(cell, cell),
    places=st.tuples(st.booleans(), st.booleans()),
    lines_between=st.tuples(st.integers(0, 4), st.integers(0, 3)),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_no_row_between_two_stray_quotes_is_lost(
    tmp_path_factory: pytest.TempPathFactory,
    quoted: tuple[int, int],
    places: tuple[bool, bool],
    lines_between: tuple[int, int],
    end: str,
) -> None:
    """Every row is read or named; a row between may lack cells at its end."""
    between, cut = lines_between
    rows = [row(number, "note") for number in range(between + 4)]
    for number, column, before in zip((1, between + 2), quoted, places, strict=True):
        cells = rows[number].split(",")
        cells[column] = f'"{cells[column]}' if before else f'{cells[column]}"'
        rows[number] = ",".join(cells)
    if between:
        rows[2] = ",".join(rows[2].split(",")[: len(NAMES) - cut])
    lines = [",".join(NAMES), *rows, ""]
    check = check_bytes(tmp_path_factory.getbasetemp(), end.join(lines).encode())
    named = {number for number, *_ in found(check) if number is not None}
    taken = {int(number) for number in check.records["row"].to_pylist()}
    assert named | taken == set(range(2, len(rows) + 2))
    assert check.counts is not None
    assert check.counts.there == len(rows)
