"""The XML of a large part: in blocks of whole items where it is plain, else element by element.

Reading plain blocks takes time linear in their size: columns are cut out by a regular expression
without backtracking. What such an expression cannot read exactly (comments, other encodings, rich
text) goes through an XML parser.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from xml.parsers import expat

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.engine.dataset.problems import finding
from core.engine.reading.refusal import RefusedError, unreadable
from core.engine.reading.workbooks.xlsx.package import refuse_declarations

HEAD_LIMIT = 4 << 20
"""Bytes above the first item: what a sheet says of its columns and views."""
ITEM_LIMIT = 8 << 20
"""Bytes of one row; more are read element by element, which takes thirty times their memory."""
PIECE = 1 << 20
"""Bytes that are read element by element at once."""
TAG_LIMIT = 1 << 10
"""Bytes of a tag."""
DEEPEST = 100
"""Elements within each other; those of a sheet are eight deep."""
CAREFUL_LIMIT = 96 << 20
"""Bytes of a part that are read element by element, which takes ten times as long."""

_ROOT = re.compile(rb"<[A-Za-z][^<>]{0,65536}>")
_ENCODING = re.compile(rb"""\A\s*(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding\s*=\s*["']([\w.-]+)["']""")
_UNKNOWN_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)")
_NAMED = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}


class Markup:
    """A part whose ``container`` holds many ``item`` elements, read from its blocks."""

    def __init__(self, blocks: Iterator[bytes], container: str, item: str) -> None:
        self._blocks = blocks
        self._container = container.encode()
        self._begins = re.compile(rb"<(?:([\w.-]+):)?%b(?:\s[^<>]*?)?(/?)>" % self._container)
        self._ends = re.compile(rb"</(?:[\w.-]+:)?%b\s*>" % self._container)
        self.head = b""
        self._spent = 0
        self.rest: Iterator[bytes] | None = None
        self._first = self._read_head()
        self._item_end = b"</" + self._prefix + item.encode() + b">"

    def plain_blocks(self) -> Iterator[bytes]:
        """Blocks of whole items. The blocks in ``rest`` afterwards need ``Elements``."""
        if self.rest is not None:
            return
        buffer, more = self._first, self._blocks
        while True:
            if b"<!" in buffer or b"<?" in buffer or len(buffer) > ITEM_LIMIT:
                self.rest = itertools.chain([self.preamble], _in_pieces(buffer), more)
                return
            end = self._end_of(buffer)
            if end is not None:
                yield buffer[:end]
                self._refuse_another(buffer[end:], more)
                return
            cut = buffer.rfind(self._item_end) + 1
            if cut:
                cut += len(self._item_end) - 1
                yield buffer[:cut]
                buffer = buffer[cut:]
            block = self._joined(more, len(buffer))
            if not block:
                raise unreadable("it breaks off in the middle")
            buffer += block

    @property
    def preamble(self) -> bytes:
        """The text that an XML parser needs before the first item."""
        return self._preamble

    def spend(self, block: bytes) -> None:
        """Counts a block that is read element by element; raises where there are too many."""
        self._spent += len(block)
        if self._spent > CAREFUL_LIMIT:
            raise RefusedError(finding("unreadable-file/unusual", limit="96 MB"))

    def usual(self, block: bytes) -> bytes | None:
        """The block as most programs would have written it; None if it needs more care."""
        if b"\0" in block or (b"&" in block and _UNKNOWN_ENTITY.search(block)):
            return None
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if self._prefix:
            block = block.replace(b"<" + self._prefix, b"<")
            block = block.replace(b"</" + self._prefix, b"</")
        if not block.isascii():
            try:
                block.decode()
            except UnicodeDecodeError:
                return None
        return block

    def _joined(self, blocks: Iterator[bytes], at_least: int) -> bytes:
        """The next blocks, joined up to the buffer's size, so that the cost of copies is linear."""
        parts, length = [], 0
        for block in blocks:
            parts.append(block)
            length += len(block)
            if length >= at_least:
                break
        return b"".join(parts)

    def _read_head(self) -> bytes:
        """Reads up to the first item; returns the text after the container's own tag."""
        head = next(self._blocks, b"")
        if b"\0" in head[:64] or _other_encoding(head):
            self._take_whole(head)
            return b""
        while not (begins := self._begins.search(head)):
            block = self._joined(self._blocks, len(head))
            if not block or len(head) > HEAD_LIMIT:
                refuse_declarations(head)
                self._take_whole(head + block)
                return b""
            head += block
        self.head = head[: begins.end()]
        refuse_declarations(self.head)
        self._prefix = begins[1] + b":" if begins[1] else b""
        root = _ROOT.search(self.head)
        if root is None or b"<!" in self.head or (begins[2] and b"/" in begins[2]):
            self._take_whole(head)
            return b""
        self._preamble = self.head if root.end() == begins.end() else root[0] + begins[0]
        return head[begins.end() :]

    _prefix = _preamble = b""

    def _refuse_another(self, below: bytes, blocks: Iterator[bytes]) -> None:
        """Refuses a second container below the first, whose items would not be read."""
        for block in itertools.chain([b""], blocks):
            below = below[-TAG_LIMIT:] + block if block else below
            if self._container in below and self._begins.search(below):
                raise unreadable("it has two tables of cells")

    def _take_whole(self, begun: bytes) -> None:
        self.rest = itertools.chain(_in_pieces(begun), self._blocks)

    def _end_of(self, block: bytes) -> int | None:
        """Where the items end, None if they go on."""
        if self._container not in block:
            return None
        ends = self._ends.search(block)
        return ends.start() if ends else None


class Elements:
    """An XML parser over pieces of a part; its handlers get names without namespaces."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self.text
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.EntityDeclHandler = self._refuse
        self._fed = self._depth = 0

    def feed(self, block: bytes) -> None:
        """Reads on; raises ``RefusedError`` where the XML is broken."""
        self._fed += len(block)
        if self._fed > CAREFUL_LIMIT:
            raise RefusedError(finding("unreadable-file/unusual", limit="96 MB"))
        self._parse(block, final=False)

    def close(self) -> None:
        """Says that the part has ended."""
        self._parse(b"", final=True)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, text: str) -> None:
        """Text between tags."""

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise unreadable("its XML has elements within elements without end")
        self.start(_bare(name), attributes)

    def _end(self, name: str) -> None:
        self._depth -= 1
        self.end(_bare(name))

    def _parse(self, block: bytes, *, final: bool) -> None:
        try:
            self._parser.Parse(block, final)
        except expat.ExpatError as error:
            raise unreadable(f"its XML is broken ({expat.ErrorString(error.code)})") from error
        except (LookupError, ValueError) as error:
            raise unreadable("its XML is in an encoding that nobody knows") from error

    def _refuse(self, *_: object) -> None:
        raise RefusedError(finding("unreadable-file/declares-entities"))


def pieces_of(block: bytes, tag: str) -> tuple[bytes, pa.Array]:
    """The text before the first such element, and the elements, each up to the next."""
    letters = np.frombuffer(block + b"    ", np.uint8)
    at = np.flatnonzero(letters[: len(block)] == ord("<"))
    for offset, letter in enumerate(tag.encode(), start=1):
        at = at[letters[at + offset] == letter]
    at = at[np.isin(letters[at + len(tag) + 1], np.frombuffer(b" />\n\t", np.uint8))]
    if not len(at):
        return block, pa.array([], pa.string())
    ends = np.append(at, len(block)).astype(np.int32)
    buffers = [None, pa.py_buffer(ends.tobytes()), pa.py_buffer(block)]
    return block[: at[0]], pa.Array.from_buffers(pa.string(), len(at), buffers)


def with_entities(texts: pa.Array) -> pa.Array:
    """Texts with the five entities of XML as the characters they stand for."""
    for name, letter in _NAMED.items():
        texts = pc.replace_substring(texts, name, letter)
    return texts


def _in_pieces(text: bytes) -> Iterator[bytes]:
    return (text[at : at + PIECE] for at in range(0, len(text), PIECE))


def _bare(name: str) -> str:
    return name.rsplit(" ", 1)[-1]


def _other_encoding(head: bytes) -> bool:
    declared = _ENCODING.match(head[:256])
    return declared is not None and declared[1].lower() not in (b"utf-8", b"utf8", b"us-ascii")
