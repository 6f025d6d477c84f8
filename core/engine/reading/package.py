"""Looks into an xlsx before it is read: what it is, whether it can be trusted, how large it is.

Every part that reading needs is unpacked once as a stream, counted as it comes: sizes that an
archive declares may lie. The reader makes a dense table of the sheet, so its extent is told first.
"""

from __future__ import annotations

import html
import lzma
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from core.engine.dataset.problems import finding

UNPACKED_LIMIT = 3 << 30
"""Bytes that the parts of a workbook may unpack to; a million full records need less."""
CELLS_LIMIT = 60_000_000
"""Cells of the sheet's rectangle; a million records of 38 columns have fewer."""
CELLS_AT_ONCE = 5_000_000
"""Cells that are read at once, at up to 80 bytes each; more are read in portions."""
LAST_ROW = 1_048_576
WIDE = 1000
"""Columns beyond which a sheet is no table of activity but has a cell gone astray."""

_BLOCK = 1 << 20
_SMALL = 16 << 20  # workbook.xml and relationships are far below
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_USUAL_ADDRESS = re.compile(rb' r="([A-Z]{1,3})([0-9]{1,10})"')
_ADDRESS = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{1,3})([0-9]{1,10})["']""")
_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_CELL_STARTS = (b"<c ", b"<c>", b"<c/", b"<c\n", b"<c\r", b"<c\t", b":c ", b":c>", b":c/")
_FILLED_CELL = re.compile(
    rb"""<(?:\w+:)?c\b[^>]*?\br\s*=\s*["']([A-Za-z]{1,3})([0-9]{1,10})["'][^>]*(?<!/)>\s*<(?!/)"""
)
_PROMISED = re.compile(rb"""<(?:\w+:)?sst\b[^>]*?\buniqueCount\s*=\s*["']([0-9]{1,20})["']""")
_VALUE = re.compile(rb"<(?:\w+:)?(?:v|is)[\s>]")
_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
_ROW_NUMBER = re.compile(rb"""\br\s*=\s*["']([0-9]{1,9})["']""")
_ERROR_CELL = re.compile(
    rb"""<(?:\w+:)?c\b(?=[^>]*\bt\s*=\s*["']e["'])[^>]*?"""
    rb"""\br\s*=\s*["']([A-Za-z]{1,3})([0-9]{1,10})["'][^>]*>"""
    rb"(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]*)<",
    re.DOTALL,
)


_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,  # a way of compression that Python's reader does not know
    LookupError,
    OSError,
    ValueError,
)
"""What Python's zip reader raises over bytes that contradict each other."""


class RefusedError(Exception):
    """A workbook that must not be read; carries the finding that says why."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.finding = found
        super().__init__(found["message"])


@dataclass
class Extent:
    """The first sheet, measured: its rectangle, and what its error cells say."""

    last_row: int = 0
    last_column: int = 0
    errors: dict[tuple[int, int], str] = field(default_factory=dict)  # by 0-based row and column
    gap: tuple[int, int] | None = None  # the first row that is not there, the next that is
    far_cell: str = ""
    addressed: bool = True  # every cell says where it stands

    @property
    def too_large(self) -> bool:
        """Whether the rectangle of the sheet is more than a reader can hold."""
        return self._cells > (CELLS_LIMIT if self.addressed else CELLS_AT_ONCE)

    @property
    def in_portions(self) -> bool:
        """Whether the sheet is better read in portions."""
        return self._cells > CELLS_AT_ONCE

    @property
    def _cells(self) -> int:
        return self.last_row * self.last_column


def inspect_package(path: Path) -> Extent:
    """Measures the first sheet of an xlsx; raises ``RefusedError`` if it must not be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_other_kinds(archive)
            extent = _measure(archive, _extend)
            if extent.too_large and extent.addressed:
                exact = _measure(archive, _extend_by_values)
                extent = exact if exact.addressed else extent
    except _DAMAGE as error:
        raise RefusedError(finding("unreadable-file", detail=_plain(error))) from error
    except RuntimeError as error:  # how zipfile asks for a password
        raise RefusedError(finding("encrypted-file")) from error
    if extent.too_large:
        raise RefusedError(_too_large(extent))
    return extent


def _refuse_other_kinds(archive: zipfile.ZipFile) -> None:
    names = {name.replace("\\", "/").lower().lstrip("/") for name in archive.namelist()}
    if any(entry.flag_bits & 1 for entry in archive.infolist()):
        raise RefusedError(finding("encrypted-file"))
    if any(name.endswith("workbook.xml") for name in names):
        return
    kinds = {
        "workbook.bin": "a binary Excel workbook (xlsb)",
        "word/document.xml": "a Word document",
        "ppt/presentation.xml": "a PowerPoint presentation",
        "content.xml": "an OpenDocument file",
    }
    for end, kind in kinds.items():
        if any(name.endswith(end) for name in names):
            raise RefusedError(finding("wrong-file-type", kind=kind))
    raise RefusedError(finding("wrong-file-type", kind="a zip archive"))


Extend = Callable[[Extent, bytes], None]


def _measure(archive: zipfile.ZipFile, extend: Extend) -> Extent:
    """Unpacks each part that reading will need, in blocks, and measures the first sheet."""
    sheet = first_sheet(archive)
    extent, unpacked = Extent(), 0
    for entry in archive.infolist():
        if not is_read(entry.filename, sheet):
            continue
        before, promised = unpacked, 0
        for block in blocks_of(archive, entry):
            unpacked += len(block)
            promised = max([promised, *(int(count) for count in _PROMISED.findall(block))])
            if unpacked > UNPACKED_LIMIT:
                raise RefusedError(finding("unreadable-file/too-big", limit="3 GB"))
            if _DECLARATION.search(block):
                raise RefusedError(finding("unreadable-file/declares-entities"))
            if entry.filename == sheet:
                extend(extent, block)
        if promised > unpacked - before:  # no item takes less than a byte
            raise RefusedError(finding("unreadable-file", detail="it promises more than it holds"))
    return extent


def is_read(name: str, sheet: str | None) -> bool:
    """Whether reading the first sheet unpacks this part; other sheets are left alone."""
    if not name.lower().endswith((".xml", ".rels")):
        return False
    return sheet is None or name == sheet or "/worksheets/" not in f"/{name}"


def blocks_of(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The part in pieces that each end between two cells where they can."""
    with archive.open(entry) as part:
        rest = b""
        while block := part.read(_BLOCK):
            block = rest + block
            cut = max(block.rfind(b"</c>"), block.rfind(b"</row>"), block.rfind(b"/>"))
            if cut < 0 and len(block) < 4 * _BLOCK:
                rest = block
                continue
            cut = block.find(b">", cut) + 1 if cut >= 0 else len(block)
            yield block[:cut]
            rest = block[cut:]
        if rest:
            yield rest


def _extend(extent: Extent, block: bytes) -> None:
    """Measures a block of the sheet quickly: cells that hold a format and no value count too."""
    for attributes in _ROW.findall(block):
        number = _ROW_NUMBER.search(attributes)
        extent.last_row = max(extent.last_row, int(number[1]) if number else extent.last_row + 1)
    cells = sum(map(block.count, _CELL_STARTS))
    addresses = _USUAL_ADDRESS.findall(block)
    if len(addresses) < cells:
        addresses = _ADDRESS.findall(block)
    columns, rows = zip(*addresses, strict=True) if addresses else ((), ())
    extent.last_row = max(extent.last_row, *map(int, set(rows)), 0)
    widest = max(map(_column_number, set(columns)), default=0)
    if len(addresses) < cells:  # cells without an address follow each other
        extent.addressed = False
        widest = max(widest, *(len(_CELL.findall(row)) for row in _ROW.split(block)))
    extent.last_column = max(extent.last_column, widest)
    _note_errors(extent, block)


def _extend_by_values(extent: Extent, block: bytes) -> None:
    """Measures a block exactly, by cells that hold something, if it can see all of them."""
    filled = _FILLED_CELL.findall(block)
    extent.addressed &= len(filled) >= len(_VALUE.findall(block))
    for letters, digits in filled:
        row, column = int(digits), _column_number(letters)
        if extent.gap is None and row > extent.last_row + 1:
            extent.gap = extent.last_row + 1, row
        extent.last_row = max(extent.last_row, row)
        if column > extent.last_column:
            extent.last_column = column
            extent.far_cell = (letters + digits).decode()
    _note_errors(extent, block)


def _note_errors(extent: Extent, block: bytes) -> None:
    """What error cells say; the reader gives them as blank."""
    if b't="e"' in block or b"t='e'" in block:
        for letters, row, text in _ERROR_CELL.findall(block):
            place = int(row) - 1, _column_number(letters) - 1
            extent.errors[place] = html.unescape(text.decode("utf-8", "replace"))


def _too_large(extent: Extent) -> dict[str, Any]:
    if extent.last_row > LAST_ROW:
        return finding("unreadable-file", detail="it has rows beyond the last that Excel knows")
    if extent.gap is not None:
        empty, row = extent.gap
        return finding("data-after-empty-row", row=row, empty=empty)
    if extent.last_column > WIDE:
        return finding("unreadable-file/stray-cell", cell=extent.far_cell)
    size = f"{extent.last_row:,} rows of {extent.last_column:,} columns"
    return finding("unreadable-file/too-many-cells", size=size)


def first_sheet(archive: zipfile.ZipFile) -> str | None:
    """The part that holds the first worksheet, None where only a reader can tell."""
    names = {name.lower().lstrip("/"): name for name in archive.namelist()}
    book = next((name for name in names if name.endswith("workbook.xml")), "")
    folder, base = posixpath.split(book)
    relations = names.get(posixpath.join(folder, "_rels", f"{base}.rels"))
    if relations is None:
        return None
    try:
        sheets = [tag for tag in _tags(archive, names[book]) if _local(tag.tag) == "sheet"]
        targets = {tag.get("Id"): tag for tag in _tags(archive, relations)}
        for sheet in sheets:
            wanted = next((v for k, v in sheet.attrib.items() if _local(k) == "id"), None)
            found = targets.get(wanted)
            if found is not None and found.get("Type", "").endswith("/worksheet"):
                target = posixpath.normpath(posixpath.join("/", folder, found.get("Target", "")))
                return names.get(target.lstrip("/").lower())
    except ElementTree.ParseError:
        return None
    return None


def _tags(archive: zipfile.ZipFile, name: str) -> list[ElementTree.Element]:
    with archive.open(name) as part:
        text = part.read(_SMALL + 1)
    if len(text) > _SMALL:
        raise RefusedError(finding("unreadable-file/too-big", limit="16 MB of sheet names"))
    if _DECLARATION.search(text):
        raise RefusedError(finding("unreadable-file/declares-entities"))
    # declarations, all that an XML reader could be attacked with, were refused above
    return list(ElementTree.fromstring(text).iter())  # noqa: S314


def _local(name: str) -> str:
    return name.rsplit("}", 1)[-1]


def _column_number(letters: bytes) -> int:
    """A is 1, XFD is 16384; 0 for none."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _plain(error: Exception) -> str:
    # These say in words what they met: the disk, or a compression that the reader does not know.
    if isinstance(error, OSError | NotImplementedError):
        return str(error).strip().rstrip(".")
    return "parts of the file are missing or broken"
