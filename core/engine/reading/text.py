"""Decodes a csv file to UTF-8 text; its encoding is detected from all of its bytes."""

from __future__ import annotations

import codecs
import io
import mmap
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.engine.dataset.problems import finding
from core.engine.reading.refusal import RefusedError

BLOCK = 4 << 20
"""Bytes read at once."""

_MULTIBYTE = re.compile(
    rb"(?:[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})+"
)
_CLOSING = rb"\x85\x91-\x94\x96\x97\x99\x9b\xa0\xbb"
"""Windows-1252 for an ellipsis, quotes, dashes, a trade mark, a hard space: what follows a word."""

_LETTER_AND_CLOSING = re.compile(rb"[\xc6-\xdf][" + _CLOSING + rb"]")
"""A capital and one of those in Windows-1252; in UTF-8 a letter of a script whose words have more
than one."""

_NEVER_IN_UTF8 = re.compile(rb"(?:\xc8[\x80-\x97]|\xc9[\x90-\xbf])+")
"""Letters of linguists alone: valid UTF-8, and still Windows-1252."""

_NOT_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_END_MARK = b"\x1a"


@dataclass(frozen=True)
class Fault:
    """A byte that is no text: the reason (``problems``), and where it stands in the file."""

    reason: str
    offset: int | None = None  # None: of the file as a whole
    byte: str = ""


@dataclass(frozen=True)
class TextFacts:
    """The result of a scan of the whole file; ``fault`` if it is no text."""

    encoding: Literal["utf-8", "cp1252", "utf-16"] = "utf-8"
    start: int = 0
    lone_cr: bool = False
    fault: Fault | None = None


def scan_text(path: Path) -> TextFacts:
    """The encoding of the file.

    UTF-8 with or without a byte order mark, UTF-16 with one, else Windows-1252; a file that
    mixes them, or has bytes that are no text, has a ``fault``.
    """
    with path.open("rb") as file:
        head = file.read(4)
    if head in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE):
        return TextFacts(fault=Fault("bad-encoding/utf-32"))
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _scan_utf16(path)
    start = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    return _scan_bytes(path, start)


def utf8_blocks(path: Path, facts: TextFacts, size: int) -> Iterator[bytes]:
    """The text of the file as UTF-8 without a byte order mark, in blocks of about ``size``.

    DOS ends a text with 0x1A; those at the end of the file are left out.
    """
    held = b""
    for block in _decoded(path, facts, size):
        bare = block.rstrip(_END_MARK)
        if bare:
            yield held + bare if held else bare
            held = b""
        held += block[len(bare) :]


def _decoded(path: Path, facts: TextFacts, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(facts.start)
        if facts.encoding == "utf-8":
            while block := file.read(size):
                yield block
        else:
            decoder = codecs.getincrementaldecoder(facts.encoding)()
            while block := file.read(size):
                yield decoder.decode(block).encode()


def text_before(path: Path, facts: TextFacts, offset: int) -> str:
    """The text up to a byte that is none, and a character in its place."""
    with path.open("rb") as file:
        before = file.read(offset)[facts.start :]
    return before.decode(facts.encoding, errors="replace") + "x"


LONGEST_LINE = 32 << 20
"""Bytes of one line, far more than the cells of a row can hold."""


def whole_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, cut after the last line end of each block.

    Raises ``RefusedError`` where a line is longer than any row can be.
    """
    rest: list[bytes] = []
    length = 0
    for block in blocks:
        cut = block.rfind(b"\n") + 1
        if cut:
            yield b"".join([*rest, block[:cut]])
            rest, length = [], 0
        rest.append(block[cut:])
        length += len(block) - cut
        if length > LONGEST_LINE:
            raise RefusedError(finding("unreadable-file/long-line"))
    if length:
        yield b"".join(rest)


def with_line_feeds(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Text without quotes, in which every line ends with a line feed: CR, CR LF, CR CR LF."""
    held = b""
    for block in blocks:
        lines = (held + block).split(b"\n")
        *ended, last = lines
        kept = _without_ends(last)
        held = last[len(kept) :]  # what follows says whether these end one line or several
        joined = b"\n".join([*map(_without_ends, ended), kept])
        yield joined.replace(b"\r", b"\n")
    yield held.replace(b"\r", b"\n")


def _without_ends(line: bytes) -> bytes:
    """A line without the one or two carriage returns that belong to its line feed."""
    return line.removesuffix(b"\r").removesuffix(b"\r")


def has_quotes(path: Path) -> bool:
    """Whether a double quote stands anywhere, in any encoding."""
    with path.open("rb") as file:
        return any(b'"' in block for block in iter(lambda: file.read(BLOCK), b""))


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
    offset, returns, pairs, last, ascii_only = start, 0, 0, b"", True
    with path.open("rb") as file:
        file.seek(start)
        while block := file.read(BLOCK):
            nul = block.find(b"\0")
            if nul >= 0:
                return TextFacts(start=start, fault=Fault("bad-encoding/nul", offset + nul))
            pairs += last == b"\r" and block[:1] == b"\n"
            if b"\r" in block:
                returns += block.count(b"\r")
                pairs += block.count(b"\r\n")
            last = block[-1:]
            pending = decoder.getstate()[0]
            try:
                if pending or not block.isascii():
                    ascii_only = False
                    decoder.decode(block)
            except UnicodeDecodeError as error:
                return _not_utf8(path, start, offset - len(pending) + error.start)
            offset += len(block)
    if pending := decoder.getstate()[0]:
        return _not_utf8(path, start, offset - len(pending))
    lone_cr = returns != pairs
    if not (ascii_only or start) and _only_valid_by_chance(path):
        return TextFacts("cp1252", lone_cr=lone_cr)
    return TextFacts(start=start, lone_cr=lone_cr)


def _only_valid_by_chance(path: Path) -> bool:
    """Whether all that is not ASCII would be characters that nobody writes."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if _NOT_CP1252.search(data):
            return False
        return all(_NEVER_IN_UTF8.fullmatch(match[0]) for match in _MULTIBYTE.finditer(data))


def _not_utf8(path: Path, start: int, offset: int) -> TextFacts:
    """Windows-1252, unless the file speaks against it."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if start or _speaks_of_utf8(data):
            fault = Fault("bad-encoding/mixed", offset, _hex(data[offset]))
            return TextFacts(start=start, fault=fault)
        if nul := data.find(b"\0") + 1:
            return TextFacts("cp1252", fault=Fault("bad-encoding/nul", nul - 1))
        if undefined := _NOT_CP1252.search(data):
            at = undefined.start()
            return TextFacts("cp1252", fault=Fault("bad-encoding", at, _hex(data[at])))
        lone_cr = re.search(rb"\r(?!\n)", data) is not None
    return TextFacts("cp1252", lone_cr=lone_cr)


def _speaks_of_utf8(data: mmap.mmap) -> bool:
    """Whether some bytes are UTF-8 and not by chance: É before a quotation mark looks like it."""
    return any(not _LETTER_AND_CLOSING.fullmatch(match[0]) for match in _MULTIBYTE.finditer(data))


def _hex(byte: int) -> str:
    return f"0x{byte:02X}"


def _scan_utf16(path: Path) -> TextFacts:
    decoder = codecs.getincrementaldecoder("utf-16")()
    offset, lone_cr, last = 0, False, ""
    with path.open("rb") as file:
        while True:
            block = file.read(BLOCK)
            pending = decoder.getstate()[0]
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                at = offset - len(pending) + error.start
                return TextFacts("utf-16", fault=Fault("bad-encoding/utf-16", at))
            if (nul := text.find("\0")) >= 0:
                at = offset - len(pending) + len(text[:nul].encode("utf-16-le"))
                # the mark at the beginning of the file is none of the text
                return TextFacts("utf-16", fault=Fault("bad-encoding/nul", at + 2 * (not offset)))
            text = last + text
            last = "\r" if text.endswith("\r") else ""
            lone_cr |= re.search(r"\r(?!\n|$)", text) is not None
            offset += len(block)
            if not block:
                return TextFacts("utf-16", lone_cr=lone_cr or bool(last))
