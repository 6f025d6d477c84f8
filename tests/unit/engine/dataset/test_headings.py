"""How headings find their fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.engine.dataset.headings import column_letter, match_headings
from core.engine.reading import open_file
from tests.small_dataset import GOOD, HEADINGS, SMALL, check_lines, codes, found, stored


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("clinic_id", "Clinic ID"),
        ("CLINIC.ID", "Clinic ID"),
        (" Clinic-Id ", "Clinic ID"),
        ("Clinic\nID", "Clinic ID"),
        ("clinic", "Clinic ID"),
        ("Consultation Date", "Attendance Date"),
        ("code_2", "Code 2"),
        ("Code2", "Code 2"),
        ("Clinic ID 1", None),
        ("Code 4", "Code 4"),  # beyond the slots: what stands there is an error
        ("Code 1234567", "Code 1234567"),
        pytest.param(f"Code {'9' * 5000}", f"Code {'9' * 5000}", id="5,000 digits"),
        pytest.param(f"Code {'0' * 5000}2", "Code 2", id="5,000 zeros"),
        ("Code 02", "Code 2"),
        ("code_003", "Code 3"),
        ("Code\u200b 2", "Code 2"),
        ("Clinic–ID", "Clinic ID"),
        ("Code", None),
        ("", None),
    ],
)
def test_a_heading_finds_its_column(heading: str, column: str | None) -> None:
    assert match_headings([heading], SMALL).columns == [column]


def test_a_missing_required_column_refuses_the_file_and_names_what_would_do(
    tmp_path: Path,
) -> None:
    check = check_lines(tmp_path, "Patient ID,Attendance Date,Age", "1,2017-04-03,x")
    assert found(check) == [(None, "Clinic ID", None, "missing-column")]
    assert "Clinic ID, Clinic" in check.errors["message"][0].as_py()
    assert check.refused
    assert check.record_count == 0


def test_two_columns_on_one_field_refuse_the_file(tmp_path: Path) -> None:
    check = check_lines(tmp_path, HEADINGS + ",clinic", GOOD + ",C2")
    assert found(check) == [(None, "Clinic ID", None, "duplicate-column")]
    message = check.errors["message"][0].as_py()
    assert "“Clinic ID”" in message
    assert "“clinic”" in message


def test_unknown_columns_are_warned_of_and_left_out(tmp_path: Path) -> None:
    check = check_lines(tmp_path, HEADINGS + ",Notes,Notes", GOOD + ",a,b")
    assert codes(check) == ["unknown-column", "unknown-column"]
    assert check.error_count == 0
    assert check.record_count == 1


def test_a_column_without_heading_is_named_by_its_letter_if_it_holds_data(tmp_path: Path) -> None:
    check = check_lines(tmp_path, HEADINGS + ",,,", GOOD + ",, ,x")
    assert codes(check) == ["unknown-column"]
    assert "Column F " in check.errors["message"][0].as_py()


def test_a_column_of_codes_a_row_suggests_transposing(tmp_path: Path) -> None:
    check = check_lines(tmp_path, HEADINGS + ",Episode_Activity", GOOD + ",T1")
    assert codes(check) == ["unknown-column"]
    assert "transposing" in check.errors["message"][0].as_py()


def test_what_the_user_chose_goes_before_what_matches(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Klinik,Patient ID,Attendance Date,Age\nC1,1,2017-04-03,9\n")
    chosen = {"klinik": "Clinic ID", "Age": None}
    with open_file(path, SMALL, headings=chosen) as reading:
        table = next(reading.chunks())
    assert not reading.refused
    assert reading.errors.num_rows == 0
    assert table["Clinic ID"].to_pylist() == ["C1"]
    assert table["Age"].to_pylist() == [None]


def test_every_column_of_the_layout_is_there_in_its_order(tmp_path: Path) -> None:
    check = check_lines(tmp_path, "Age,Attendance Date,Patient ID,Clinic ID", "9,2017-04-03,1,C1")
    assert check.records.column_names == ["row", "in_error", *SMALL.columns]
    assert stored(check, "Code 2") == [None]
    assert [heading.column for heading in check.headings] == [
        "Age",
        "Attendance Date",
        "Patient ID",
        "Clinic ID",
    ]


def test_letters_over_columns() -> None:
    assert [column_letter(at) for at in (0, 25, 26, 701, 702, 16383)] == [
        "A",
        "Z",
        "AA",
        "ZZ",
        "AAA",
        "XFD",
    ]


@pytest.mark.parametrize("slot", ["4", "1234567", "12345678901234567890"])
def test_a_code_beyond_the_slots_is_an_error_however_far_beyond(tmp_path: Path, slot: str) -> None:
    check = check_lines(tmp_path, f"{HEADINGS},Code {slot}", f"{GOOD},X", f"{GOOD},")
    assert [(each[0], each[3]) for each in found(check)] == [(2, "too-many-codes")]
