"""Files glued together, titles above the headings, two rows of headings, slots too many."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.engine.offline.checking import References, check_file
from tests.small_dataset import (
    GOOD,
    HEADINGS,
    SMALL,
    check_bytes,
    check_lines,
    codes,
    found,
    stored,
)

BOM = "\ufeff"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    "seam", [BOM + GOOD, "\x1a" + GOOD, BOM + '"C1",1,2017-04-03', "\x1a" + BOM + GOOD]
)
def test_a_mark_in_the_middle_is_said_and_read_over(
    tmp_path: Path, seam: str, encoding: str
) -> None:
    check = check_bytes(tmp_path, "\n".join([HEADINGS, GOOD, seam, GOOD]).encode(encoding))
    assert found(check) == [(3, None, None, "joined-file")]
    assert stored(check, "Clinic ID") == ["C1"] * 3


@pytest.mark.parametrize(
    "again",
    [
        HEADINGS,
        BOM + HEADINGS,
        "\x1a" + HEADINGS,
        "clinic_id,PATIENT-ID, attendance date",
        "Clinic,Patient ID,consultation_date",
        '"Clinic ID","Patient ID","Attendance Date"',
    ],
)
def test_the_headings_again_are_no_record(tmp_path: Path, again: str) -> None:
    check = check_lines(tmp_path, HEADINGS, GOOD, again, GOOD, GOOD)
    assert found(check) == [(3, None, None, "joined-file")]
    assert stored(check, "row") == [2, 4, 5]
    assert not check.error_count


def test_the_headings_in_another_order_are_an_error(tmp_path: Path) -> None:
    other = "Patient ID,Clinic ID,Attendance Date"
    check = check_lines(tmp_path, HEADINGS, GOOD, other, "1,C1,2017-04-03")
    assert found(check) == [(3, None, None, "headings-elsewhere")]
    assert check.error_count == 1


def test_a_record_with_a_heading_for_a_date_is_a_record_in_error(tmp_path: Path) -> None:
    check = check_lines(tmp_path, HEADINGS, "C1,1,Attendance Date")
    assert codes(check) == ["bad-date"]


@pytest.mark.parametrize("lines", [["Report,,"], ["Report"], ["Report: a, b"], ["", ""], [",,"],
                                   ["# made by x", "", "Provider,ZX1"]])  # fmt: skip
@pytest.mark.parametrize("separator", [",", ";"])
def test_rows_above_the_headings_are_told(tmp_path: Path, lines: list[str], separator: str) -> None:
    rows = [line.replace(",", separator) for line in [*lines, HEADINGS, GOOD]]
    check = check_lines(tmp_path, *rows)
    row = len(lines) + 1
    assert found(check) == [(row, None, None, "headings-elsewhere")]
    assert f"row {row}" in check.errors["message"][0].as_py()
    assert check.refused


def test_the_row_of_the_headings_can_be_chosen(tmp_path: Path) -> None:
    lines = ["Report,,", '"a\nb",,', HEADINGS, GOOD, "C1,1,x"]
    path = tmp_path / "titled.csv"
    path.write_text("\n".join(lines))
    check = check_file(path, SMALL, References(), heading_row=3)
    assert found(check) == [(5, "Attendance Date", "x", "bad-date")]
    assert stored(check, "row") == [4, 5]


def test_of_two_rows_of_headings_the_one_that_has_the_required_ones_counts(
    tmp_path: Path,
) -> None:
    check = check_lines(tmp_path, "Place,Person,When", HEADINGS, GOOD)
    assert found(check) == [(2, None, None, "joined-file")]
    assert stored(check, "row") == [3]


def test_a_required_column_that_stands_nowhere_is_missing(tmp_path: Path) -> None:
    check = check_lines(tmp_path, "Report,,", "Clinic ID,Patient ID,When", GOOD)
    assert {"missing-column"} == {code for code in codes(check) if code != "unknown-column"}


def test_a_slot_beyond_the_last_is_an_error_only_where_it_holds_something(tmp_path: Path) -> None:
    check = check_lines(tmp_path, HEADINGS + ",Code 4", f"{GOOD},", f"{GOOD},T1", f"{GOOD}, ")
    assert found(check) == [(3, "Code 4", "T1", "too-many-codes")]
    assert stored(check, "in_error") == [False, True, False]
    assert "Code 4" not in check.records.column_names
    empty = check_lines(tmp_path, HEADINGS + ",code_04", f"{GOOD},")
    assert found(empty) == [(None, "Code", "code_04", "unknown-column")]


def test_codes_beyond_the_slots_are_not_left_out_with_their_column(tmp_path: Path) -> None:
    path = tmp_path / "slots.csv"
    path.write_text(f"{HEADINGS},Code 4,Notes\n{GOOD},T1,T2\n")
    left_out = {"Code 4": None, "Notes": None}
    check = check_file(path, SMALL, References(), headings=left_out)
    assert found(check) == [(2, "Code 4", "T1", "too-many-codes")]
    check = check_file(path, SMALL, References(), headings={**left_out, "Code 4": "Code 3"})
    assert (found(check), stored(check, "Code 3")) == ([], ["T1"])


def test_slots_with_leading_zeros_are_slots(tmp_path: Path) -> None:
    check = check_lines(tmp_path, HEADINGS + ",Code 01,CODE_002", f"{GOOD},T1,T2")
    assert codes(check) == []
    assert (stored(check, "Code 1"), stored(check, "Code 2")) == (["T1"], ["T2"])


def test_a_slot_written_in_two_ways_is_there_twice(tmp_path: Path) -> None:
    check = check_lines(tmp_path, HEADINGS + ",Code 1,Code 01", f"{GOOD},T1,T2")
    assert codes(check) == ["duplicate-column"]


def test_a_message_on_a_heading_shows_what_nobody_can_see(tmp_path: Path) -> None:
    check = check_lines(tmp_path, HEADINGS + ",Colour\u200b", f"{GOOD},blue")
    assert "“Colour[U+200B zero width space]”" in check.errors["message"][0].as_py()


def test_a_transposed_file_is_read_as_people_read_it(tmp_path: Path) -> None:
    lines = ["Code\u00ad,Clinic ID,Patient ID,Attendance Date",
             'T1,C1,1001,2017-04-03', 'T2\u200b,C1,="1001",2017-04-03',
             "T1,C1\u00a0,'1001,2017-04-03", "T1,C1,\ue002x,2017-04-03"]  # fmt: skip
    check = check_lines(tmp_path, *lines, transpose=True)
    assert codes(check) == []
    assert stored(check, "Code 1") == ["T1", None, "T1", "T1"]
    assert stored(check, "Code 2") == [None, "T2", None, None]
    assert stored(check, "Patient ID") == ["1001", "1001", "1001", "\ue002x"]
