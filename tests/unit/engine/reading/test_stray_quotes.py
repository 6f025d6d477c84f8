"""A quote that is out of place never makes rows vanish: its row is named, the others are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.small_dataset import check_bytes, found, stored

HEADINGS = "Clinic ID,Patient ID,Attendance Date,Age,Notes"


def row(patient: object, notes: str = "fine") -> str:
    return f"C1,{patient},2017-04-03,30,{notes}"


def read(
    folder: Path, *rows: str, end: str = "\r\n", headings: str = HEADINGS
) -> tuple[list, list]:  # type: ignore[type-arg]
    """The rows that are named, and the patients that were read, with their rows."""
    check = check_bytes(folder, end.join([headings, *rows, ""]).encode())
    named = [line for line, _, _, code in found(check) if code == "ragged-row"]
    assert {code for *_, code in found(check)} <= {"ragged-row", "unknown-column"}
    patients = zip(stored(check, "row"), stored(check, "Patient ID"), strict=True)
    assert check.row_count == len(named) + check.record_count
    return named, list(patients)


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\r\r\n"])
@pytest.mark.parametrize(
    ("first", "last"),
    [
        (row(2, '"urgent'), row(4, 'called back"')),
        (row(2, ' "urgent'), row(4, 'called back"')),
        (row(2, '"urgent, soon'), row(4, 'called, back"')),
        ('C1,2,2017-04-03,"30,fine', 'C1,4,2017-04-03,30",fine'),
        ('C1,"2,2017-04-03,30,fine', 'C1,4",2017-04-03,30,fine'),
        (row(2, '"urgent'), row(4, '"called back')),
    ],
)
def test_rows_between_two_stray_quotes_are_read(
    tmp_path: Path, first: str, last: str, end: str
) -> None:
    named, patients = read(tmp_path, row(1), first, row(3), last, row(5), end=end)
    assert named == [3, 5]  # both have a quote to be taken out
    assert patients == [(2, "1"), (4, "3"), (6, "5")]


def test_two_rows_are_not_one_either(tmp_path: Path) -> None:
    named, patients = read(tmp_path, row(1, '"urgent'), row(2, 'called back"'), row(3))
    assert (named, patients) == ([2, 3], [(4, "3")])


def test_a_quote_that_is_never_closed_hides_nothing(tmp_path: Path) -> None:
    many = [row(number) for number in range(2, 20_000)]
    named, patients = read(tmp_path, row(1, '"urgent'), *many)
    assert named == [2]
    assert len(patients) == len(many)


def test_a_quote_within_a_quoted_cell_is_named_and_not_taken_out(tmp_path: Path) -> None:
    named, patients = read(
        tmp_path, 'C1,"10"01",2017-04-03,30,x', '"C1","2","2017-04-03","30","5"" x"'
    )
    assert (named, patients) == ([2], [(3, "2")])


@pytest.mark.parametrize(
    "notes",
    [
        '"line one\nline two"',
        '"line one\r\n\r\nline, two"',
        '"a, b\nc, d\ne, f"',
        '"said ""yes""\nand went"',
        '"\n"',
    ],
)
def test_a_note_over_several_lines_is_one_cell_and_one_row(tmp_path: Path, notes: str) -> None:
    named, patients = read(tmp_path, row(1, notes), row(2), row(3, notes), row(4))
    assert (named, patients) == ([], [(2, "1"), (3, "2"), (4, "3"), (5, "4")])


def test_an_address_in_the_first_cell_may_have_lines(tmp_path: Path) -> None:
    lines = ['"C1\nHigh Street",1,2017-04-03,30,x', '"C1\nHigh Street",2,2017-04-03,30,x']
    named, patients = read(tmp_path, *(line.replace("C1\nHigh Street", "C1\nHS") for line in lines))
    assert (named, patients) == ([], [(2, "1"), (3, "2")])


def test_a_ragged_row_over_several_lines_hides_no_row(tmp_path: Path) -> None:
    named, patients = read(tmp_path, 'C1,1,"2017-04-03', 'C1",2,2017-04-03,30,x', row(3))
    assert 2 in named
    assert (4, "3") in patients


def test_after_a_stray_quote_the_fast_way_goes_on(tmp_path: Path) -> None:
    rows = [row(number) for number in range(200_000)]
    rows[10] = row(10, '"urgent')
    rows[150_000] = row(150_000, '"a\nb"')
    named, patients = read(tmp_path, *rows)
    assert named == [12]
    assert patients[-1] == (200_001, "199999")
    assert len(patients) == 199_999
