"""Merges records: those of one clinic, patient and attendance date become one episode.

Field by field the latest non-blank value wins, slot by slot; a field with ``on_conflict: union``
keeps the codes of all records in order of first appearance (docs/formats.md, rule 2). Fields of a
group are united record by record (``groups``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.engine.calculation.buckets import BUCKETS, bucket_of
from core.engine.calculation.groups import BETWEEN, GroupRows, texts_of, united
from core.engine.columns.coded import CODED, Coded
from core.engine.columns.joins import (
    BLANK,
    Codes,
    Rows,
    all_blank,
    at_rows,
    coded,
    coded_together,
    distinct,
    distinct_rows,
    joined,
    occurring,
)
from core.engine.dataset.fields import Field
from core.engine.dataset.specification import Specification

__all__ = [
    "BUCKETS",
    "OVERWRITTEN_SCHEMA",
    "Merged",
    "bucket_of",
    "merge_records",
    "with_groups",
]

OVERWRITTEN_SCHEMA = pa.schema(
    [
        ("file", pa.int32()),
        ("row", pa.int32()),
        ("field", CODED),
        ("value", CODED),
        ("by", CODED),
    ]
)


@dataclass(frozen=True, eq=False)
class Merged:
    """The episodes of a submission, and the codes that were lost in merging.

    ``episodes`` has one row an episode, in order of first appearance: the standard columns, then
    more slots where united codes need them, then ``records`` (int32). ``slots`` names the columns
    that hold each field. ``overwritten`` has ``file``, ``row``, ``field`` (the column) and
    ``value`` of each code that a later record overwrote and that no slot of the episode holds, and
    ``by``, the code that replaced it. ``groups`` holds the fields of groups, which have no columns
    in ``episodes``.
    """

    episodes: pa.Table
    overwritten: pa.Table
    slots: dict[str, tuple[str, ...]]
    key_columns: tuple[str, ...]
    residence: str | None
    groups: dict[str, GroupRows]

    def rows_of(self, field: Field) -> GroupRows:
        """The entries of the group that a field belongs to."""
        return self.groups[field.group or ""]


def merge_records(records: pa.Table, specification: Specification) -> Merged:
    """Merges records that come in order of upload, then of row.

    ``records`` has the standard columns (text, coded or not; an absent column is blank), ``row``
    and ``file`` (int32, the order of upload).
    """
    sources = _Sources.of(records, specification)
    blank = pa.nulls(len(sources.first), CODED)
    columns: dict[str, pa.Array] = {}
    slots: dict[str, tuple[str, ...]] = {}
    lost: list[pa.Table] = []
    for field in specification.fields:
        if field.group is not None:
            continue
        recorded = sources.recorded(records, field)
        if field.on_conflict == "union":
            merged = _united(recorded, sources)
        else:
            merged = [sources.latest(column) for column in recorded]
            lost += _lost(records, field, recorded, merged, sources)
        if field.name in sources.keys:  # who reads them asks for the host of each clinic there is
            merged = [occurring(column) for column in merged]
        slots[field.name] = tuple(_slot_names(field, len(merged), specification))
        arrays = (column.to_array() if len(column.values) else blank for column in merged)
        columns |= zip(slots[field.name], arrays, strict=True)
    columns["records"] = pa.array(sources.sizes)
    residence = specification.with_role("residence")
    return Merged(
        episodes=pa.table(columns),
        overwritten=_in_order(lost),
        slots=slots,
        key_columns=specification.key_columns,
        residence=residence.name if residence else None,
        groups={
            name: united(records, [field.name for field in fields], sources.episode)
            for name, fields in specification.groups.items()
        },
    )


def with_groups(
    merged: Merged,
    specification: Specification,
    *,
    between: str = BETWEEN,
    words: Mapping[str, Mapping[str, str]] | None = None,
) -> pa.Table:
    """The episodes with a column for each field of a group, in the place of the standard layout.

    A cell holds the different values of the episode with ``between`` between them. ``words``: by
    field, what is written in the place of a value.
    """
    columns = {name: merged.episodes[name] for name in merged.episodes.column_names}
    count = merged.episodes.num_rows
    united_texts = {
        field.name: texts_of(
            merged.rows_of(field),
            field.name,
            count,
            between=between,
            words=(words or {}).get(field.name),
        ).to_array()
        for field in specification.fields
        if field.group is not None
    }
    if not united_texts:
        return merged.episodes
    order = [
        name
        for field in specification.fields
        for name in merged.slots.get(field.name, (field.name,))
    ]
    columns |= united_texts
    return pa.table({name: columns[name] for name in [*order, "records"]})


def _column(records: pa.Table, column: str) -> pa.ChunkedArray | pa.Array:
    if column in records.column_names:
        return records[column]
    return pa.nulls(records.num_rows, pa.string())


def _slot_names(field: Field, count: int, specification: Specification) -> Iterator[str]:
    """The field's columns, then ``NAME n`` for united codes beyond them."""
    yield from field.columns
    for slot in range(len(field.columns) + 1, count + 1):
        name = f"{field.name} {slot}"
        while name in specification.columns:
            name += "+"
        yield name


@dataclass(frozen=True, eq=False)
class _Sources:
    """Which records make which episode.

    ``sharing`` lists the records of episodes that have several, episode by episode in the order of
    the records, so that merging looks at these alone.
    """

    keys: dict[str, Coded]  # the columns of the key
    episode: Codes  # of each record
    first: Rows  # the first record of each episode
    sizes: Codes  # records of each episode
    sharing: Rows

    @classmethod
    def of(cls, records: pa.Table, specification: Specification) -> _Sources:
        keys = {column: coded(records[column]) for column in specification.key_columns}
        episode, first = distinct(joined(list(keys.values()))[0])
        sizes = np.bincount(episode, minlength=len(first)).astype(np.int32)
        sharing = np.flatnonzero(sizes[episode] > 1)
        sharing = sharing[np.argsort(episode[sharing], kind="stable")]
        return cls(keys, episode, first, sizes, sharing)

    def recorded(self, records: pa.Table, field: Field) -> list[Coded]:
        """The columns of a field, record by record."""
        if field.name in self.keys:
            return [self.keys[field.name]]
        return coded_together([_column(records, column) for column in field.columns])

    def latest(self, column: Coded) -> Coded:
        """The latest non-blank value of each episode."""
        if not len(column.values):
            return all_blank(len(self.first))
        if not len(self.sharing):
            return column
        codes = column.codes[self.first]
        rows = self.sharing[column.codes[self.sharing] >= 0]
        codes[self.episode[rows]] = column.codes[rows]  # of several writes the last stays
        return Coded(codes, column.values)


def _lost(
    records: pa.Table, field: Field, recorded: list[Coded], merged: list[Coded], sources: _Sources
) -> Iterator[pa.Table]:
    """The codes of a field that a later record overwrote, slot by slot."""
    if not field.is_coded or not len(sources.sharing):
        return
    for name, column in zip(field.columns, recorded, strict=True):
        if not len(column.values):
            continue
        rows = sources.sharing[column.codes[sources.sharing] >= 0]
        episode, code = sources.episode[rows], column.codes[rows]
        at = np.flatnonzero((episode[1:] == episode[:-1]) & (code[1:] != code[:-1]))
        at = at[~_still_held(merged, episode[at], code[at])]
        if len(at):
            overwritten = _places(records, rows[at])
            names = pa.DictionaryArray.from_arrays(np.zeros(len(at), np.int32), [name])
            overwritten = overwritten.append_column("field", names)
            overwritten = overwritten.append_column("value", at_rows(column, rows[at]).to_array())
            yield overwritten.append_column("by", at_rows(column, rows[at + 1]).to_array())


def _still_held(merged: list[Coded], episode: Codes, code: Codes) -> npt.NDArray[np.bool_]:
    """Whether some slot of the episode holds the code."""
    held = np.zeros(len(code), np.bool_)
    for slot in merged:
        held |= slot.codes[episode] == code
    return held


def _places(records: pa.Table, rows: Rows) -> pa.Table:
    """File and row of records; 0 where the table has no such column."""
    names = ("file", "row")
    none = pa.array(np.zeros(records.num_rows, np.int32))
    columns = [records[name] if name in records.column_names else none for name in names]
    return pa.table([column.cast(pa.int32()).take(pa.array(rows)) for column in columns], names)


def _in_order(lost: list[pa.Table]) -> pa.Table:
    """Lost codes by file, row and place in the layout."""
    if not lost:
        return OVERWRITTEN_SCHEMA.empty_table()
    codes = pa.concat_tables(lost).unify_dictionaries().combine_chunks()
    order = np.lexsort((codes["row"].to_numpy(), codes["file"].to_numpy()))
    return codes.take(pa.array(order)).cast(OVERWRITTEN_SCHEMA)


def _united(slots: list[Coded], sources: _Sources) -> list[Coded]:
    """The distinct codes of all records of an episode, in order of first appearance.

    An episode of one record stays as recorded.
    """
    merged = [slot.codes[sources.first] for slot in slots]
    rows, codes = _long(slots, sources)
    episode = sources.episode[rows].astype(np.int64)
    _, first = distinct_rows([episode, codes])
    episode, codes = episode[first], codes[first]
    starts = np.flatnonzero(np.diff(episode, prepend=BLANK))
    place = np.arange(len(episode)) - np.repeat(starts, np.diff(starts, append=len(episode)))
    count = max(len(slots), int(place.max(initial=-1)) + 1)
    merged += [np.full(len(sources.first), BLANK, np.int32) for _ in range(count - len(slots))]
    shared = sources.sizes > 1
    for slot, values in enumerate(merged):
        values[shared] = BLANK
        here = place == slot
        values[episode[here]] = codes[here]
    return [Coded(values, slots[0].values) for values in merged]


def _long(slots: list[Coded], sources: _Sources) -> tuple[Rows, Codes]:
    """Record and code of every filled slot of the sharing records, in order of appearance."""
    grid = np.stack([slot.codes[sources.sharing] for slot in slots], axis=1)
    filled = grid >= 0
    return np.repeat(sources.sharing, filled.sum(axis=1)), grid[filled]
