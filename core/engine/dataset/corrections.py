"""Right values for wrong ones, applied to a file as it is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.engine.columns.as_read import as_read, text_as_read
from core.engine.columns.coded import Coded
from core.engine.columns.marks import TYPED, is_marked, stored_numbers, take_marks_off
from core.engine.dataset.fields import CODED_TYPES, Field

ONE_MEANING = (*CODED_TYPES, "lsoa", "date")
"""Types of field whose values mean the same in every row."""


@dataclass(frozen=True, slots=True)
class Correction:
    """A right value for a wrong one: in one row, or wherever the wrong value stands."""

    field: str  # the column of the standard layout
    wrong: str | None  # as uploaded, trimmed; None where the cell is blank
    value: str | None  # None makes the cell blank
    row: int | None = None  # the spreadsheet row; None: every row with the wrong value


def is_right_everywhere(field: Field, wrong: str | None) -> bool:
    """Whether one right value for a wrong one is right in every row that holds it.

    A code, or a spelling of it, means the same for everybody, and so does a date or a clinic that
    is written in another way. A blank does not, nor does a patient, an age or a free text: one
    value for all would make one person of several (decision 0034).
    """
    if wrong is None or not wrong.strip() or field.role == "patient":
        return False
    return field.role is not None or bool(field.codes) or field.type in ONE_MEANING


def apply_corrections(chunk: pa.Table, corrections: Iterable[Correction]) -> pa.Table:
    """The chunk with its corrections, in the order in which they were made.

    A correction whose wrong value is not in the cell changes nothing. A corrected value counts as a
    date cell where one is needed, since a form has no kinds of cells.
    """
    marked = is_marked(chunk)
    rows = np.asarray(chunk["row"])
    for correction in corrections:
        cells = Coded.from_column(chunk[correction.field])
        hit = _holds(cells, correction.wrong, marked=marked)
        if correction.row is not None:
            hit &= rows == correction.row
        if hit.any():
            right = _with_mark(correction.value) if marked else correction.value
            index = chunk.column_names.index(correction.field)
            corrected = _put(cells, hit, right).to_array()
            chunk = chunk.set_column(index, correction.field, corrected)
    return chunk


def _holds(cells: Coded, wrong: str | None, *, marked: bool) -> npt.NDArray[np.bool_]:
    """Which rows hold the wrong value; marks and white space around do not count."""
    bare = as_read(take_marks_off(cells.values)[0] if marked else cells.values)
    same = bare.is_null() if wrong is None else pc.equal(bare, text_as_read(wrong))
    if marked and wrong is not None:  # an error of a number names what is stored, not what shows
        stored = as_read(stored_numbers(cells.values))
        same = pc.or_kleene(same, pc.equal(stored, text_as_read(wrong)))
    return cells.spread(np.asarray(pc.fill_null(same, False)), wrong is None)


def _put(cells: Coded, where: npt.NDArray[np.bool_], value: str | None) -> Coded:
    if value is None:
        return Coded(np.where(where, np.int32(-1), cells.codes), cells.values)
    codes = np.where(where, np.int32(len(cells.values)), cells.codes)
    return Coded(codes, pa.concat_arrays([cells.values, pa.array([value], pa.string())]))


def _with_mark(value: str | None) -> str | None:
    return None if value is None else TYPED + value
