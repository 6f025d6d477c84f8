"""Workbooks: what calamine's own tests expect, and how typed cells are judged."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
import xlwt

from core.engine.columns.marks import DATE_CELL, DATE_WITH_TIME, ERROR_CELL
from core.engine.dataset.corrections import Correction, apply_corrections
from core.engine.dataset.record_checks import check_chunk
from core.engine.offline.checking import FileCheck, References, check_file
from core.engine.reading import open_file
from core.engine.reading.files import open_source
from tests.small_dataset import DATA, HEADINGS, REGISTER, SMALL, found, stored

CALAMINE = DATA / "calamine"
EXPECTED: dict[str, Any] = json.loads((CALAMINE / "expected.json").read_text())
DAY = datetime.datetime(2017, 4, 3)  # noqa: DTZ001 - a cell has no time zone

CELLS = [
    (name, tuple(json.loads(place)), wanted)
    for name, facts in EXPECTED.items()
    if name != "source"
    for place, wanted in facts.get("cells", {}).items()
    if facts.get("sheet") != "inlineStr" or name == "whitespace_trim.xlsx"
]


def read_cells(name: str) -> list[list[str]]:
    """Every cell of the first sheet from A1 on, as the checks see it, blank as ""."""
    source = open_source(CALAMINE / name, SMALL)
    assert [found["code"] for found in source.findings if found["severity"] == "error"] in (
        [],
        ["empty-file"],
    )
    rows = {1: source.cells}
    for table in source.tables(range(len(source.cells)), 1000):
        names = [column for column in table.column_names if column != "row"]
        cells = (table[column].cast("string").to_pylist() for column in names)
        for row, *texts in zip(table["row"].to_pylist(), *cells, strict=True):
            rows[row] = [text or "" for text in texts]
    assert source.ragged == []
    source.close()
    width = len(source.cells)
    return [rows.get(row, [""] * width) for row in range(1, max(rows) + 1)] if width else []


def as_text(wanted: Any) -> str:
    """A cell in the words of expected.json as the checks see it, without white space around."""
    if isinstance(wanted, dict):
        return (
            DATE_CELL + wanted["date"] if "date" in wanted else DATE_WITH_TIME + wanted["duration"]
        )
    return "" if wanted is None else str(wanted).strip()


@pytest.mark.parametrize(("name", "place", "wanted"), CELLS)
def test_cells_are_what_calamine_expects(name: str, place: tuple[int, int], wanted: object) -> None:
    row, column = place
    text = as_text(wanted)
    if name == "date_iso.xlsx":
        text = DATE_WITH_TIME + text.replace("T", " ")
    if row == 0:  # a heading has no marks
        text = text.lstrip(DATE_CELL + DATE_WITH_TIME)
    cells = read_cells(name)
    there = cells[row][column] if row < len(cells) else ""
    assert there.strip().replace("\r\n", "\n") == text.replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("name", "rows"), [(name, facts["rows"]) for name, facts in EXPECTED.items() if "rows" in facts]
)
def test_sheets_are_what_calamine_expects(name: str, rows: list[list[object]]) -> None:
    cells = read_cells(name)
    wanted = [[as_text(cell) for cell in row] for row in rows]
    assert cells == wanted[: len(cells)]
    assert not any(any(row) for row in wanted[len(cells) :])


def test_other_facts_of_calamine() -> None:
    errors = [row[0].removeprefix(ERROR_CELL) for row in read_cells("errors.xlsx")]
    assert errors == EXPECTED["errors.xlsx"]["column0"]
    assert read_cells("empty_sheet.xlsx") == []
    blank_first = EXPECTED["no-header.xlsx"]["rows_from_row0"]
    assert read_cells("no-header.xlsx") == [[as_text(cell) for cell in row] for row in blank_first]
    assert read_cells("string-ref.xlsx") == EXPECTED["string-ref.xlsx"]["sheets_0_and_1"]
    row0 = read_cells("richtext-namespaced.xlsx")[0]
    wanted = EXPECTED["richtext-namespaced.xlsx"]["row0_cells"]
    assert {at: row0[int(at)] for at in wanted} == wanted
    # 1,048,574 rows of cells that hold a format and nothing else
    assert len(read_cells("issue_174.xlsx")) == 2
    merged = read_cells("merged_range.xlsx")
    assert [row[0] for row in merged[:2]] == ["A1", ""]
    (refused,) = open_source(CALAMINE / "pass_protected.xlsx", SMALL).findings
    assert refused["code"] == "encrypted-file"


def check_rows(folder: Path, *rows: list[Any], **options: Any) -> FileCheck:
    """Checks a workbook of these rows below the headings; times become date cells."""
    path = write_rows(folder, *rows, **options)
    return check_file(path, SMALL, References(lsoas=REGISTER))


def write_rows(folder: Path, *rows: list[Any], headings: str = HEADINGS, **options: Any) -> Path:
    path = folder / "activity.xlsx"
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, **options}) as book:
        sheet = book.add_worksheet()
        date = book.add_format({"num_format": "dd/mm/yyyy"})
        for at, row in enumerate([headings.split(","), *rows]):
            for column, value in enumerate(row):
                if isinstance(value, datetime.datetime | datetime.time):
                    sheet.write_datetime(at, column, value, date)
                elif isinstance(value, str) and value.startswith("#"):
                    sheet.write_formula(at, column, "=1/0", None, value)
                else:
                    sheet.write(at, column, value)
    return path


@pytest.mark.parametrize("base", [False, True])
def test_date_cells_of_both_date_systems_are_dates(tmp_path: Path, base: bool) -> None:
    check = check_rows(tmp_path, ["C1", "1", DAY], date_1904=base)
    assert found(check) == []
    assert stored(check, "Attendance Date") == ["2017-04-03"]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("2017-04-03", "2017-04-03"),
        ("03/04/2017", "03/04/2017"),
        (42828, "42828"),
        (DAY.replace(hour=9, minute=30), "2017-04-03 09:30:00"),
        (datetime.time(9, 30), "09:30:00"),
        (True, "TRUE"),
        ("#REF!", "#REF!"),
    ],
)
def test_only_date_cells_are_dates(tmp_path: Path, cell: object, value: str) -> None:
    check = check_rows(tmp_path, ["C1", "1", cell])
    assert found(check) == [(2, "Attendance Date", value, "bad-date")]


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        (4, "4"),
        (4.0, "4"),
        (1.5, "1.5"),
        (-3, "-3"),
        (999999999999999, "999999999999999"),
        ("1086331000000100", "1086331000000100"),
        ("00123", "00123"),
        (" x ", "x"),
        ("=1+1", "=1+1"),
        (True, "TRUE"),
    ],
)
def test_a_cell_keeps_its_text(tmp_path: Path, cell: object, kept: str) -> None:
    check = check_rows(tmp_path, ["C1", cell, DAY])
    assert found(check) == []
    assert stored(check, "Patient ID") == [kept]


def test_a_number_and_true_in_one_column_stay_apart(tmp_path: Path) -> None:
    check = check_rows(tmp_path, ["C1", 1, DAY], ["C1", True, DAY], ["C1", "1", DAY])
    assert stored(check, "Patient ID") == ["1", "TRUE", "1"]


def test_a_number_that_excel_has_rounded_is_found(tmp_path: Path) -> None:
    check = check_rows(tmp_path, ["C1", 1086331000000100, DAY])
    assert found(check) == [(2, "Patient ID", "1086331000000100", "bad-number")]
    assert "text" in check.errors["message"][0].as_py()


def test_error_cells_are_errors_of_their_field_and_never_blank(tmp_path: Path) -> None:
    check = check_rows(
        tmp_path,
        ["#REF!", "1", DAY, "#N/A", "#NUM!", "#DIV/0!", "note"],
        headings=HEADINGS + ",LSOA,Age,Code 1,Notes",
    )
    assert found(check)[1:] == [
        (2, "Clinic ID", "#REF!", "bad-pattern"),
        (2, "LSOA", "#N/A", "unknown-lsoa"),
        (2, "Age", "#NUM!", "bad-number"),
        (2, "Code 1", "#DIV/0!", "unknown-code"),
    ]


def test_only_the_first_sheet_is_read_and_rows_end_at_the_first_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "two.xlsx"
    with xlsxwriter.Workbook(path) as book:
        first, second = book.add_worksheet(), book.add_worksheet()
        date = book.add_format({"num_format": "yyyy-mm-dd"})
        for at, heading in enumerate(HEADINGS.split(",")):
            first.write(0, at, heading)
        for row in (1, 4):
            first.write_row(row, 0, ["C1", "1"])
            first.write_datetime(row, 2, DAY, date)
        first.write_blank(9, 9, None, date)
        second.write(0, 0, "nothing to see")
    check = check_file(path, SMALL, References())
    assert found(check) == [
        (None, None, None, "sheet-not-read"),
        (5, None, None, "data-after-empty-row"),
    ]
    assert check.record_count == 1


def test_a_table_that_does_not_begin_in_a1_lacks_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "shifted.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(2, 2, HEADINGS.split(","))
    check = check_file(path, SMALL, References())
    assert found(check) == [(3, None, None, "headings-elsewhere")]


def test_the_old_format_is_read_too(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("one")
    date = xlwt.easyxf(num_format_str="DD/MM/YYYY")
    for at, heading in enumerate(HEADINGS.split(",")):
        sheet.write(0, at, heading)
    sheet.write(1, 0, "C1")
    sheet.write(1, 1, 4)
    sheet.write(1, 2, DAY, date)
    sheet.write(2, 0, "C1")
    sheet.write(2, 1, "5")
    sheet.write(2, 2, "2017-04-03")
    path = tmp_path / "old.csv"  # the name does not count
    book.save(str(path))
    check = check_file(path, SMALL, References())
    assert found(check) == [(3, "Attendance Date", "2017-04-03", "bad-date")]
    assert stored(check, "Patient ID") == ["4", "5"]


def test_corrections_reach_workbook_cells(tmp_path: Path) -> None:
    path = write_rows(
        tmp_path, ["C1", 1086331000000100, "3 April"], ["C1", "1", "3 April"], ["C1", "1", DAY]
    )
    with open_file(path, SMALL) as reading:
        (chunk,) = reading.chunks()
    corrected = apply_corrections(
        chunk,
        [
            Correction("Patient ID", "1086331000000100", "1086331000000123"),
            Correction("Attendance Date", "3 April", "2017-04-03", row=2),
            Correction("Attendance Date", "3 April", "2017-04-31", row=3),
            Correction("Age", None, "30", row=4),
        ],
    )
    checked = check_chunk(corrected, SMALL, References())
    assert checked.records["Patient ID"].to_pylist() == ["1086331000000123", "1", "1"]
    assert checked.records["Age"].to_pylist() == [None, None, "30"]
    assert [(e["row"], e["value"], e["code"]) for e in checked.errors.to_pylist()] == [
        (3, "2017-04-31", "bad-date")
    ]


def test_error_cells_of_the_old_format_are_not_blank(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("one")
    for at, heading in enumerate(HEADINGS.split(",")):
        sheet.write(0, at, heading)
    sheet.write(1, 0, "C1")
    sheet.row(1).set_cell_error(1, "#DIV/0!")
    sheet.write(1, 2, DAY, xlwt.easyxf(num_format_str="DD/MM/YYYY"))
    path = tmp_path / "old.xls"
    book.save(str(path))
    check = check_file(path, SMALL, References())
    assert found(check) == [(2, "Patient ID", "#DIV/0!", "bad-pattern")]


def test_how_many_chunks_there_will_be_is_known_before(tmp_path: Path) -> None:
    path = write_rows(tmp_path, *([["C1", str(number), DAY] for number in range(25)]))
    with open_file(path, SMALL, chunk_rows=10) as reading:
        assert reading.expected_chunks() == 3 == sum(1 for _ in reading.chunks())
