"""Marks: facts about a cell that its text does not show.

A csv cell is text. A workbook cell has a kind, and the contract depends on it: a date typed as text
is no date. Such values get one private character in front, which the checks remove; the metadata of
a table says whether it may hold marks, so that values of plain csv files are never taken for marks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.engine.columns.coded import Coded

DATE_CELL = "\ue000"
DATE_WITH_TIME = "\ue001"
ERROR_CELL = "\ue002"
ROUNDED_NUMBER = "\ue003"
CODE_TOO_MANY = "\ue004"
NO_VALUE = "\ue005"
"""A formula without a stored result; the formula follows."""
NOT_AS_SHOWN = "\ue006"
"""A cell that shows something else than it holds: ``shown``, ``SEPARATOR``, ``stored`` and so on.

After what is stored comes the number format, so that a copy can show the same again.
"""
AS_SHOWN = "\ue007"
"""As ``NOT_AS_SHOWN``, where only leading zeros were added: in a text they count."""
TWICE = "\ue008"
"""Several cells of one address: what each holds, with " | " between."""
TYPED = "\ue009"
"""A person's correction of a cell: it counts as the kind of cell that the field needs."""
LOOKS_LIKE_ANOTHER = "\ue00a"
"""An identifier that looks like another of the file."""
NOBODY = "\ue00b"
"""A word for no value in the place of an identifier, in several records."""
HALF = "\ue00e"
"""Text with half of a character of two halves (UTF-16) in it, which no text can hold."""
LITERAL = "\ue00f"
"""No mark of a fact: it precedes a text whose own first character is one of the marks."""
SEPARATOR = "\ue010"

FROM_WORKBOOK = {b"cells": b"workbook"}
"""Metadata of a table of typed cells: any value may carry a mark, and every real date does."""
FROM_TEXT = {b"cells": b"text"}
"""Metadata of a table of csv cells, some of which were marked later."""


_MARKED = f"^[{DATE_CELL}-{LITERAL}]"


def is_marked(table: pa.Table) -> bool:
    """Whether values of the table may carry marks."""
    return b"cells" in (table.schema.metadata or {})


def is_from_workbook(table: pa.Table) -> bool:
    """Whether a date without its mark was no date cell."""
    return (table.schema.metadata or {}).get(b"cells") == FROM_WORKBOOK[b"cells"]


def take_marks_off(values: pa.Array) -> tuple[pa.Array, npt.NDArray[np.str_]]:
    """The values without marks, and the mark of each (empty for none)."""
    first = pc.utf8_slice_codeunits(pc.fill_null(values, ""), 0, 1)
    marked = pc.match_substring_regex(first, _MARKED)
    bare = pc.if_else(marked, pc.utf8_slice_codeunits(values, 1), values)
    marks = pc.if_else(marked, first, "")
    marks = pc.if_else(pc.equal(marks, LITERAL), "", marks)
    mark_of_each = np.asarray(marks.to_numpy(zero_copy_only=False), dtype=np.str_)
    if np.isin(mark_of_each, [NOT_AS_SHOWN, AS_SHOWN]).any():
        bare = _part(bare, mark_of_each, 0)
    return bare, mark_of_each


def stored_numbers(values: pa.Array) -> pa.Array:
    """The values without marks; of a cell that shows something else, what it holds."""
    bare, marks = take_marks_off(values)
    if not np.isin(marks, [NOT_AS_SHOWN, AS_SHOWN]).any():
        return bare
    return _part(pc.utf8_slice_codeunits(values, 1), marks, 1, same=bare)


def _part(
    bare: pa.Array, marks: npt.NDArray[np.str_], part: int, *, same: pa.Array | None = None
) -> pa.Array:
    """The shown (0) or stored (1) part of cells where they differ; ``same`` holds the others."""
    differ = pa.array(np.isin(marks, [NOT_AS_SHOWN, AS_SHOWN]))
    pieces = pc.split_pattern(pc.if_else(differ, bare, SEPARATOR), SEPARATOR)
    return pc.if_else(differ, pc.list_element(pieces, part), bare if same is None else same)


def bare_text(text: str) -> str:
    """A text of a marked table without its mark: what the cell shows."""
    return text[1:].split(SEPARATOR, maxsplit=1)[0] if DATE_CELL <= text[:1] <= LITERAL else text


def literal(text: str) -> str:
    """A text as a cell of a marked table holds it."""
    return LITERAL + text if DATE_CELL <= text[:1] <= LITERAL else text


def with_marks(table: pa.Table, column: str, where: pa.Array, mark: str) -> pa.Table:
    """The table with a mark on some distinct values of a coded column, in place of any other."""
    if not is_marked(table):
        metadata = {**(table.schema.metadata or {}), **FROM_TEXT}
        table = with_literals(table).replace_schema_metadata(metadata)
    cells = Coded.from_column(table[column])
    bare = take_marks_off(cells.values)[0]
    marked = pc.if_else(where, pc.binary_join_element_wise(mark, bare, ""), cells.values)
    at = table.schema.get_field_index(column)
    return table.set_column(at, column, Coded(cells.codes, marked).to_array())


def with_literals(table: pa.Table) -> pa.Table:
    """A table of texts (``row`` aside, coded) in which none can be taken for a marked one."""
    for at, name in enumerate(table.column_names):
        if name == "row":
            continue
        chunks = [_with_literals(chunk) for chunk in table[name].chunks]
        table = table.set_column(at, name, pa.chunked_array(chunks, table[name].type))
    return table


def _with_literals(cells: pa.DictionaryArray) -> pa.DictionaryArray:
    values = cells.dictionary
    like_marked = pc.match_substring_regex(values, _MARKED)
    if not pc.any(like_marked).as_py():
        return cells
    marked = pc.if_else(like_marked, pc.binary_join_element_wise(LITERAL, values, ""), values)
    return pa.DictionaryArray.from_arrays(cells.indices, marked)
