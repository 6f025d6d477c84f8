"""The globals of an old workbook: sheets, texts, the number format of each style."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from core.engine.dataset.problems import finding
from core.engine.reading.refusal import RefusedError, unreadable
from core.engine.reading.workbooks.number_formats import NumberFormat, format_of
from core.engine.reading.workbooks.typed_cells import written_text
from core.engine.reading.workbooks.xls.records import (
    CALCULATED,
    CODE_PAGE,
    CONTINUE,
    DATES,
    FORMAT,
    PASSWORD,
    SHEET,
    STRINGS,
    STYLE,
    Fragments,
    decoded,
    records,
)

_BIFF8 = 0x600
_CODE_PAGES = {0x4E4: "cp1252", 0x8000: "mac-roman", 0x8001: "cp1252", 1200: "utf-16-le"}


@dataclass(frozen=True)
class Sheet:
    """A worksheet: its name on the tab, where its records begin, whether a person sees it."""

    name: str
    position: int
    visible: bool


@dataclass
class Book:
    """The globals of the workbook, read."""

    stream: bytes
    is_new: bool  # BIFF8, of Excel 97 and later
    sheets: list[Sheet] = field(default_factory=list)
    formats: list[NumberFormat] = field(default_factory=list)  # by style number
    texts: list[str] = field(default_factory=list)
    from_1904: bool = False
    calculated: bool = False
    """Whether a program that calculates formulas has saved the file."""
    code_page: str = "cp1252"

    def text(self, at: int, length: int, *, short: bool = False) -> str:
        """A text in a record: its length comes first, in one byte if ``short``."""
        size = 1 if short else 2
        count = int.from_bytes(self.stream[at : at + size], "little")
        begin, end = at + size, at + length
        if not self.is_new:
            letters = self.stream[begin : min(begin + count, end)]
            return letters.decode(self.code_page, "replace")
        wide = bool(self.stream[begin] & 1) if begin < end else False
        letters = self.stream[begin + 1 : min(begin + 1 + count * (1 + wide), end)]
        return decoded(letters[: len(letters) // (1 + wide) * (1 + wide)], wide=wide)


def read_book(stream: bytes) -> Book:
    """Reads everything but the cells; raises ``RefusedError``."""
    if len(stream) < 8:
        raise unreadable("it has no workbook in it")
    book = Book(stream, is_new=struct.unpack_from("<H", stream, 4)[0] >= _BIFF8)
    codes: dict[int, str] = {}
    styles: list[int] = []
    pieces: list[bytes] = []
    before = 0
    for kind, at, length in records(stream, 0):
        if kind == PASSWORD:
            raise RefusedError(finding("encrypted-file"))
        if kind == SHEET and length >= 8:
            _add_sheet(book, at, length)
        elif kind == CODE_PAGE and length >= 2:
            book.code_page = _code_page(struct.unpack_from("<H", stream, at)[0])
        elif kind == DATES and length >= 2:
            book.from_1904 = stream[at] == 1
        elif kind == FORMAT and length >= 4:
            number = struct.unpack_from("<H", stream, at)[0]
            codes[number] = book.text(at + 2, length - 2, short=not book.is_new)
        elif kind == STYLE and length >= 4:
            styles.append(struct.unpack_from("<H", stream, at + 2)[0])
        elif kind == STRINGS or (kind == CONTINUE and before == STRINGS):
            pieces.append(stream[at : at + length])
            kind = STRINGS  # noqa: PLW2901 - what continues it belongs to it
        book.calculated |= kind == CALCULATED
        before = kind
    book.formats = [format_of(number, codes.get) for number in styles]
    book.texts = _texts(pieces)
    return book


def _add_sheet(book: Book, at: int, length: int) -> None:
    position, state, kind = struct.unpack_from("<IBB", book.stream, at)
    if kind == 0:
        name = book.text(at + 6, length - 6, short=True)
        book.sheets.append(Sheet(name, position, state & 3 == 0))


def _code_page(number: int) -> str:
    name = _CODE_PAGES.get(number, f"cp{number}")
    try:
        b"".decode(name)
    except LookupError:
        return "cp1252"
    return name


def _texts(pieces: list[bytes]) -> list[str]:
    if not pieces or len(pieces[0]) < 8:
        return []
    promised = struct.unpack_from("<I", pieces[0], 4)[0]
    if promised * 3 > sum(map(len, pieces)):  # no text takes less than three bytes
        raise unreadable("it promises more than it holds")
    content = Fragments([pieces[0][8:], *pieces[1:]])
    texts: list[str] = []
    while content.more and len(texts) < promised:
        texts.append(written_text(content.text(), escaped=False))
    return texts
