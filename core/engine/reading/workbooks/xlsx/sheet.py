"""The cells of a sheet, block by block, as columns: where each stands and the text it means.

A cell of the usual kind is cut out by one regular expression over whole columns; a block that
holds any other goes through an XML parser. Both return the same; tests/property compares them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.engine.columns.marks import ERROR_CELL, NO_VALUE
from core.engine.dataset.problems import finding
from core.engine.reading.refusal import RefusedError, unreadable
from core.engine.reading.workbooks.cells import Cells, Numbers
from core.engine.reading.workbooks.number_formats import NumberFormat
from core.engine.reading.workbooks.typed_cells import (
    LONGEST_CELL,
    as_written,
    formatted_text,
    iso_text,
    text_through,
)
from core.engine.reading.workbooks.xlsx.book import PLAIN, Book
from core.engine.reading.workbooks.xlsx.markup import Elements, Markup, pieces_of, with_entities
from core.engine.reading.workbooks.xlsx.package import Package
from core.engine.reading.workbooks.xlsx.strings import refuse_long

NAMELESS_ERROR = "#ERROR!"
"""Stands for an error that its cell does not name."""
LAST_ROW, LAST_COLUMN = 1_048_576, 16_384

_USUAL = (
    r'^<c r="(?P<column>[A-Z]{1,3})(?P<row>[0-9]{1,7})"(?P<attributes>[^<>/]*)'
    r"(?:/>|>"
    r"(?P<formula><f[^<>]*>(?:[^<]*</f>)?)?"
    r"(?:<v>(?P<value>[^<]*)</v>|<v ?/>|"
    r'<is><t(?: xml:space="preserve")?>(?P<inline>[^<]*)</t></is>)?'
    r"</c>)(?:\s*</?row[^<>]*>)*\s*$"
)
_ROWS_ONLY = re.compile(rb"(?:\s*</?row(?:\s[^<>]*)?>)*\s*")
_FAR_ROW = re.compile(rb"""<row\s[^<>]*?\br\s*=\s*["'](?![0-9]{1,7}["'])""")
_ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*["']([^"']*)["']""")
_WHOLE = "^(?:0|-?[1-9][0-9]{0,14})$"
_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")
_ADDRESS = re.compile(r"([A-Za-z]{1,3})([0-9]{1,10})")


@dataclass(frozen=True)
class _Raw:
    """Cells as they are written: ``attributes`` are coded, the others null where there is none.

    A formula is empty, or an element without text, where it is only referred to.
    """

    rows: Numbers
    columns: Numbers
    attributes: pa.DictionaryArray
    formulas: pa.Array
    values: pa.Array
    inline: pa.Array


class Attributes(NamedTuple):
    """The attributes of a cell: its style and the kind of its value."""

    style: int
    kind: str


class SheetReader:
    """Reads the cells of one sheet; raises ``RefusedError`` where they cannot be read."""

    def __init__(self, package: Package, part: str, book: Book, strings: pa.Array) -> None:
        self._markup = Markup(package.blocks(part), "sheetData", "row")
        self._book, self._strings = book, strings
        self._kinds: dict[str, Attributes] = {}
        self._numbers: dict[str, int] = {}  # column numbers by their letters
        self._at = 0, 0  # the cell that came last

    @property
    def dimension(self) -> tuple[int, int]:
        """Last row and column that the sheet declares; 0 where it declares none."""
        match = re.search(rb"""<(?:[\w.-]+:)?dimension\s[^<>]*?\bref\s*=\s*["']([^"']*)["']""",
                          self._markup.head)  # fmt: skip
        end = match[1].decode("ascii", "replace").rsplit(":", 1)[-1] if match else ""
        parts = _ADDRESS.fullmatch(end)
        return (int(parts[2]), column_number(parts[1])) if parts else (0, 0)

    def cells(self) -> Iterator[Cells]:
        """The filled cells."""
        for block in self._markup.plain_blocks():
            raw = self._usual(block)
            yield self._with_texts(self._carefully(block) if raw is None else raw)
        if self._markup.rest is not None:
            elements = _CellElements(self._at)
            for block in self._markup.rest:
                elements.feed(block)
                yield self._with_texts(elements.taken())
            elements.close()

    def _usual(self, block: bytes) -> _Raw | None:
        """The cells of a block at once, None where one is not written as usual."""
        usual = self._markup.usual(block)
        if usual is None or _FAR_ROW.search(usual):
            return None
        before, pieces = pieces_of(usual, "c")
        if not _ROWS_ONLY.fullmatch(before):
            return None
        groups = pc.extract_regex(pieces, _USUAL)
        if groups.null_count:
            return None
        letters = groups.field("column").dictionary_encode()
        numbers = np.array(
            [self._column(text) for text in letters.dictionary.to_pylist()], np.int32
        )
        rows = np.asarray(groups.field("row").cast(pa.int32()))
        if len(rows):
            self._at = int(rows[-1]), int(numbers[letters.indices[-1].as_py()])
        values, inline, formulas = (
            groups.field("value"),
            groups.field("inline"),
            groups.field("formula"),
        )
        inline = _not_empty(inline) if b"<is>" in usual else pa.nulls(len(rows), pa.string())
        if b"<f" in usual:
            formulas = _not_empty(formulas)
            stored = pc.or_(pc.not_equal(values, ""), pc.match_substring(pieces, "<v"))
            values = pc.if_else(stored, values, None)
        else:
            formulas = pa.nulls(len(rows), pa.string())
        if b"&" in usual:
            values, inline, formulas = map(with_entities, (values, inline, formulas))
        return _Raw(
            rows,
            numbers[np.asarray(letters.indices)],
            groups.field("attributes").dictionary_encode(),
            formulas,
            values,
            inline,
        )

    def _carefully(self, block: bytes) -> _Raw:
        self._markup.spend(block)
        elements = _CellElements(self._at)
        elements.feed(self._markup.preamble)
        elements.feed(block)
        self._at = elements.at
        return elements.taken()

    def _column(self, letters: str) -> int:
        if letters not in self._numbers:
            self._numbers[letters] = column_number(letters)
        return self._numbers[letters]

    def _with_texts(self, raw: _Raw) -> Cells:
        """The cells with the texts that they mean; blank ones are left out."""
        if not len(raw.rows):
            return Cells(raw.rows, raw.columns, pa.array([], pa.string()))
        if raw.rows.max() > LAST_ROW or raw.columns.max() > LAST_COLUMN or raw.rows.min() < 1:
            raise unreadable("it has rows beyond the last that Excel knows")
        texts = _Texts(self._book, self._strings, raw).all(self._plans(raw.attributes.dictionary))
        filled = np.asarray(pc.fill_null(pc.not_equal(texts, ""), False))
        if filled.all():
            return Cells(raw.rows, raw.columns, texts)
        return Cells(raw.rows[filled], raw.columns[filled], texts.filter(pa.array(filled)))

    def _plans(self, distinct: pa.Array) -> list[Attributes]:
        return [self._attributes(text) for text in distinct.to_pylist()]

    def _attributes(self, text: str) -> Attributes:
        if text not in self._kinds:
            if len(self._kinds) > 100_000:  # no attribute but style and kind is of use
                self._kinds.clear()
            values = dict(_ATTRIBUTE.findall(text))
            style = values.get("s", "")
            self._kinds[text] = Attributes(
                int(style) if style.isdecimal() and len(style) < 9 else -1, values.get("t", "n")
            )
        return self._kinds[text]


def _not_empty(group: pa.Array) -> pa.Array:
    """A group of the expression: null where it did not take part."""
    return pc.if_else(pc.equal(group, ""), pa.scalar(None, pa.string()), group)


class _Texts:
    """Makes the text of each cell, kind by kind."""

    def __init__(self, book: Book, strings: pa.Array, raw: _Raw) -> None:
        self._book, self._strings, self._raw = book, strings, raw

    def all(self, plans: list[Attributes]) -> pa.Array:
        """The texts of the cells, empty or null for a blank; ``plans`` by attributes."""
        groups = {plan: number for number, plan in enumerate(dict.fromkeys(plans))}
        if len(groups) == 1:
            return self._group(plans[0], None)
        of_plans = np.array([groups[plan] for plan in plans], np.int32)
        of_cells = of_plans[np.asarray(self._raw.attributes.indices)]
        order = np.argsort(of_cells, kind="stable")
        ends = np.searchsorted(of_cells[order], np.arange(len(groups) + 1))
        texts = [
            self._group(plan, order[ends[number] : ends[number + 1]])
            for plan, number in groups.items()
        ]
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        return pa.concat_arrays(texts).take(pa.array(back))

    def _group(self, plan: Attributes, at: npt.NDArray[np.int64] | None) -> pa.Array:
        values, inline, formulas = (
            column if at is None else column.take(pa.array(at))
            for column in (self._raw.values, self._raw.inline, self._raw.formulas)
        )
        texts = self._valued(plan, values, inline)
        return _without_result(texts, values, formulas, plan.kind)

    def _valued(self, plan: Attributes, values: pa.Array, inline: pa.Array) -> pa.Array:
        shape = (
            self._book.formats[plan.style] if 0 <= plan.style < len(self._book.formats) else PLAIN
        )
        if plan.kind == "s":
            return _through(shape, self._shared(values))
        if plan.kind == "e":
            named = pc.if_else(pc.equal(pc.fill_null(values, ""), ""), NAMELESS_ERROR, values)
            return pc.binary_join_element_wise(ERROR_CELL, named, "")
        if plan.kind == "b":
            return _map_distinct(
                values, lambda text: "FALSE" if text.strip() in ("0", "false", "") else "TRUE"
            )
        if plan.kind == "d":
            return _map_distinct(values, lambda text: iso_text(text.strip()))
        if plan.kind in ("str", "inlineStr"):
            texts = pc.coalesce(inline, values)
            refuse_long(texts)
            return _through(shape, as_written(texts))
        numbers = self._numbers(values, shape)
        return (
            numbers
            if not pc.any(inline.is_valid()).as_py()
            else pc.coalesce(as_written(inline), numbers)
        )

    def _shared(self, values: pa.Array) -> pa.Array:
        try:
            at = pc.if_else(pc.equal(values, ""), None, values).cast(pa.int32())
        except pa.ArrowInvalid as error:
            raise unreadable("a cell refers to a text that is not there") from error
        highest = pc.max(at).as_py()
        if highest is not None and (highest >= len(self._strings) or pc.min(at).as_py() < 0):
            raise unreadable("a cell refers to a text that is not there")
        return self._strings.take(at)

    def _numbers(self, values: pa.Array, shape: NumberFormat) -> pa.Array:
        if shape.is_general:
            odd = pc.invert(pc.match_substring_regex(values, _WHOLE))
            if not pc.any(odd).as_py():
                return values
            texts = _map_distinct(values.filter(odd), self._number(shape))
            return pc.replace_with_mask(values, pc.fill_null(odd, False), texts)
        return _map_distinct(values, self._number(shape))

    def _number(self, shape: NumberFormat) -> Callable[[str], str]:
        def shown(text: str) -> str:
            if not text.strip():
                return ""
            if not _NUMBER.fullmatch(text):
                raise unreadable("a number cell holds no number")
            number = float(text)
            if not math.isfinite(number):
                raise unreadable("a number cell holds no number")
            return formatted_text(number, shape, from_1904=self._book.from_1904)

        return shown


def _through(shape: NumberFormat, texts: pa.Array) -> pa.Array:
    """Text cells, shown through a format that may change them."""
    if not shape.changes_texts:
        return texts
    return _map_distinct(texts, lambda text: text_through(text, shape))


def _map_distinct(values: pa.Array, function: Callable[[str], str]) -> pa.Array:
    """The function's texts of a column, each distinct value once; null stays null."""
    coded = values.dictionary_encode()
    texts = pa.array([function(text) for text in coded.dictionary.to_pylist()], pa.string())
    return texts.take(coded.indices)


def _without_result(texts: pa.Array, values: pa.Array, formulas: pa.Array, kind: str) -> pa.Array:
    """The texts; the marked formula in place of a result that was not stored."""
    if formulas.null_count == len(formulas):
        return texts
    bare_values = pc.utf8_trim_whitespace(pc.fill_null(values, ""))
    stored = pc.is_valid(values) if kind == "str" else pc.not_equal(bare_values, "")
    lacking = pc.and_(pc.is_valid(formulas), pc.invert(stored))
    bare = pc.replace_substring_regex(formulas, "^<f[^>]*>|</f>$", "")
    written = pc.binary_join_element_wise(NO_VALUE + "=", bare, "")
    return pc.if_else(lacking, written, texts)


class _CellElements(Elements):
    """Cells element by element, with or without addresses of their own."""

    def __init__(self, at: tuple[int, int]) -> None:
        super().__init__()
        self.at = at
        self._row = at[0]
        self._tables = self._of_row = 0
        self._found: list[tuple[int, int, str, str | None, str | None, str | None]] = []
        self._parts: dict[str, list[str] | None] = {}
        self._attributes = ""
        self._within: list[str] = []
        self._length = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._within.append(name)
        if name == "sheetData":
            self._tables += 1
            if self._tables > 1:
                raise unreadable("it has two tables of cells")
        elif name == "row":
            number = attributes.get("r", "")
            self._row = _row_number(number) if number else self._row + 1
            self.at = self._row, 0
            self._of_row = 0
        elif name == "c":
            self.at = self._address(attributes.get("r", ""))
            self._of_row += 1
            if self._of_row > LAST_COLUMN:
                raise unreadable("a row has more cells than Excel has columns")
            style, kind = attributes.get("s", ""), attributes.get("t", "n")
            self._attributes = f's="{style}" t="{kind}"'
            self._parts = {"v": None, "t": None, "f": None}
            self._length = 0
        elif name in ("v", "t", "f") and not (name == "t" and "is" not in self._within):
            if name == "v" and self._parts.get(name) is not None:
                raise unreadable("a cell holds two values")
            self._parts[name] = self._parts.get(name) or []

    def end(self, name: str) -> None:
        if self._within:
            self._within.pop()
        if name == "c":
            value, inline, formula = (
                None if part is None else "".join(part) for part in map(self._parts.get, "vtf")
            )
            self._found.append((*self.at, self._attributes, value, inline, formula))

    def text(self, text: str) -> None:
        name = self._within[-1] if self._within else ""
        part = self._parts.get(name)
        if part is None or "rPh" in self._within:
            return
        self._length += len(text)
        if self._length > LONGEST_CELL:
            raise RefusedError(finding("unreadable-file/long-cell"))
        part.append(text)

    def taken(self) -> _Raw:
        """Returns the cells that are complete, each once."""
        cells: Any = list(zip(*self._found, strict=True)) if self._found else [()] * 6
        rows, columns, attributes, values, inline, formulas = cells
        self._found = []
        return _Raw(
            np.array(rows, np.int64).clip(0, LAST_ROW + 1).astype(np.int32),
            np.array(columns, np.int32),
            pa.array(attributes, pa.string()).dictionary_encode(),
            pa.array(formulas, pa.string()),
            pa.array(values, pa.string()),
            pa.array(inline, pa.string()),
        )

    def _address(self, text: str) -> tuple[int, int]:
        if not text:
            return self._row or 1, self.at[1] + 1
        match = _ADDRESS.fullmatch(text)
        if not match:
            raise unreadable("a cell has an address that Excel does not know")
        self._row = _row_number(match[2])
        return self._row, column_number(match[1])


def _row_number(text: str) -> int:
    """The number of a row that a sheet may have."""
    if not re.fullmatch("[0-9]{1,7}", text) or not 1 <= int(text) <= LAST_ROW:
        raise unreadable("it has rows beyond the last that Excel knows")
    return int(text)


def column_number(letters: str) -> int:
    """A is 1, XFD is 16384."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number
