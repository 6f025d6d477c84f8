"""What a number format shows, and what becomes of a number that shows something else."""

from __future__ import annotations

import pytest

from core.engine.columns.marks import DATE_CELL, DATE_WITH_TIME, NOT_AS_SHOWN, ROUNDED_NUMBER
from core.engine.reading.workbooks.number_formats import number_format
from core.engine.reading.workbooks.typed_cells import formatted_text


@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        ("General", 1001.0, "1001"),
        ("@", 12.0, "12"),
        ("0", 1001.0, "1001"),
        ("0", 1001.5, "1002"),
        ("0", -5.0, "-5"),
        ("0000000", 1001.0, "0001001"),
        ("#,##0", 1001.0, "1,001"),
        ("#,##0", 100.0, "100"),
        ("#,##0", 1234567.0, "1,234,567"),
        ("0.00", 1001.4, "1001.40"),
        ("#,##0.0#", 1234.5, "1,234.5"),
        ("0%", 0.5, "50%"),
        ("0,", 1500.0, "2"),
        ("#", 0.0, ""),
        (";;;", 5.0, ""),
        ("000 000 0000", 9434765919.0, "943 476 5919"),
        (r"000\-00\-0000", 123456789.0, "123-45-6789"),
        ('"RX"0000', 12.0, "RX0012"),
        ("#,##0;(#,##0)", -1234.0, "(1,234)"),
        ('0;-0;"zero"', 0.0, "zero"),
        ("[Red]0", 3.0, "3"),
        ("[$£-809]0.0", 3.0, "£3.0"),
        ("0_-", 5.0, "5 "),
        ("??0", 5.0, "  5"),
        ("0.00E+00", 3.0, None),
        ("[>5]0;00", 3.0, None),
        ("# ?/?", 0.5, None),
    ],
)
def test_what_a_format_shows(code: str, number: float, shown: str | None) -> None:
    assert number_format(code).shown(number) == shown


@pytest.mark.parametrize("code", ["yyyy-mm-dd", "d mmm", "[h]:mm", "mm:ss.0", "[$-409]d-mmm-yy;@"])
def test_formats_of_dates(code: str) -> None:
    assert number_format(code).is_date


@pytest.mark.parametrize("code", ["General", "0", "[Red]0", '"day" 0', r"\d0", "_d0", "0.00E+00"])
def test_formats_of_numbers(code: str) -> None:
    assert not number_format(code).is_date


@pytest.mark.parametrize(
    ("code", "number", "text"),
    [
        ("General", 0.1 + 0.2, "0.30000000000000004"),
        ("0", 999_999_999_999_999.0, "999999999999999"),
        ("General", 1e15, ROUNDED_NUMBER + "1000000000000000"),
        ("0", 1e15, ROUNDED_NUMBER + "1000000000000000"),
        ("0000", 12345.0, "12345"),
        ("yyyy-mm-dd", 42828.0, DATE_CELL + "2017-04-03"),
        ("yyyy-mm-dd", 59.0, DATE_CELL + "1900-02-28"),
        ("yyyy-mm-dd", 61.0, DATE_CELL + "1900-03-01"),
        ("yyyy-mm-dd", 1.0, DATE_CELL + "1900-01-01"),
        ("yyyy-mm-dd", 42828.5, DATE_WITH_TIME + "2017-04-03 12:00:00"),
        ("h:mm", 0.5, DATE_WITH_TIME + "12:00:00"),
        ("[h]:mm", 1.5, DATE_WITH_TIME + "36:00:00"),
    ],
)
def test_the_text_of_a_number(code: str, number: float, text: str) -> None:
    assert formatted_text(number, number_format(code), from_1904=False) == text


@pytest.mark.parametrize("number", [0.0, 60.0, -1.0, 2_958_466.0, 1e300])
def test_a_day_that_no_calendar_has_is_no_date(number: float) -> None:
    text = formatted_text(number, number_format("yyyy-mm-dd"), from_1904=False)
    assert text.startswith(NOT_AS_SHOWN)
