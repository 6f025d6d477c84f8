"""Files with one activity code a row: puts the codes of an episode into slots of their own.

Rows stay rows, so every error keeps its row: the k-th different code of an episode goes into slot
k of its own row, and the slots of the others stay blank there. Merging the episode's records slot
by slot afterwards gives the transposed episode (docs/sources.md, De-Duplicate).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.engine.columns.as_read import as_read
from core.engine.columns.coded import Coded
from core.engine.columns.marks import (
    CODE_TOO_MANY,
    FROM_TEXT,
    is_marked,
    take_marks_off,
    with_literals,
)
from core.engine.dataset.fields import Field
from core.engine.dataset.specification import Specification
from core.engine.dataset.spelling import listed_spelling

Codes = npt.NDArray[np.int64]


def transpose(table: pa.Table, field: Field, specification: Specification) -> pa.Table:
    """Spreads the codes in the first slot of ``field`` over its slots.

    ``table`` is a whole file in the standard layout. A code beyond the last slot stays there
    under a mark, which the checks report as ``too-many-codes``.
    """
    if not is_marked(table):
        metadata = {**(table.schema.metadata or {}), **FROM_TEXT}
        table = with_literals(table).replace_schema_metadata(metadata)
    cells = _cells(table, field.columns[0])
    codes = _spelt(cells, field, specification).codes.astype(np.int64)
    slots = slots_of(_episodes(table, specification), codes)
    cells, slots = _marked_beyond(len(field.columns), _raw(table, field.columns[0]), slots)
    for slot, column in enumerate(field.columns):
        of_slot = Coded(np.where(slots == slot, cells.codes, -1).astype(np.int32), cells.values)
        at = table.schema.get_field_index(column)
        table = table.set_column(at, column, of_slot.to_array())
    return table


def slots_of(episodes: Codes, codes: Codes) -> Codes:
    """The slot of each row: how many other codes its episode had before this one first came.

    ``codes`` number the codes, negative for blank; the slot of a blank is -1.
    """
    slots = np.full(len(codes), -1, dtype=np.int64)
    held = np.flatnonzero(codes >= 0)
    if not len(held):
        return slots
    pairs = episodes[held] * (int(codes.max()) + 1) + codes[held]
    _, first, pair = np.unique(pairs, return_index=True, return_inverse=True)
    # pairs in the order of their episode, and within it of first appearance
    order = np.lexsort((first, episodes[held][first]))
    episode = episodes[held][first][order]
    starts = np.flatnonzero(np.r_[True, episode[1:] != episode[:-1]])
    within = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = within
    slots[held] = rank[pair]
    return slots


def _marked_beyond(count: int, cells: Coded, slots: Codes) -> tuple[Coded, Codes]:
    """Cells whose slot is beyond the last of ``count``, marked and put into the last."""
    beyond = slots >= count
    if not beyond.any():
        return cells, slots
    bare = as_read(take_marks_off(cells.values)[0])
    marked = pc.binary_join_element_wise(CODE_TOO_MANY, bare, "")
    codes = np.where(beyond, cells.codes + len(cells.values), cells.codes).astype(np.int32)
    return Coded(codes, pa.concat_arrays([cells.values, marked])), np.minimum(slots, count - 1)


def _episodes(table: pa.Table, specification: Specification) -> Codes:
    """A number for each row, the same for rows of one clinic, patient and date."""
    episodes = np.zeros(table.num_rows, dtype=np.int64)
    for column in specification.key_columns:
        part = _spelt(_cells(table, column), specification.columns[column], specification)
        codes = part.codes.astype(np.int64) + 1
        combined = episodes * (int(codes.max(initial=0)) + 1) + codes
        episodes = np.unique(combined, return_inverse=True)[1].astype(np.int64)
    return episodes


def _spelt(cells: Coded, field: Field, specification: Specification) -> Coded:
    """Values as they will be stored, so that two spellings of one code are one."""
    values = as_read(cells.values)
    if field.codes is not None:
        codes = pa.array(specification.codes_of(field), pa.string())
        values = pc.coalesce(listed_spelling(values, codes), values)
    return cells.with_values(values)


def _cells(table: pa.Table, column: str) -> Coded:
    """A column without marks."""
    cells = _raw(table, column)
    return Coded(cells.codes, take_marks_off(cells.values)[0])


def _raw(table: pa.Table, column: str) -> Coded:
    return Coded.from_column(table[column])
