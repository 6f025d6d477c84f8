"""Cells that readers like to get wrong, in xlsx and xls: read as they show, or named."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
import xlwt

from core.engine.offline.checking import FileCheck, References, check_file
from core.user_errors import UserError
from tests.small_dataset import HEADINGS, SMALL, found, stored

NAMES = [*HEADINGS.split(","), "Age", "Code 1"]
DAY = dt.datetime(2017, 4, 3)  # noqa: DTZ001 - a cell has no time zone
Cell = tuple[Any, str]


def xlsx(folder: Path, *rows: list[Any]) -> Path:
    """A workbook; a cell that is a pair has a number format of its own."""
    path = folder / "kinds.xlsx"
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate([NAMES, *rows]):
            for column, cell in enumerate(row):
                value, code = cell if isinstance(cell, tuple) else (cell, "")
                sheet.write(
                    at, column, value, book.add_format({"num_format": code} if code else {})
                )
    return path


def xls(folder: Path, *rows: list[Any]) -> Path:
    """The same in the old format."""
    path = folder / "kinds.xls"
    book = xlwt.Workbook(style_compression=2)
    sheet = book.add_sheet("one")
    for at, row in enumerate([NAMES, *rows]):
        for column, cell in enumerate(row):
            value, code = cell if isinstance(cell, tuple) else (cell, "General")
            sheet.write(at, column, value, xlwt.easyxf(num_format_str=code))
    book.save(str(path))
    return path


def checked(path: Path, sheet: str | None = None) -> FileCheck:
    return check_file(path, SMALL, References(), sheet=sheet)


DATE: Cell = (DAY, "yyyy-mm-dd")
both = pytest.mark.parametrize("write", [xlsx, xls])


@both
@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ((1001, "0000000"), "0001001"),
        ((1001, "0"), "1001"),
        ((100, "#,##0"), "100"),
        ((1001, "@"), "1001"),
        (("0001001", "@"), "0001001"),
        ((-7, "000"), "-007"),
        ((123456789012345, "0"), "123456789012345"),
    ],
)
def test_an_id_is_read_as_it_shows(write: Any, tmp_path: Path, cell: Cell, kept: str) -> None:
    check = checked(write(tmp_path, ["C1", cell, DATE]))
    assert found(check) == []
    assert stored(check, "Patient ID") == [kept]


@both
@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ((1001, "#,##0"), "1,001"),
        ((1001.4, "0"), "1001"),
        ((1001, "0.00"), "1001.00"),
        ((0.5, "0%"), "50%"),
        ((1001, "000 000"), "001 001"),
        ((1001, '"ZX"0000'), "ZX1001"),
        (("1001", '"ZX-"@'), "ZX-1001"),
        ((42795, "mmm-d"), "2017-03-01"),
        ((0.5, "h:mm"), "12:00:00"),
        ((1.5, "[h]:mm"), "36:00:00"),
        ((-3, "yyyy-mm-dd"), "########"),
    ],
)
def test_an_id_that_shows_something_else_is_named(
    write: Any, tmp_path: Path, cell: Cell, shown: str
) -> None:
    check = checked(write(tmp_path, ["C1", cell, DATE], ["C1", "1001", DATE]))
    assert found(check) == [(2, "Patient ID", shown, "not-text")]


@both
def test_a_cell_that_shows_nothing_is_named(write: Any, tmp_path: Path) -> None:
    check = checked(write(tmp_path, ["C1", (1001, ";;;"), DATE]))
    assert {code for _, _, _, code in found(check)} == {"not-text", "missing-value"}


@both
def test_a_number_is_what_its_cell_holds_however_it_shows(write: Any, tmp_path: Path) -> None:
    check = checked(write(tmp_path, ["C1", "1", DATE, (35, "0.0")], ["C1", "2", DATE, (35, "000")]))
    assert found(check) == []
    assert stored(check, "Age") == ["35", "35"]
    check = checked(write(tmp_path, ["C1", "1", DATE, (35.4, "0")], ["C1", "1", (42828, "#,##0")]))
    assert found(check) == [
        (2, "Age", "35.4", "bad-number"),
        (3, "Attendance Date", "42828", "bad-date"),
    ]


@both
def test_errors_of_every_name_are_errors_of_their_cells(write: Any, tmp_path: Path) -> None:
    check = checked(write(tmp_path, ["C1", "#N/A", DATE], ["C1", "#BUSY!", DATE, "", "#CALC!"]))
    assert found(check) == [
        (2, "Patient ID", "#N/A", "bad-pattern"),
        (3, "Patient ID", "#BUSY!", "bad-pattern"),
        (3, "Code 1", "#CALC!", "unknown-code"),
    ]


@both
def test_text_that_begins_as_our_marks_do_stays_text(write: Any, tmp_path: Path) -> None:
    check = checked(write(tmp_path, ["C1", "\ue000A", DATE], ["C1", "\ue006B\ue010C", DATE]))
    assert found(check) == []
    assert stored(check, "Patient ID") == ["\ue000A", "\ue006B\ue010C"]


def test_formulas_without_results_are_named(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(NAMES)
    sheet.append(["C1", "=1+1", DAY, "=B2"])
    path = tmp_path / "formulas.xlsx"
    book.save(path)
    assert found(checked(path)) == [
        (2, "Patient ID", "=1+1", "formula-without-value"),
        (2, "Age", "=B2", "formula-without-value"),
    ]


def test_formulas_of_old_workbooks(tmp_path: Path) -> None:
    path = xls(tmp_path, ["C1", xlwt.Formula('"A"&"1"'), DATE])
    assert [code for _, _, _, code in found(checked(path))] == ["formula-without-value"]


def sheets(folder: Path, write: str, *tops: tuple[str, list[list[Any]], int]) -> Path:
    """A workbook of several sheets: name, rows, and how hidden it is."""
    path = folder / f"sheets.{write}"
    if write == "xls":
        book = xlwt.Workbook()
        for name, rows, hidden in tops:
            sheet = book.add_sheet(name)
            sheet.visibility = hidden
            for at, row in enumerate(rows):
                for column, cell in enumerate(row):
                    style = "yyyy-mm-dd" if isinstance(cell, dt.datetime) else "General"
                    sheet.write(at, column, cell, xlwt.easyxf(num_format_str=style))
        book.active_sheet = next((at for at, top in enumerate(tops) if not top[2]), 0)
        book.save(str(path))
    else:
        made = openpyxl.Workbook()
        made.remove(made.active)
        for name, rows, hidden in tops:
            sheet = made.create_sheet(name)
            sheet.sheet_state = ("visible", "hidden", "veryHidden")[hidden]
            for row in rows:
                sheet.append(row)
        if all(top[2] for top in tops):
            made._sheets = list(made._sheets)
            made.active = 0
            made.create_sheet("x").sheet_state = "visible"
        made.active = next((at for at, top in enumerate(tops) if not top[2]), len(tops))
        made.save(path)
    return path


RECORDS = [NAMES, ["C1", "1", DAY]]
MORE = [NAMES, ["C1", "2", DAY], ["C1", "3", DAY]]
NOTES = [["Made by the clinic"], ["on Monday"]]
written = pytest.mark.parametrize("write", ["xlsx", "xls"])


@written
@pytest.mark.parametrize(
    ("second", "hidden", "code"),
    [
        (MORE, 0, "data-on-another-sheet"),
        ([["A title"], [], *MORE], 0, "data-on-another-sheet"),
        (MORE[1:], 0, "data-on-another-sheet"),  # it goes on without headings
        (MORE, 1, "sheet-not-read"),
        (MORE, 2, "sheet-not-read"),
        (NOTES, 0, "sheet-not-read"),
        ([NAMES], 0, "sheet-not-read"),  # headings and nothing under them
    ],
)
def test_another_sheet_is_never_left_out_in_silence(
    write: str, tmp_path: Path, second: list[list[Any]], hidden: int, code: str
) -> None:
    path = sheets(tmp_path, write, ("April", RECORDS, 0), ("More", second, hidden))
    check = checked(path)
    assert found(check) == [(None, None, None, code)]
    assert "“More”" in check.errors["message"][0].as_py()
    assert check.refused == (code == "data-on-another-sheet")


@written
def test_an_empty_sheet_is_nothing_to_tell(write: str, tmp_path: Path) -> None:
    assert found(checked(sheets(tmp_path, write, ("April", RECORDS, 0), ("Sheet2", [], 0)))) == []


@written
def test_a_cover_sheet_before_the_data_names_the_data(write: str, tmp_path: Path) -> None:
    check = checked(sheets(tmp_path, write, ("Cover", NOTES, 0), ("April", RECORDS, 0)))
    assert "data-on-another-sheet" in [code for _, _, _, code in found(check)]


@written
def test_the_sheet_chosen_is_read(write: str, tmp_path: Path) -> None:
    path = sheets(tmp_path, write, ("April", RECORDS, 0), ("More", MORE, 0), ("Old", MORE, 1))
    check = checked(path, sheet=" more")
    assert [code for _, _, _, code in found(check)] == ["sheet-not-read", "sheet-not-read"]
    assert stored(check, "Patient ID") == ["2", "3"]


@written
@pytest.mark.parametrize("wanted", ["May", "Old"])
def test_a_sheet_that_nobody_sees_cannot_be_chosen(write: str, tmp_path: Path, wanted: str) -> None:
    path = sheets(tmp_path, write, ("April", RECORDS, 0), ("Old", MORE, 1))
    with pytest.raises(UserError, match="it has “April”"):
        checked(path, sheet=wanted)


def test_old_sheets_that_are_full_go_on_on_the_next(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    first, second = book.add_sheet("one"), book.add_sheet("two")
    for column, name in enumerate(NAMES):
        first.write(0, column, name)
    first.write(65_535, 0, "C1")
    second.write(0, 0, "C1")
    path = tmp_path / "full.xls"
    book.save(str(path))
    assert "data-on-another-sheet" in [code for _, _, _, code in found(checked(path))]


@written
def test_nul_and_half_characters_are_named(write: str, tmp_path: Path) -> None:
    if write == "xls":
        path = xls(tmp_path, ["C1", "1\0", DATE], ["C1", "2", DATE], ["\0\0", "3", DATE])
    else:
        path = xlsx(tmp_path, ["C1", "1?1?", DATE], ["C1", "2", DATE], ["?2?", "3", DATE])
        replace(path, "xl/sharedStrings.xml", b"?1?", b"_xD83D_")
        replace(path, "xl/sharedStrings.xml", b"?2?", b"_x0000_")
    check = checked(path)
    assert [(row, code) for row, _, _, code in found(check)] == [
        (2, "bad-encoding"),
        (4, "bad-encoding"),
    ]
    assert check.records["in_error"].to_pylist() == [True, False, True]


def replace(path: Path, part: str, old: bytes, new: bytes) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def test_escapes_are_the_characters_they_stand_for(tmp_path: Path) -> None:
    path = xlsx(tmp_path, ["C1", "a?1?", DATE], ["C1", "b?2?", DATE], ["C1", "c?3?", DATE])
    replace(path, "xl/sharedStrings.xml", b"?1?", b"_xD83D__xDE00_")
    replace(path, "xl/sharedStrings.xml", b"?2?", b"_x00e9_")
    replace(path, "xl/sharedStrings.xml", b"?3?", b"_x005F_x0041_")
    assert stored(checked(path), "Patient ID") == ["a😀", "bé", "c_x0041_"]


TRANSITIONAL = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = b"http://purl.oclc.org/ooxml/spreadsheetml/main"
RELATIONS = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def test_strict_workbooks_are_read(tmp_path: Path) -> None:
    path = xlsx(tmp_path, ["C1", "1", DATE])
    for part in ("xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml",
                 "xl/sharedStrings.xml"):  # fmt: skip
        replace(path, part, TRANSITIONAL, STRICT)
    strict = b"http://purl.oclc.org/ooxml/officeDocument/relationships"
    replace(path, "xl/workbook.xml", RELATIONS, strict)
    replace(path, "xl/_rels/workbook.xml.rels", RELATIONS, strict)
    check = checked(path)
    assert found(check) == []
    assert stored(check, "Attendance Date") == ["2017-04-03"]


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize("way", ["prefix", "utf-16", "comment", "cdata", "no addresses", "entity"])
def test_unusual_xml_is_read_alike(tmp_path: Path, way: str) -> None:
    path = xlsx(tmp_path, ["C1", "1 & 2", DATE], [], ["C2", (7, "000"), DATE, 3])
    usual = checked(path)
    with zipfile.ZipFile(path) as archive:
        text = archive.read(SHEET).decode()
    if way == "prefix":
        text = text.replace("<", "<x:").replace("<x:/", "</x:").replace("<x:?", "<?")
        text = text.replace("xmlns=", "xmlns:x=")
    if way == "utf-16":
        text = text.replace("UTF-8", "UTF-16")
    if way == "comment":
        text = text.replace("</row>", "<!-- </row><c> --></row>", 1)
    if way == "cdata":
        text = text.replace("<v>3</v>", "<v><![CDATA[3]]></v>")
    if way == "no addresses":
        text = text.replace(' r="A1"', "").replace(' r="B1"', "").replace(' r="C1"', "")
    if way == "entity":
        text = text.replace("<v>3</v>", "<v>&#51;</v>")
    rewrite(path, SHEET, text.encode("utf-16" if way == "utf-16" else "utf-8"))
    odd = checked(path)
    assert found(odd) == found(usual) == [(4, None, None, "data-after-empty-row")]
    assert odd.records.to_pylist() == usual.records.to_pylist()
    assert stored(odd, "Patient ID") == ["1 & 2"]


def rewrite(path: Path, part: str, content: bytes) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = content
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, held in parts.items():
            archive.writestr(name, held)


@pytest.mark.parametrize(
    "broken",
    [
        ("</row>", "</rwo>"),
        ("UTF-8", "UTF-1e9"),
        ("</sheetData>", ""),
        ("<v>3</v>", "<v>&unknown;</v>"),
        ("<v>3</v>", "<v>three</v>"),
        ("<v>3</v>", "<v>1_000</v>"),
        ("<v>3</v>", "<v>inf</v>"),
        ("<v>3</v>", "<v>1e999</v>"),
        ('t="s"><v>0', 't="s"><v>4000'),
        ('t="s"><v>0', 't="s"><v>-1'),
        ('t="s"><v>0', 't="s"><v>x'),
        ('r="D2"', 'r="D1"'),
        ('r="D2"', 'r="D0"'),
    ],
)
def test_broken_cells_are_refused_and_never_blank(tmp_path: Path, broken: tuple[str, str]) -> None:
    path = xlsx(tmp_path, ["C1", "1", DATE, 3])
    replace(path, SHEET, broken[0].encode(), broken[1].encode())
    check = checked(path)
    assert "unreadable-file" in [code for _, _, _, code in found(check)]
    assert check.refused
