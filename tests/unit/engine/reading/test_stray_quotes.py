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
        '"2017-04-01\nseen, 2017-04-08, again"',
        '"2017-04-01, 2017-04-08\n2017-04-15, seen"',
        '"seen, 2017-04-08, \nthen"',
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


def wide_row(patient: object, separator: str = ",") -> str:
    cells = ["ZX1-A", str(patient), "2017-04-03", "E01000001", "ZX1", "34", "", "T2", "", "11"]
    return separator.join(cells)


WIDE = "Clinic ID,Patient ID,Attendance Date,Home,Organisation,Age,Gender,Test,Other,Activity"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("between", [[], ["a line of text"], ["a line", "another"]])
@pytest.mark.parametrize("wide", [True, False])
def test_a_note_in_the_first_column_swallows_nobody(
    tmp_path: Path, separator: str, between: list[str], wide: bool
) -> None:
    made = wide_row if wide else lambda patient, sep: row(patient).replace(",", sep)
    headings = separator.join(["Remark", *(WIDE if wide else HEADINGS).split(",")])
    lines = [
        f"a{separator}{made(1001, separator)}",
        f'"abc{separator}{made(1002, separator)}',
        *between,
        f'x"{separator}{made(1003, separator)}',
        f"b{separator}{made(1004, separator)}",
    ]
    content = "\n".join([headings, *lines, ""]).encode()
    check = check_bytes(tmp_path, content)
    named = [line for line, _, _, code in found(check) if code == "ragged-row"]
    assert {3, 4 + len(between)} <= set(named)
    assert {"1001", "1002", "1003", "1004"} - set(stored(check, "Patient ID")) <= {"1002", "1003"}
    assert {"1001"} <= set(stored(check, "Patient ID"))


def test_quotes_in_the_middle_of_two_rows_swallow_nobody(tmp_path: Path) -> None:
    lines = ['C1,"1,2017-04-03,30,fine', 'C1,2",2017-04-03,30,fine', row(3)]
    named, patients = read(tmp_path, *lines)
    assert (named, patients) == ([2, 3], [(4, "3")])


def test_a_first_cell_with_commas_and_lines_is_one_cell(tmp_path: Path) -> None:
    lines = [f'"{text}",{row(1)}' for text in ("said, twice\nyes", "one, two, three\nfour")]
    content = "\n".join([f"Remark,{HEADINGS}", *lines, ""]).encode()
    assert stored(check_bytes(tmp_path, content), "row") == [2, 3]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_stray_quote_among_the_headings_is_named_and_swallows_nobody(
    tmp_path: Path, end: str
) -> None:
    lines = [f'{HEADINGS},"Remark', f"{row(1)},a", f'{row(2)},b"', f"{row(3)},c", ""]
    check = check_bytes(tmp_path, end.join(lines).encode())
    named = [line for line, _, _, code in found(check) if code == "ragged-row"]
    assert named == [1]
    assert stored(check, "Patient ID") == ["1", "2", "3"]


def test_a_quote_among_the_headings_that_is_never_closed_is_named(tmp_path: Path) -> None:
    check = check_bytes(tmp_path, f'{HEADINGS},"Remark\n{row(1)},a\n{row(2)},b\n'.encode())
    assert (1, "ragged-row") in [(line, code) for line, _, _, code in found(check)]
    assert stored(check, "Patient ID") == ["1", "2"]


def test_headings_over_several_lines_are_headings(tmp_path: Path) -> None:
    content = b'"Clinic\nID","Patient ID","Attendance\nDate",Age\nC1,1,2017-04-03,30\n'
    check = check_bytes(tmp_path, content)
    assert (found(check), stored(check, "Patient ID")) == ([], ["1"])
