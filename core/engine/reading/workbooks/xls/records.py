"""The records of an old workbook (xls, BIFF5 and BIFF8): what kind, and the bytes of each.

[MS-XLS] describes the records. What a record declares about others is not trusted: counts and
extents may promise gigabytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

BEGIN, END, SHEET, STRINGS, CONTINUE, EXTENT = 0x809, 0x0A, 0x85, 0xFC, 0x3C, 0x200
FORMULA, NUMBER, LABEL, BOOL_OR_ERROR, SMALL, MANY = 0x06, 0x203, 0x204, 0x205, 0x27E, 0xBD
RICH_LABEL, SHARED_LABEL, FORMULA_TEXT = 0xD6, 0xFD, 0x207
FORMAT, STYLE, DATES, CODE_PAGE, PASSWORD, CALCULATED = 0x41E, 0xE0, 0x22, 0x42, 0x2F, 0x1C1

_HEADER = struct.Struct("<HH")

Record = tuple[int, int, int]
"""What kind, where its content begins, how long it is."""


def records(stream: bytes, at: int) -> Iterator[Record]:
    """The records of the part that begins at ``at``, without those of parts embedded in it."""
    depth = 0
    unpack, last = _HEADER.unpack_from, len(stream) - 4
    while at <= last:
        kind, length = unpack(stream, at)
        at += 4
        if at + length > last + 4:
            return
        if kind == BEGIN:
            depth += 1
        elif kind == END:
            depth -= 1
            if depth <= 0:
                return
        elif depth <= 1:
            yield kind, at, length
        at += length


class Fragments:
    """The content of a record that goes on in others, read as if it were one piece.

    Where it breaks off within the letters of a text, the next piece begins with a byte that says
    how wide the letters are from there on.
    """

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces
        self._piece = self._at = 0

    @property
    def more(self) -> bool:
        """Whether anything is left."""
        while self._piece < len(self._pieces) and self._at >= len(self._pieces[self._piece]):
            self._piece, self._at = self._piece + 1, 0
        return self._piece < len(self._pieces)

    def take(self, count: int) -> bytes:
        """The next bytes; fewer at the end."""
        taken = b""
        while len(taken) < count and self.more:
            piece = self._pieces[self._piece][self._at : self._at + count - len(taken)]
            self._at += len(piece)
            taken += piece
        return taken

    def text(self) -> str:
        """The next text with its own length and flags ([MS-XLS] 2.5.293)."""
        count, flags = struct.unpack("<HB", self.take(3).ljust(3, b"\0"))
        runs = int.from_bytes(self.take(2), "little") if flags & 8 else 0
        extra = int.from_bytes(self.take(4), "little") if flags & 4 else 0
        letters = self._letters(count, wide=bool(flags & 1))
        self.take(4 * runs + extra)
        return letters

    def _letters(self, count: int, *, wide: bool) -> str:
        parts: list[str] = []
        while count > 0 and self.more:
            size = 2 if wide else 1
            piece = self._pieces[self._piece][self._at : self._at + count * size]
            piece = piece[: len(piece) // size * size]
            if not piece:
                break
            self._at += len(piece)
            parts.append(decoded(piece, wide=wide))
            count -= len(piece) // size
            if count and self._at >= len(self._pieces[self._piece]) and self.more:
                wide = bool(self.take(1)[0] & 1)
        return "".join(parts)


def decoded(letters: bytes, *, wide: bool) -> str:
    """Letters of two bytes, or of one where the other is zero."""
    return letters.decode("utf-16-le", "surrogatepass") if wide else letters.decode("latin-1")
