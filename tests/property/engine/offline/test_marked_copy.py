"""A marked copy, checked as it is, has the rows, fields and codes of the file it was made of."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tempfile
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.engine.offline import marked_copy
from core.engine.offline.copied_rows import NothingToMark
from tests.marking import checked, copied, of_rows
from tests.small_dataset import HEADINGS

NAMES = [*HEADINGS.split(","), "Age", "LSOA", "Code 1", "Notes"]

odd_text = st.sampled_from(
    [
        "", " ", "C1", "1001", "0001001", "2017-04-03", "2017-02-30", "1850-01-01", "2150-01-01",
        "03/04/2017", "#N/A", "#SPILL!", "#TWICE! a | b", "#RAGGED!", "#NO-RESULT! =A1", "'#N/A",
        '="007"', "'007", "=1+1", "+44", "-5", "@x", "1.23457E+15", "1E5", "T1", "t1", "ZZ", "35",
        "-3", "999", "E01000001", "E09", "zero\u200bwidth", "é", "e\u0301", "\ue000x", "\ue006y",
        "_x0041_", "_x0000_", "a\u0001b", "line\nbreak", 'quo"te', "TRUE", "1,001", "\u0661\u0662",
        "\ufeff1001", "x" * 60, "y" * 33_000, "😀" * 17_000,
    ]
)  # fmt: skip
text = odd_text | st.text(max_size=12)
row = st.lists(text, min_size=1, max_size=len(NAMES) + 2)
plain_row = st.tuples(st.just("C1"), text, st.just("2017-04-03"), text, text, text, text)
common = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def assert_same(path: Path, folder: Path) -> None:
    try:
        workbooks = copied(path, folder / "copy.xlsx")
    except NothingToMark:
        assert checked(path).refused
        return
    assert len(workbooks) == 1
    file, copy = checked(path), checked(workbooks[0])
    assert of_rows(copy) == of_rows(file)
    if not file.refused:
        assert copy.record_count == file.record_count


@given(st.lists(row | plain_row, max_size=8), st.sampled_from([",", ";", "\t"]), st.booleans())
@common
def test_of_csv(rows: list[list[str]], delimiter: str, quoted: bool) -> None:
    out = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=delimiter, quoting=quoting).writerows([NAMES, *rows])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        path.write_text(out.getvalue(), encoding="utf-8", errors="replace", newline="")
        assert_same(path, Path(folder))


@given(st.lists(st.text(alphabet='",;a\n\r1 é', max_size=40), max_size=6))
@common
def test_of_csv_with_stray_quotes(lines: list[str]) -> None:
    good = ["C1,1,2017-04-03,,,,"] * 2
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        content = "\n".join([",".join(NAMES), *good, *lines, *good, ""])
        path.write_text(content, encoding="utf-8", newline="")
        assert_same(path, Path(folder))


moments = st.datetimes(dt.datetime(1900, 3, 1), dt.datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda each: each.replace(microsecond=0)
)
cell: st.SearchStrategy[Any] = st.one_of(
    text, st.floats(-1e16, 1e16), st.integers(-100, 10**16), st.booleans(), moments, st.none()
)
shape = st.sampled_from(
    ["", "0", "0000000", "#,##0", "0.00", "yyyy-mm-dd", "h:mm", "[h]:mm", ";;;", '"ZX"0', "@", "0%"]
)
cells = st.lists(st.tuples(cell, shape), max_size=len(NAMES) + 1)


@given(st.lists(cells, max_size=6), st.booleans())
@common
def test_of_workbooks(rows: list[list[tuple[Any, str]]], looks: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.xlsx"
        with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, NAMES)
            for at, held in enumerate(rows, start=1):
                for column, (value, code) in enumerate(held):
                    looked = book.add_format({"num_format": code} if code else {})
                    if isinstance(value, dt.datetime):
                        sheet.write_datetime(at, column, value, looked)
                    elif value is not None:
                        sheet.write(at, column, value, looked)
        kept, marked_copy.KEPT_WHOLE = marked_copy.KEPT_WHOLE, 20 << 20 if looks else 0
        try:
            assert_same(path, Path(folder))
        finally:
            marked_copy.KEPT_WHOLE = kept


def test_a_copy_with_looks_is_one_of_openpyxls(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(NAMES)
    book.active.append(["C1", "1", "no date"])
    book.active.column_dimensions["B"].width = 77
    book.save(tmp_path / "file.xlsx")
    copied(tmp_path / "file.xlsx", tmp_path / "copy.xlsx")
    kept = openpyxl.load_workbook(tmp_path / "copy.xlsx").active
    assert kept.column_dimensions["B"].width == 77
    assert "no date" in kept["C2"].comment.text
