"""Files that are not what they say, broken, or made to do harm: each ends in one clear code."""

from __future__ import annotations

import io
import random
import resource
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import xlsxwriter
import xlwt

from core.engine.offline.checking import FileCheck, References, check_file
from core.engine.reading.workbooks import cell_tables
from core.engine.reading.workbooks.xlsx import package
from tests.small_dataset import DATA, GOOD, HEADINGS, SMALL, codes, found

CALAMINE = DATA / "calamine"
WORKBOOK = (CALAMINE / "date.xlsx").read_bytes()


def check(folder: Path, content: bytes, name: str = "activity.xlsx") -> FileCheck:
    path = folder / name
    path.write_bytes(content)
    return check_file(path, SMALL, References())


def good_workbook(**cells: str) -> bytes:
    """One good record, and cells that stand elsewhere."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        date = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, HEADINGS.split(","))
        sheet.write_row(1, 0, ["C1", "1"])
        sheet.write_number(1, 2, 42828, date)
        for place, text in cells.items():
            sheet.write(place, text)
    return out.getvalue()


def with_part(workbook: bytes, name: str, content: bytes) -> bytes:
    """The workbook with one part replaced."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            if entry.filename != name:
                new.writestr(entry.filename, old.read(entry))
        new.writestr(name, content)
    return out.getvalue()


def archive(**parts: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        for name, text in parts.items():
            new.writestr(name.replace("__", "/"), text)
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize("name", ["activity.csv", "activity.xlsx"])
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7\n", "pdf"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "picture"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "picture"),
        (b"\x1f\x8b\x08" + bytes(50), "compressed"),
        (b"<!DOCTYPE html><html><table><tr><td>Clinic ID</td></tr></table>", "web page"),
        (b"\n\r\n \xef\xbb\xbf\n<html><body>Clinic ID</body></html>", "web page"),
        (b"\xef\xbb\xbf\n\n<table><tr><td>Clinic ID</td></tr></table>", "web page"),
        (b"\r\n" * 10_000 + b"\xef\xbb\xbf<table><tr><td>x</td></tr></table>", "web page"),
        (b" " * 4090 + b"<html><body>Clinic ID</body></html>", "web page"),
        ("\ufeff\n\n<html>".encode("utf-16-le"), "web page"),
        ("\u00a0\u200b<html><body>Clinic ID".encode(), "web page"),
        (b"\xa0<table><tr><td>Clinic ID", "web page"),
        (b"<col width=3><tr><td>Clinic ID</td></tr>", "web page"),
        (b"Report of April\r\n<table border=1>\r\n<tr><td>Clinic ID</td></tr>", "web page"),
        (b"Please wait<HTML lang=en><!-- x --><head><title>x", "web page"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><Workbook/>", "XML"),
        (b"MZ\x90\0" + bytes(50), "program"),
        (archive(word__document_xml=""), "zip"),
        (archive(**{"word__document.xml": "", "[Content_Types].xml": ""}), "Word"),
        (archive(**{"ppt__presentation.xml": ""}), "PowerPoint"),
        (archive(**{"content.xml": "", "mimetype": "x"}), "OpenDocument"),
        (archive(**{"xl__workbook.bin": ""}), "xlsb"),
        (archive(), "zip"),
    ],
)
def test_other_files_are_called_what_they_are(
    tmp_path: Path, content: bytes, kind: str, name: str
) -> None:
    result = check(tmp_path, content, name)
    assert codes(result) == ["wrong-file-type"]
    assert kind in result.errors["message"][0].as_py()
    assert result.refused


def test_a_file_is_read_by_its_content_whatever_it_is_called(tmp_path: Path) -> None:
    csv = check(tmp_path, f"{HEADINGS}\n{GOOD}\n".encode(), "activity.xlsx")
    workbook = check(tmp_path, good_workbook(), "activity.csv")
    assert codes(csv) == codes(workbook) == []
    assert csv.record_count == workbook.record_count == 1


def test_a_password_is_said_to_be_one(tmp_path: Path) -> None:
    content = (CALAMINE / "pass_protected.xlsx").read_bytes()
    assert codes(check(tmp_path, content)) == ["encrypted-file"]


def test_an_archive_whose_entries_are_encrypted_is_said_to_have_a_password(tmp_path: Path) -> None:
    flagged = bytearray(WORKBOOK)
    at = 0
    while (at := flagged.find(b"PK\x01\x02", at)) >= 0:
        flagged[at + 8] |= 1
        at += 4
    assert codes(check(tmp_path, bytes(flagged))) == ["encrypted-file"]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_workbook_cut_short_cannot_be_read(tmp_path: Path, share: float) -> None:
    cut = WORKBOOK[: int(len(WORKBOOK) * share)]
    assert codes(check(tmp_path, cut)) == ["unreadable-file"]


def test_an_old_workbook_cut_short_cannot_be_read(tmp_path: Path) -> None:
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    assert codes(check(tmp_path, head + bytes(600), "a.xls")) == ["unreadable-file"]


def test_damaged_bytes_never_end_in_anything_but_a_code(tmp_path: Path) -> None:
    chance = random.Random(7)
    for _ in range(150):
        damaged = bytearray(WORKBOOK)
        for _ in range(chance.randint(1, 8)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        result = check(tmp_path, bytes(damaged))
        assert set(codes(result)) <= {
            "unreadable-file",
            "encrypted-file",
            "bad-encoding",
            "wrong-file-type",
            "missing-column",
            "unknown-column",
            "empty-file",
        }


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "UNPACKED_LIMIT", 10 << 20)
    bomb = with_part(good_workbook(), SHEET, b"<worksheet>" + b" " * (50 << 20))
    result = check(tmp_path, bomb)
    assert codes(result) == ["unreadable-file"]
    assert "unpacks" in result.errors["message"][0].as_py()


def test_a_bomb_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    bomb = bytearray(with_part(good_workbook(), SHEET, b"<worksheet>" + b" " * (50 << 20)))
    at = bomb.rfind(b"PK\x01\x02", 0, bomb.rfind(SHEET.encode()))
    struct.pack_into("<I", bomb, at + 24, 1000)
    assert codes(check(tmp_path, bytes(bomb))) == ["unreadable-file"]


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    laughs = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
    sheet = (
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>'
        '<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&l9;</t></is></c></row>'
        "</sheetData></worksheet>"
    )
    result = check(tmp_path, with_part(good_workbook(), SHEET, sheet.encode()))
    assert codes(result) == ["unreadable-file"]
    assert "declarations" in result.errors["message"][0].as_py()
    workbook = b'<!DOCTYPE x [<!ENTITY a "b">]><workbook/>'
    assert codes(check(tmp_path, with_part(good_workbook(), "xl/workbook.xml", workbook))) == [
        "unreadable-file"
    ]


def test_a_cell_at_the_far_end_is_named_and_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "far.xlsx"
    path.write_bytes(good_workbook(XFD1048576="x"))
    program = (
        "import re, sys; from pathlib import Path\n"
        "from tests.small_dataset import *\n"
        "check = check_file(Path(sys.argv[1]), SMALL, References())\n"
        # not getrusage: its peak counts the parent's memory too, from before the exec
        "peak = re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]\n"
        "print(found(check), peak)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (30, 30)),
    )
    errors, _, kilobytes = done.stdout.strip().rpartition(" ")
    assert errors == "[(1048576, None, None, 'data-after-empty-row')]"
    assert int(kilobytes) < 400_000


def test_a_cell_far_to_the_right_of_many_rows_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cell_tables, "CELLS_LIMIT", 20_000)
    result = check(tmp_path, good_workbook(XFD2="x"))
    assert codes(result) == ["unreadable-file"]
    assert "XFD2" in result.errors["message"][0].as_py()


def test_a_cell_to_the_right_of_few_rows_is_a_column_without_heading(tmp_path: Path) -> None:
    result = check(tmp_path, good_workbook(XFD2="x"))
    assert found(result) == [(None, None, None, "unknown-column")]
    assert result.record_count == 1


def test_a_sheet_too_large_for_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cell_tables, "CELLS_LIMIT", 5)
    result = check(tmp_path, good_workbook())
    assert codes(result) == ["unreadable-file"]
    assert "2 rows of 3 columns" in result.errors["message"][0].as_py()


def test_cells_and_rows_without_addresses_are_read_in_their_order(tmp_path: Path) -> None:
    cells = "".join(f"<c t='inlineStr'><is><t>{name}</t></is></c>" for name in HEADINGS.split(","))
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        f"<row>{cells}</row><row><c t='inlineStr'><is><t>C1</t></is></c></row>"
        "</sheetData></worksheet>"
    )
    result = check(tmp_path, with_part(good_workbook(), SHEET, sheet.encode()))
    assert codes(result) == ["missing-value", "missing-value"]
    assert result.record_count == 1


TEXT = "<is><t>x</t></is></c>"


def sheet_of(rows: str, head: str = "") -> bytes:
    """A workbook whose first sheet is written by hand."""
    opened = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    sheet = f"{opened}{head}<sheetData>{rows}</sheetData></worksheet>"
    return with_part(good_workbook(), SHEET, sheet.encode())


@pytest.mark.parametrize(
    "far",
    [
        f'<row r="1048576"><c r="XFD1048576" t="inlineStr">{TEXT}</row>',
        f"<row r='1048576'><c r='XFD1048576' t='inlineStr'>{TEXT}</row>",
        f"<row\nr = '1048576'><c\tt='inlineStr'\tr = 'XFD1048576'>{TEXT}</row>",
        f'<row r="2"><c r="XFD1048576" t="inlineStr">{TEXT}</row>',
        f'<row><c r="XFD1048576" t="inlineStr">{TEXT}</row>',
        f'<row><c r="xfd1048576" t="inlineStr">{TEXT}</row>',
    ],
)
def test_a_far_cell_is_seen_however_its_address_is_written(tmp_path: Path, far: str) -> None:
    names = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in HEADINGS.split(","))
    result = check(tmp_path, sheet_of(f'<row r="1">{names}</row>{far}'))
    assert found(result) == [(1048576, None, None, "data-after-empty-row")]


def test_rows_that_excel_does_not_know_are_refused(tmp_path: Path) -> None:
    far = f'<row r="4294967295"><c r="ZZZ4294967295" t="inlineStr">{TEXT}</row>'
    assert codes(check(tmp_path, sheet_of(far))) == ["unreadable-file"]


@pytest.mark.parametrize(
    "far",
    [
        f'<row r="99999999999"><c t="inlineStr">{TEXT}</row>',
        f'<row r="99999999999"><c r="A99999999999" t="inlineStr">{TEXT}</row>',
        f'<row r="99999999999"><c r="A2" t="inlineStr">{TEXT}</row>',
        f'<row r="1048577"><c t="inlineStr">{TEXT}</row>',
        f'<row r="{"9" * 5000}"><c t="inlineStr">{TEXT}</row>',
        f'<row r="-2"><c t="inlineStr">{TEXT}</row>',
        f'<row r="2"><c r="AAAA2" t="inlineStr">{TEXT}</row>',
        f'<row r="2"><c r="XFE2" t="inlineStr">{TEXT}</row>',
        f'<row r="2"><c r="A0" t="inlineStr">{TEXT}</row>',
        f'<row r="2"><c r="2A" t="inlineStr">{TEXT}</row>',
        f'<row r="2"><c r="A1048577" t="inlineStr">{TEXT}</row>',
    ],
)
def test_places_that_no_sheet_has_are_refused(tmp_path: Path, far: str) -> None:
    names = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in HEADINGS.split(","))
    result = check(tmp_path, sheet_of(f'<row r="1">{names}</row>{far}'))
    assert codes(result) == ["unreadable-file"]


@pytest.mark.parametrize("above", ["", "<!-- by hand -->"])
@pytest.mark.parametrize("second", ["<sheetData>", '<sheetData xml:space="preserve">'])
def test_a_second_table_of_cells_is_refused(tmp_path: Path, above: str, second: str) -> None:
    names = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in HEADINGS.split(","))
    row = f'<row r="2"><c r="A2" t="inlineStr">{TEXT}</row>'
    rows = f'{above}<row r="1">{names}</row>{row}</sheetData>{second}{row}'
    assert codes(check(tmp_path, sheet_of(rows))) == ["unreadable-file"]


@pytest.mark.parametrize("address", [True, False])
@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("<c{}><f>1+1</f><v> </v></c>", "formula-without-value"),
        ("<c{}><f>1+1</f><v>\n</v></c>", "formula-without-value"),
        ("<c{} t='e'><f>1+1</f><v> </v></c>", "formula-without-value"),
        ("<c{} t='e'/>", "bad-number"),
        ("<c{} t='e'></c>", "bad-number"),
        ("<c{} t='e'><v></v></c>", "bad-number"),
        ("<c{} t='e'><v/></c>", "bad-number"),
    ],
)
def test_a_cell_without_what_it_says_to_have_is_named(
    tmp_path: Path, cell: str, code: str, address: bool
) -> None:
    def row(number: int, *texts: str) -> str:
        cells = "".join(
            f'<c r="{"ABCD"[at]}{number}" t="inlineStr"><is><t>{text}</t></is></c>'
            for at, text in enumerate(texts)
        )
        last = cell.format(' r="D2"' if address else "") if number > 1 else ""
        return f'<row r="{number}">{cells}{last}</row>'

    names = [*HEADINGS.split(","), "Age"]
    result = check(tmp_path, sheet_of(row(1, *names) + row(2, "C1", "1", "1899-01-01")))
    assert (2, "Age", code) in [(at, field, each) for at, field, _, each in found(result)]


def test_counts_that_promise_more_than_there_is_are_refused(tmp_path: Path) -> None:
    strings = (
        b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        b'count="4000000000" uniqueCount="4000000000"><si><t>Clinic ID</t></si></sst>'
    )
    result = check(tmp_path, with_part(good_workbook(), "xl/sharedStrings.xml", strings))
    assert codes(result) == ["unreadable-file"]


def test_an_extent_that_the_sheet_only_claims_does_no_harm(tmp_path: Path) -> None:
    row = f'<row r="1"><c r="A1" t="inlineStr">{TEXT}</row>'
    result = check(tmp_path, sheet_of(row, '<dimension ref="A1:XFD1048576"/>'))
    assert set(codes(result)) == {"missing-column", "unknown-column"}


def test_a_chain_of_sectors_that_runs_into_itself_has_an_end(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("one")
    for row in range(2000):
        sheet.write(row, 0, f"text {row}")
    out = io.BytesIO()
    book.save(out)
    content = bytearray(out.getvalue())
    assert codes(check(tmp_path, bytes(content), "a.xls"))[0] == "missing-column"
    table = 512 * (struct.unpack_from("<I", content, 76)[0] + 1)
    struct.pack_into("<I", content, table + 4 * 5, 2)  # sector 5 leads back to sector 2
    result = check(tmp_path, bytes(content), "a.xls")
    assert codes(result) == ["unreadable-file"]
    assert "runs into itself" in result.errors["message"][0].as_py()


def old_workbook() -> bytearray:
    """An xls with texts in its first column."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("one")
    for row in range(3):
        sheet.write(row, 0, f"text {row}")
    out = io.BytesIO()
    book.save(out)
    return bytearray(out.getvalue())


@pytest.mark.parametrize(
    ("record", "at", "claim"),
    [
        (b"\xfc\x00\x23\x00", 8, struct.pack("<I", 4_000_000_000)),  # shared strings
        (b"\xfd\x00\x0a\x00", 4, b"\xff\xff\xff\xff"),  # a cell beyond the last column
    ],
)
def test_an_old_workbook_that_claims_too_much_is_refused(
    tmp_path: Path, record: bytes, at: int, claim: bytes
) -> None:
    content = old_workbook()
    place = content.index(record)
    content[place + at : place + at + len(claim)] = claim
    assert codes(check(tmp_path, bytes(content), "a.xls")) == ["unreadable-file"]


@pytest.mark.parametrize(
    ("at", "claim"),
    [
        (8, struct.pack("<I", 4_000_000_000)),  # an extent too large
        (4, struct.pack("<I", 60_000)),  # an extent that ends before it begins
    ],
)
def test_an_extent_that_an_old_sheet_only_claims_does_no_harm(
    tmp_path: Path, at: int, claim: bytes
) -> None:
    content = old_workbook()
    place = content.index(b"\x00\x02\x0e\x00")
    content[place + at : place + at + len(claim)] = claim
    assert set(codes(check(tmp_path, bytes(content), "a.xls"))) == {
        "missing-column",
        "unknown-column",
    }


def test_what_a_broken_reader_prints_is_kept_from_the_user(tmp_path: Path) -> None:
    program = (
        "import os; from cli.offline import quiet_readers\n"
        "with quiet_readers(): os.write(2, b'panicked')\n"
        "os.write(2, b'after')\n"
        "with quiet_readers():\n"
        "    os.write(2, b'-kept')\n"
        "    raise SystemExit(3)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (3, b"after-kept")
