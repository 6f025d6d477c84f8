"""Files that cost far more than their size, one of each kind; ``size`` is about their bytes."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.small_dataset import HEADINGS

Write = Callable[[Path, int], None]
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_BLOCK = 1 << 20


def _filled(path: Path, head: bytes, piece: bytes, size: int, tail: bytes = b"") -> None:
    with path.open("wb") as out:
        out.write(head)
        block = piece * max(_BLOCK // len(piece), 1)
        for _ in range(max(size // len(block), 1)):
            out.write(block)
        out.write(tail)


_CSV_HEAD = f"{HEADINGS}\n".encode()


def one_letter_lines(path: Path, size: int) -> None:
    _filled(path, _CSV_HEAD, b"a\n", size)


def wrong_rows(path: Path, size: int) -> None:
    _filled(path, _CSV_HEAD, b"C1,1,2017-02-30\n", size)


def rows_wrong_everywhere(path: Path, size: int) -> None:
    _filled(path, f"{HEADINGS},Age,LSOA,Code 1\n".encode(), b"#,,x,y,z,w\n", size)


def quotes(path: Path, size: int) -> None:
    _filled(path, _CSV_HEAD, b'"', size)


def quoted_quotes(path: Path, size: int) -> None:
    _filled(path, _CSV_HEAD, b'"a,"b",\n', size)


def carriage_returns(path: Path, size: int) -> None:
    _filled(path, _CSV_HEAD, b"\r", size)


def one_line(path: Path, size: int) -> None:
    _filled(path, _CSV_HEAD, b"a", size)


def separators(path: Path, size: int) -> None:
    _filled(path, _CSV_HEAD, b",", size)


def headings_without_end(path: Path, size: int) -> None:
    _filled(path, b"", b"a,", size)


def unclosed_quote(path: Path, size: int) -> None:
    _filled(path, _CSV_HEAD + b'C1,"1', b"\nC1,1,2017-04-03", size)


def utf16_returns(path: Path, size: int) -> None:
    _filled(path, b"\xff\xfe" + HEADINGS.encode("utf-16-le"), b"\r\0", size)


def _book(
    path: Path, sheet: tuple[bytes, bytes, int, bytes], strings: tuple[bytes, int] | None = None
) -> None:
    """A workbook of a sheet of many pieces (head, piece, size, tail), and perhaps a long string."""
    kind = f'Type="{_OFFICE}'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook {_MAIN} xmlns:r="{_OFFICE}"><sheets>'
            '<sheet name="one" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships><Relationship Id="rId1" {kind}/worksheet" Target="sheet1.xml"/>'
            f'<Relationship Id="rId2" {kind}/sharedStrings" Target="strings.xml"/></Relationships>',
        )
        if strings is not None:
            with archive.open("xl/strings.xml", "w", force_zip64=True) as part:
                part.write(f"<sst {_MAIN}>".encode())
                piece, size = strings
                for _ in range(max(size // _BLOCK, 1)):
                    part.write(piece * (_BLOCK // len(piece)))
                part.write(b"</sst>")
        head, piece, size, tail = sheet
        with archive.open("xl/sheet1.xml", "w", force_zip64=True) as part:
            part.write(f"<worksheet {_MAIN}><sheetData>".encode() + head)
            for _ in range(max(size // _BLOCK, 1)):
                part.write(piece * max(_BLOCK // len(piece), 1))
            part.write(tail + b"</sheetData></worksheet>")


_ONE_CELL = b'<row r="1"><c r="A1" t="s"><v>0</v></c></row>', b"\n", 1, b""


def rows_begun(path: Path, size: int) -> None:
    _book(path, (b"", b"<row ", size, b""))


def error_cells_begun(path: Path, size: int) -> None:
    _book(path, (b"", b'<c r="A1" t="e"><v>', size, b""))


def cells_begun(path: Path, size: int) -> None:
    _book(path, (b'<row r="1">', b'<c r="A1"', size, b"</row>"))


def attributes_without_end(path: Path, size: int) -> None:
    _book(path, (b"<row r='1'><c ", b'a="b" ', size, b"/></row>"))


def comments(path: Path, size: int) -> None:
    _book(path, (b"", b"<!-- -->", size, b""))


def one_cell_of_many_letters(path: Path, size: int) -> None:
    _book(path, (b'<row r="1"><c r="A1" t="str"><v>', b"a", size, b"</v></c></row>"))


def one_shared_string(path: Path, size: int) -> None:
    _book(path, _ONE_CELL, (b"a", size))


def one_rich_string(path: Path, size: int) -> None:
    _book(path, _ONE_CELL, (b"<si><r><t>a</t></r><r><t>b</t></r>", size))


def many_strings(path: Path, size: int) -> None:
    _book(path, _ONE_CELL, (b"<si><t>a</t></si>", size))


def strings_of_some_length(path: Path, size: int) -> None:
    _book(path, _ONE_CELL, (b"<si><t>%b</t></si>" % (b"a" * 60), size))


def rows_of_one_odd_cell(path: Path, size: int) -> None:
    """Each cell is one that the regular expression leaves to the XML parser."""
    _book(path, (b'<row r="1">', b"<c r='A1'><v>1</v></c>" * 100 + b"<row></row>", size, b"</row>"))


def rich_strings(path: Path, size: int) -> None:
    _book(path, _ONE_CELL, (b"<si><r><t>a</t></r></si>", size))


def cells_without_addresses(path: Path, size: int) -> None:
    _book(path, (b"", b"<row><c><v>1</v></c></row>", size, b""))


def empty_rows(path: Path, size: int) -> None:
    _book(path, (b"", b"<row/>", size, b""))


def one_cell_again_and_again(path: Path, size: int) -> None:
    _book(path, (b'<row r="1">', b'<c r="A1"><v>1</v></c>', size, b"</row>"))


_HEADING_ROW = b"<row>%b</row>" % b"".join(
    b'<c t="inlineStr"><is><t>%b</t></is></c>' % heading.encode() for heading in HEADINGS.split(",")
)


def one_cell_again_and_again_below_headings(path: Path, size: int) -> None:
    head = _HEADING_ROW + b'<row r="2">'
    _book(path, (head, b'<c r="A2"><v>1</v></c>', size, b"</row>"))


def short_rows_below_headings(path: Path, size: int) -> None:
    _book(path, (_HEADING_ROW, b"<row><c><v>1</v></c></row>", size, b""))


def error_cells_below_headings(path: Path, size: int) -> None:
    _book(path, (_HEADING_ROW, b'<row><c t="e"><v>#N/A</v></c></row>', size, b""))


def an_xls_of_sectors_in_a_ring(path: Path, size: int) -> None:
    _filled(path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\0\1\2\3", size)


CSV: tuple[Write, ...] = (
    one_letter_lines, wrong_rows, rows_wrong_everywhere, quotes, quoted_quotes, carriage_returns,
    one_line, separators, headings_without_end, unclosed_quote, utf16_returns,
)  # fmt: skip
WORKBOOKS: tuple[Write, ...] = (
    rows_begun, error_cells_begun, cells_begun, attributes_without_end, comments,
    one_cell_of_many_letters, one_shared_string, one_rich_string, many_strings,
    strings_of_some_length, rows_of_one_odd_cell, rich_strings,
    cells_without_addresses, empty_rows, one_cell_again_and_again,
    one_cell_again_and_again_below_headings, short_rows_below_headings, error_cells_below_headings,
    an_xls_of_sectors_in_a_ring,
)  # fmt: skip
