"""What a marked copy keeps, and what it says where Excel cannot keep it."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
import xlwt

from core.engine.columns.marks import ROUNDED_NUMBER
from core.engine.offline import marked_copy
from core.engine.offline.copied_rows import NothingToMark, copied_file
from tests.marking import checked, copied, of_rows
from tests.small_dataset import GOOD, HEADINGS, SMALL

FOLDER = Path(__file__).parents[3] / "data/odd-files"


def write(folder: Path, *lines: str, headings: str = HEADINGS) -> Path:
    path = folder / "file.csv"
    path.write_text("\n".join([headings, *lines, ""]), encoding="utf-8")
    return path


def sheet_of(path: Path) -> openpyxl.worksheet.worksheet.Worksheet:
    return openpyxl.load_workbook(path).worksheets[0]


def test_ragged_rows_are_in_it_marked(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD, "C1,2,2017-04-03,too,much", "C1", GOOD)
    [out] = copied(path, tmp_path / "out.xlsx")
    sheet = sheet_of(out)
    assert [cell.value for cell in sheet[3]][:5] == ["C1", "2", "2017-04-03", "too", "much"]
    assert sheet["A4"].value == "C1"
    assert "5 cells" in sheet["A3"].comment.text
    assert of_rows(checked(out)) == [(3, "", "ragged-row"), (4, "", "ragged-row")]


def test_dates_are_dates(tmp_path: Path) -> None:
    [out] = copied(write(tmp_path, GOOD, "C1,2,2017-02-30"), tmp_path / "out.xlsx")
    assert sheet_of(out)["C2"].value == dt.datetime(2017, 4, 3)  # noqa: DTZ001
    assert sheet_of(out)["C3"].value == "2017-02-30"


def test_more_rows_than_a_sheet_holds_go_on_in_further_workbooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marked_copy, "SHEET_ROWS", 4)
    path = write(tmp_path, *(f"C1,{number},2017-04-0x" for number in range(1, 9)))
    written = copied(path, tmp_path / "out.xlsx")
    assert [each.name for each in written] == ["out.xlsx", "out-2.xlsx", "out-3.xlsx"]
    patients = [row[1].value for each in written for row in sheet_of(each).iter_rows(min_row=2)]
    assert patients == [str(number) for number in range(1, 9)]
    for each in written:
        assert sheet_of(each)["B1"].value == "Patient ID"
        assert "2017-04-0x" in sheet_of(each)["C2"].comment.text
    assert [checked(each).error_count for each in written] == [3, 3, 2]


def test_a_cell_that_excel_cannot_hold_is_said(tmp_path: Path) -> None:
    path = write(tmp_path, f"C1,{'😀' * 20_000},2017-04-03")
    [out] = copied(path, tmp_path / "out.xlsx")
    assert "20,000 characters, more than Excel can" in sheet_of(out)["B2"].comment.text
    assert of_rows(checked(out)) == of_rows(checked(path)) == [(2, "Patient ID", "too-long")]


def test_comments_quote_the_cell_as_it_stands(tmp_path: Path) -> None:
    path = write(tmp_path, "C1,1,2017-04-0\u200bx")
    [out] = copied(path, tmp_path / "out.xlsx")
    assert "U+200B" in sheet_of(out)["C2"].comment.text


def test_findings_that_are_not_marked_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marked_copy, "MOST_MARKS", 2)
    path = write(tmp_path, *["C1,1,x"] * 5)
    [out] = copied(path, tmp_path / "out.xlsx")
    assert "3 more findings are not marked" in sheet_of(out)["A1"].comment.text


@pytest.mark.parametrize("name", ["68-merged.xlsx", "71-dup-cell.xlsx", "94-formula-marked.xlsx"])
def test_odd_workbooks_can_be_copied(tmp_path: Path, name: str) -> None:
    [out] = copied(FOLDER / name, tmp_path / "out.xlsx")
    file, copy = checked(FOLDER / name), checked(out)
    assert of_rows(copy) == of_rows(file)
    assert copy.record_count == file.record_count > 0


def test_formulas_keep_their_values_and_those_without_stay_formulas(tmp_path: Path) -> None:
    path = tmp_path / "file.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADINGS.split(","))
        sheet.write_formula("A2", '="C"&"1"', None, "C1")
        sheet.write("B2", "x")
    [out] = copied(path, tmp_path / "out.xlsx")
    assert sheet_of(out)["A2"].value == "C1"
    [out] = copied(FOLDER / "52-formula-no-cache.xlsx", tmp_path / "out2.xlsx")
    assert "=VLOOKUP(B3,Codes!A:B,2,0)" in str(sheet_of(out)["I3"].value)


def test_cells_beyond_the_headings_are_in_it(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("one")
    for column, name in enumerate(HEADINGS.split(",")):
        sheet.write(0, column, name)
    for row in range(1, 60_000):
        sheet.write(row, 0, "C1")
    sheet.write(59_999, 200, "far")
    path = tmp_path / "wide.xls"
    book.save(str(path))
    [out] = copied(path, tmp_path / "out.xlsx")
    last = list(openpyxl.load_workbook(out, read_only=True).worksheets[0].iter_rows())[-1]
    assert last[-1].value == "far"


def test_what_cannot_be_read_cannot_be_marked(tmp_path: Path) -> None:
    with pytest.raises(NothingToMark, match="a web page"):
        copied(FOLDER / "15-html-style.xls", tmp_path / "out.xlsx")
    assert not (tmp_path / "out.xlsx").exists()


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("text", ["#N/A", "#REF!", "'#REF!", "####", "#RAGGED! x", "#1"])
def test_the_copy_of_a_text_says_of_it_what_the_csv_file_says(
    tmp_path: Path, text: str, times: int
) -> None:
    path = write(tmp_path, *[f"C1,{text},2017-04-03"] * times, "C1,2,2017-04-03")
    [out] = copied(path, tmp_path / "out.xlsx")
    assert of_rows(checked(out)) == of_rows(checked(path))


def test_a_workbook_that_breaks_off_has_no_copy(tmp_path: Path) -> None:
    path = tmp_path / "file.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADINGS.split(","))
        for row in range(1, 20_000):
            sheet.write_row(row, 0, ["C1", str(row), "x" * 20])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    part = "xl/worksheets/sheet1.xml"
    parts[part] = parts[part][: len(parts[part]) * 2 // 3]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(NothingToMark, match=r"file\.xlsx cannot be read.*breaks off"):
        copied(path, tmp_path / "out.xlsx")
    assert not (tmp_path / "out.xlsx").exists()


@pytest.mark.parametrize("escape", ["_xD83D_", "_x0000_"])
@pytest.mark.parametrize("whole", [True, False])
def test_an_error_of_encoding_does_not_become_a_clean_record(
    tmp_path: Path, escape: str, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marked_copy, "KEPT_WHOLE", marked_copy.KEPT_WHOLE if whole else 0)
    path = tmp_path / "file.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADINGS.split(","))
        sheet.write_row(
            1, 0, ["C1", "1?", dt.date(2017, 4, 3)], book.add_format({"num_format": 14})
        )
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    part = "xl/sharedStrings.xml"
    parts[part] = parts[part].replace(b"1?", b"1" + escape.encode())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert checked(path).records["in_error"].to_pylist() == [True]
    [out] = copied(path, tmp_path / "out.xlsx")
    assert checked(out).records["in_error"].to_pylist() == [True]


@pytest.mark.parametrize("code", ["0.00", "General", "0"])
@pytest.mark.parametrize("number", ["0.30000000000000004", "1.2345678901234568e+19", "1234567.1"])
def test_numbers_keep_their_digits_in_a_copy_that_is_written_anew(
    tmp_path: Path, number: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marked_copy, "KEPT_WHOLE", 0)
    path = tmp_path / "file.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADINGS.split(","))
        sheet.write_row(1, 0, ["C1", 0.5, "x"], book.add_format({"num_format": code}))
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    part = "xl/worksheets/sheet1.xml"
    parts[part] = parts[part].replace(b"0.5<", number.encode() + b"<")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    [out] = copied(path, tmp_path / "out.xlsx")
    before, after = checked(path), checked(out)
    assert after.errors.to_pylist() == before.errors.to_pylist()
    with copied_file(path, SMALL, None) as one, copied_file(out, SMALL, None) as other:
        kept = [
            [cell.removeprefix(ROUNDED_NUMBER) for cell in next(each.rows()).cells]
            for each in (one, other)
        ]
    assert kept[0] == kept[1]
