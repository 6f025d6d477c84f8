"""Right values for wrong ones, applied to a file as it is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

_CODED = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True, slots=True)
class Correction:
    """A right value for a wrong one: in one row, or wherever the wrong value stands."""

    field: str  # the column of the standard layout
    wrong: str | None  # as uploaded, trimmed; None where the cell is blank
    value: str | None  # None makes the cell blank
    row: int | None = None  # the spreadsheet row; None: every row with the wrong value


def apply_corrections(chunk: pa.Table, corrections: Iterable[Correction]) -> pa.Table:
    """The chunk with its corrections, in the order in which they were made.

    A correction whose wrong value does not stand there (any more) changes nothing.
    """
    for correction in corrections:
        index = chunk.column_names.index(correction.field)
        column = chunk.column(index).cast(pa.string())
        hit = _stands_in(column, correction.wrong)
        if correction.row is not None:
            hit = pc.and_(hit, pc.equal(chunk["row"], correction.row))
        right = pa.scalar(correction.value, type=pa.string())
        corrected = pc.if_else(hit, right, column).cast(_CODED)
        chunk = chunk.set_column(index, correction.field, corrected)
    return chunk


def _stands_in(column: pa.ChunkedArray, wrong: str | None) -> pa.ChunkedArray:
    trimmed = pc.utf8_trim_whitespace(column)
    blank = pc.fill_null(pc.equal(trimmed, ""), True)
    if wrong is None:
        return blank
    return pc.fill_null(pc.equal(trimmed, wrong), False)
