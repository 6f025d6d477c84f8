"""Each rule of a single field: what it finds, and what is stored."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from core.engine.offline.checking import References
from tests.small_dataset import (
    GOOD,
    HEADINGS,
    REGISTER,
    check_lines,
    check_values,
    codes,
    found,
    stored,
)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("Clinic ID", "", "missing-value"),
        ("Clinic ID", "   ", "missing-value"),
        ("Clinic ID", "A long clinic", "too-long"),
        ("Attendance Date", "2017-02-30", "bad-date"),
        ("Attendance Date", "2017-04-9", "bad-date"),
        ("Attendance Date", "17-04-2017", "bad-date"),
        ("Attendance Date", "2017-13-01", "bad-date"),
        ("Attendance Date", "2017-00-01", "bad-date"),
        ("Attendance Date", "20170403", "bad-date"),
        ("Attendance Date", "2017-04-03T00:00:00", "bad-date"),
        ("Attendance Date", "٢٠١٧-04-03", "bad-date"),
        ("Attendance Date", "1899-12-31", "out-of-range"),
        ("Attendance Date", "2101-01-01", "out-of-range"),
        ("Age", "forty", "bad-number"),
        ("Age", "40.0", "bad-number"),
        ("Age", "-1", "out-of-range"),
        ("Age", "121", "out-of-range"),
        ("Age", "9" * 400, "out-of-range"),
        ("Practice", "A1234", "bad-pattern"),
        ("Practice", "xA12345", "bad-pattern"),
        ("Practice", "A12345\nB", "bad-pattern"),
        ("Code 1", "T9", "unknown-code"),
        ("Code 3", "007x", "unknown-code"),
        ("Medium", "3", "unknown-code"),
        ("LSOA", "E01999999", "unknown-lsoa"),
        ("LSOA", "Q99999999", "unknown-lsoa"),
    ],
)
def test_a_wrong_value_is_found_once_and_kept(
    tmp_path: Path, field: str, value: str, code: str
) -> None:
    check = check_values(tmp_path, **{field: value})
    kept = value.strip() or None
    assert found(check) == [(2, field, kept, code)]
    assert stored(check, field) == [kept]
    assert stored(check, "in_error") == [True]


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("Clinic ID", "  C1 ", "C1"),
        ("Attendance Date", " 2016-02-29", "2016-02-29"),
        ("Attendance Date", "1900-01-01", "1900-01-01"),
        ("Age", "0", "0"),
        ("Age", "120", "120"),
        ("Practice", "A12345", "A12345"),
        ("Code 1", "t4", "T4"),
        ("Code 1", "C4N", "c4n"),
        ("Code 2", "007", "7"),
        ("Medium", "1", "01"),
        ("Medium", "0098", "98"),
        ("LSOA", "e01000001", "E01000001"),
        ("LSOA", "x99999998", "X99999998"),
        ("LSOA", "Z99999999", "Z99999999"),
        ("LSOA", "", None),
    ],
)
def test_a_good_value_is_stored_in_its_one_spelling(
    tmp_path: Path, field: str, value: str, kept: str | None
) -> None:
    check = check_values(tmp_path, **{field: value})
    assert codes(check) == []
    assert stored(check, field) == [kept]


def test_an_area_may_end_after_the_attendance_but_not_before(tmp_path: Path) -> None:
    check = check_lines(
        tmp_path,
        HEADINGS + ",LSOA",
        "C1,1,2021-12-31,E01000002",
        "C1,2,2022-01-01,E01000002",
        "C1,3,no date,E01000002",
    )
    assert found(check) == [
        (3, "LSOA", "E01000002", "retired-lsoa"),
        (4, "Attendance Date", "no date", "bad-date"),
    ]
    assert "2021-12-31" in check.errors["message"][0].as_py()


def test_clinics_provider_and_month_are_checked_where_they_are_given(tmp_path: Path) -> None:
    references = References(
        lsoas=REGISTER,
        clinics=frozenset({"C1"}),
        provider="RXX01",
        month=datetime.date(2017, 4, 1),
    )
    check = check_lines(
        tmp_path,
        HEADINGS + ",Organisation ID",
        "C1,1,2017-04-30,rxx01 ",
        "C1,1,2017-05-01,",
        "C2,1,2017-04-01,RXX02",
        references=references,
    )
    assert found(check) == [
        (3, "Attendance Date", "2017-05-01", "outside-month"),
        (4, "Clinic ID", "C2", "unknown-clinic"),
        (4, "Organisation ID", "RXX02", "wrong-provider"),
    ]
    assert stored(check, "in_error") == [False, False, True]
    assert (check.error_count, check.warning_count) == (2, 1)


def test_without_references_nothing_outside_the_file_is_asked_for(tmp_path: Path) -> None:
    check = check_lines(tmp_path, HEADINGS + ",LSOA", GOOD + ",e01999999", references=References())
    assert codes(check) == []
    assert stored(check, "LSOA") == ["E01999999"]


def test_checks_across_fields_name_the_field_they_expect(tmp_path: Path) -> None:
    check = check_lines(
        tmp_path,
        HEADINGS + ",Code 1,Code 2,Main Method,Method Status",
        GOOD + ",,,,1",  # a status without a method
        GOOD + ",,,1,01",
        GOOD + ",T1,,2,4",  # advice, no full screen, and yet a method
        GOOD + ",T1,t4,2,4",  # the full screen in any slot lifts the rule
        GOOD + ",,,,",
    )
    assert found(check) == [
        (2, "Main Method", None, "status-needs-method"),
        (4, "Main Method", "2", "advice-has-no-method"),
    ]
    assert check.errors["severity"].to_pylist() == ["warning", "error"]
    assert check.errors["message"].to_pylist()[1] == "Advice {only} has no method."
    assert stored(check, "in_error") == [False, False, True, False, False]


def test_errors_come_by_row_and_then_by_column(tmp_path: Path) -> None:
    check = check_lines(
        tmp_path, "Age,Patient ID,Attendance Date,Clinic ID", "x,,2017-02-30,", "y,,,"
    )
    assert [(row, field) for row, field, _, _ in found(check)] == [
        (2, "Clinic ID"),
        (2, "Patient ID"),
        (2, "Attendance Date"),
        (2, "Age"),
        (3, "Clinic ID"),
        (3, "Patient ID"),
        (3, "Attendance Date"),
        (3, "Age"),
    ]


def test_messages_name_the_field_not_the_slot(tmp_path: Path) -> None:
    check = check_values(tmp_path, **{"Code 3": "T9"})
    assert check.errors["message"].to_pylist() == ["“T9” is not a code for Code."]


def test_a_message_repeats_only_the_beginning_of_a_long_value(tmp_path: Path) -> None:
    check = check_values(tmp_path, **{"Patient ID": "9" * 5000})
    assert check.errors["value"].to_pylist() == ["9" * 5000]
    assert len(check.errors["message"][0].as_py()) < 200
