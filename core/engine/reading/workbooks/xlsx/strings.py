"""The shared strings of a workbook: one text for each number that cells refer to."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from core.engine.dataset.problems import finding
from core.engine.reading.refusal import RefusedError, unreadable
from core.engine.reading.workbooks.typed_cells import LONGEST_CELL, as_written
from core.engine.reading.workbooks.xlsx.markup import Elements, Markup, pieces_of, with_entities
from core.engine.reading.workbooks.xlsx.package import Package

STRINGS_LIMIT = 256 << 20
"""Bytes of all shared strings together, which stay in memory while the sheet is read."""
MOST_STRINGS = 20_000_000
"""The number of shared strings; a million records have a dozen texts each at most."""

_PROMISED = re.compile(rb"""\buniqueCount\s*=\s*["']([0-9]{1,20})["']""")
_USUAL = r'^<si>(?:<t(?: xml:space="preserve")?>(?P<text>[^<]*)</t>|<t ?/>)</si>\s*$'


def read_strings(package: Package, part: str | None) -> pa.Array:
    """The shared strings in their order, as texts of cells; raises ``RefusedError``."""
    if part is None:
        return pa.array([], pa.string())
    markup = Markup(package.blocks(part), "sst", "si")
    arrays: list[pa.Array] = []
    held = count = 0
    for texts in _texts(markup):
        held, count = held + texts.nbytes, count + len(texts)
        if held > STRINGS_LIMIT:
            raise RefusedError(finding("unreadable-file/too-big", limit="256 MB of texts"))
        if count > MOST_STRINGS:
            limit = f"{MOST_STRINGS:,} texts"
            raise RefusedError(finding("unreadable-file/too-big", limit=limit))
        arrays.append(as_written(texts))
    promised = _PROMISED.search(markup.head)
    if promised and int(promised[1]) > 100 * (count + 1_000):
        raise unreadable("it promises more than it holds")
    return pa.concat_arrays(arrays) if arrays else pa.array([], pa.string())


def _texts(markup: Markup) -> Iterator[pa.Array]:
    for block in markup.plain_blocks():
        texts = _usual(markup, block)
        if texts is None:
            markup.spend(block)
            items = _Items()
            items.feed(markup.preamble)
            items.feed(block)
            texts = items.taken()
        yield texts
    if markup.rest is not None:
        items = _Items()
        for block in markup.rest:
            items.feed(block)
            yield items.taken()
        items.close()


def _usual(markup: Markup, block: bytes) -> pa.Array | None:
    """The strings of a block at once, None where one is not written as usual."""
    usual = markup.usual(block)
    if usual is None:
        return None
    before, pieces = pieces_of(usual, "si")
    if before.strip():
        return None
    groups = pc.extract_regex(pieces, _USUAL)
    if groups.null_count:
        return None
    texts = groups.field("text")
    refuse_long(texts)
    return with_entities(texts) if b"&" in usual else texts


class _Items(Elements):
    """Strings element by element: runs are put together, phonetic ones left out."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: list[str] = []
        self._parts: list[str] = []
        self._phonetic = self._in_text = self._length = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        del attributes
        if name == "si":
            self._parts, self._length = [], 0
        self._phonetic += name == "rPh"
        self._in_text += name == "t"

    def end(self, name: str) -> None:
        self._phonetic -= name == "rPh"
        self._in_text -= name == "t"
        if name == "si":
            self._texts.append("".join(self._parts))

    def text(self, text: str) -> None:
        if self._in_text and not self._phonetic:
            self._length += len(text)
            if self._length > LONGEST_CELL:
                raise RefusedError(finding("unreadable-file/long-cell"))
            self._parts.append(text)

    def taken(self) -> pa.Array:
        """Returns the strings that are complete, each once."""
        texts, self._texts = pa.array(self._texts, pa.string()), []
        return texts


def refuse_long(texts: pa.Array) -> None:
    """Raises ``RefusedError`` where a text is longer than a cell may be."""
    if (pc.max(pc.utf8_length(texts)).as_py() or 0) > LONGEST_CELL:
        raise RefusedError(finding("unreadable-file/long-cell"))
