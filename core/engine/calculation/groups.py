"""Groups: fields that belong together within one record, such as an activity with its site.

The records of an episode unite their groups: nothing is overwritten, equal ones count once, and
there is no limit of slots (docs/formats.md, groups).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.engine.columns.coded import Coded
from core.engine.columns.joins import Codes, Rows, Words, at_rows, coded, distinct_rows

BETWEEN = "; "
"""Stands between the values of a field where people read all those of an episode in one text."""
UNIT = "\x1f"
"""Stands between them where they are taken apart again: no value holds a control character."""


@dataclass(frozen=True, eq=False)
class GroupRows:
    """What the episodes hold of a group: an entry for each different one of an episode.

    ``episode`` ascends; the entries of an episode follow the order of its records. ``kind`` numbers
    equal entries alike, and ``kinds`` has the values of each of them, by field, blank where it has
    none; ``record`` is the first record that holds the entry.
    """

    episode: Rows
    kind: Codes
    record: Rows
    kinds: dict[str, Coded]

    @property
    def columns(self) -> dict[str, Coded]:
        """The values of each entry, by field."""
        return {name: at_rows(column, self.kind) for name, column in self.kinds.items()}

    def any_of(self, marks: Words, episodes: int) -> Words:
        """The bits of every episode, from those of each kind of entry: all that one of them has."""
        words = np.zeros(episodes, np.uint64)
        if len(self.episode):
            starts = np.flatnonzero(np.diff(self.episode, prepend=-1))
            words[self.episode[starts]] = np.bitwise_or.reduceat(marks[self.kind], starts)
        return words


def united(records: pa.Table, fields: Sequence[str], episode: Codes) -> GroupRows:
    """The groups of records, whose episodes are given; entries of blanks alone are none."""
    columns = [_column(records, field) for field in fields]
    held = np.flatnonzero(_any_value(columns, records.num_rows))
    parts = [at_rows(column, held) for column in columns]
    if not len(held):
        return GroupRows(held, held.astype(np.int32), held, dict(zip(fields, parts, strict=True)))
    kind, example = distinct_rows([part.codes for part in parts])
    of_record = episode[held].astype(np.int64)
    _, first = distinct_rows([of_record * len(example) + kind])
    first = first[np.argsort(of_record[first], kind="stable")]
    kinds = {field: at_rows(part, example) for field, part in zip(fields, parts, strict=True)}
    return GroupRows(of_record[first], kind[first], held[first], kinds)


def texts_of(
    rows: GroupRows,
    field: str,
    episodes: int,
    *,
    between: str = BETWEEN,
    words: Mapping[str, str] | None = None,
) -> Coded:
    """The different values of a field in each episode as one text, with ``between`` between them.

    ``words``: what is written in the place of a value.
    """
    column = at_rows(rows.kinds[field], rows.kind)
    held = np.flatnonzero(column.codes >= 0)
    episode, codes = rows.episode[held], column.codes[held]
    if len(held):
        _, first = distinct_rows([episode * len(column.values) + codes])
        episode, codes = episode[first], codes[first]
    counts = np.bincount(episode, minlength=episodes)
    values = column.values.cast(pa.string())
    if words:
        values = pa.array([words.get(code) or code for code in values.to_pylist()], pa.string())
    offsets = np.append(0, np.cumsum(counts)).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), values.take(pa.array(codes)))
    texts = pc.if_else(pa.array(counts > 0), pc.binary_join(lists, between), None)
    return coded(texts)


def _column(records: pa.Table, name: str) -> Coded:
    if name in records.column_names:
        return coded(records[name])
    return coded(pa.nulls(records.num_rows, pa.string()))


def _any_value(columns: Sequence[Coded], rows: int) -> npt.NDArray[np.bool_]:
    held = np.zeros(rows, np.bool_)
    for column in columns:
        held |= column.codes >= 0
    return held
