"""Bytes of a csv file to UTF-8 text: which encoding it is, told from all of its bytes."""

from __future__ import annotations

import codecs
import csv
import io
import mmap
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.engine.dataset.problems import finding

BLOCK = 4 << 20
"""Bytes looked at in one go."""

_MULTIBYTE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_NOT_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


@dataclass(frozen=True)
class TextFacts:
    """What a scan of the whole file told; ``problem`` is a finding if it is no text at all."""

    encoding: Literal["utf-8", "cp1252", "utf-16"] = "utf-8"
    start: int = 0
    lone_cr: bool = False
    problem: dict[str, Any] | None = None


def scan_text(path: Path) -> TextFacts:
    """The encoding of the file.

    UTF-8 with or without a byte order mark, UTF-16 with one, else Windows-1252; a file that
    mixes them, or has bytes that are no text, is a ``bad-encoding`` with the row of the byte.
    """
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _scan_utf16(path)
    start = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    return _scan_bytes(path, start)


def utf8_blocks(path: Path, facts: TextFacts, size: int) -> Iterator[bytes]:
    """The text of the file as UTF-8 without a byte order mark, in blocks of about ``size``."""
    with path.open("rb") as file:
        file.seek(facts.start)
        if facts.encoding == "utf-8":
            while block := file.read(size):
                yield block
        else:
            decoder = codecs.getincrementaldecoder(facts.encoding)()
            while block := file.read(size):
                yield decoder.decode(block).encode()


def whole_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, cut after the last line end of each block."""
    rest = b""
    for block in blocks:
        cut = block.rfind(b"\n") + 1
        if cut:
            yield rest + block[:cut]
            rest = block[cut:]
        else:
            rest += block
    if rest:
        yield rest


def text_lines(blocks: Iterable[bytes]) -> io.TextIOWrapper:
    """Lines as the csv module wants them: ends kept, LF, CR and CRLF all understood."""
    return io.TextIOWrapper(
        io.BufferedReader(_BlockStream(iter(blocks)), BLOCK), encoding="utf-8", newline=""
    )


class _BlockStream(io.RawIOBase):
    """A stream over blocks of bytes."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = memoryview(block)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _scan_bytes(path: Path, start: int) -> TextFacts:
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset, returns, pairs, last = start, 0, 0, b""
    with path.open("rb") as file:
        file.seek(start)
        while block := file.read(BLOCK):
            nul = block.find(b"\0")
            if nul >= 0:
                return _bad(path, offset + nul, "bad-encoding/nul")
            pairs += last == b"\r" and block[:1] == b"\n"
            if b"\r" in block:
                returns += block.count(b"\r")
                pairs += block.count(b"\r\n")
            last = block[-1:]
            pending = decoder.getstate()[0]
            try:
                if pending or not block.isascii():
                    decoder.decode(block)
            except UnicodeDecodeError as error:
                return _not_utf8(path, start, offset - len(pending) + error.start)
            offset += len(block)
    if pending := decoder.getstate()[0]:
        return _not_utf8(path, start, offset - len(pending))
    return TextFacts(start=start, lone_cr=returns != pairs)


def _not_utf8(path: Path, start: int, offset: int) -> TextFacts:
    """Windows-1252, unless the file speaks against it."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if start or _MULTIBYTE.search(data):
            return _bad(path, offset, "bad-encoding/mixed")
        if nul := data.find(b"\0") + 1:
            return _bad(path, nul - 1, "bad-encoding/nul")
        if undefined := _NOT_CP1252.search(data):
            return _bad(path, undefined.start(), "bad-encoding")
        lone_cr = re.search(rb"\r(?!\n)", data) is not None
    return TextFacts("cp1252", lone_cr=lone_cr)


def _scan_utf16(path: Path) -> TextFacts:
    decoder = codecs.getincrementaldecoder("utf-16")()
    line, lone_cr, last = 1, False, ""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            try:
                text = last + decoder.decode(block, final=len(block) < BLOCK)
            except UnicodeDecodeError as error:
                good = error.object[: error.start].decode(error.encoding, "ignore")
                row = line + good.count("\n")
                return TextFacts("utf-16", problem=finding("bad-encoding/utf-16", row=row))
            line += text.count("\n")
            last = "\r" if text.endswith("\r") else ""
            lone_cr |= re.search(r"\r(?!\n|$)", text) is not None
    return TextFacts("utf-16", lone_cr=lone_cr or bool(last))


def _bad(path: Path, offset: int, reason: str) -> TextFacts:
    with path.open("rb") as file:
        before = file.read(offset + 1)
    row = _row_of_last(before)
    return TextFacts(problem=finding(reason, row=row, byte=f"0x{before[-1]:02X}"))


def _row_of_last(before: bytes) -> int:
    """The spreadsheet row of the last byte: lines count once however a cell is broken up."""
    lines = io.TextIOWrapper(io.BytesIO(before), encoding="latin-1", newline="")
    try:
        rows = sum(1 for _ in csv.reader(lines))
    except csv.Error:
        rows = before.count(b"\n") + 1
    return max(rows - before.startswith(b"sep="), 1)
