"""Groups and joins coded columns.

Groups and comparisons use the integers; each distinct text is read once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.engine.columns.coded import CODED, Coded

Codes = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

BLANK = -1
_FAR = 2**62
_NO_VALUES = pa.array([], pa.string())


def at_rows(column: Coded, rows: npt.NDArray[np.integer]) -> Coded:
    """The column at these rows."""
    return Coded(column.codes[rows], column.values)


def coded(column: pa.ChunkedArray | pa.Array) -> Coded:
    """Any text column, coded already or not."""
    return coded_together([column])[0]


def coded_together(columns: Sequence[pa.ChunkedArray | pa.Array]) -> list[Coded]:
    """The columns, coded with one common list of values, as for the slots of a field.

    Arrow's ``unify_dictionaries`` is not used: it follows the numbers under nulls too, and has
    crashed the process (apache/arrow#44827).
    """
    chunked = [[_coded(chunk) for chunk in _chunks(column)] for column in columns]
    different = {
        id(chunk.values): chunk.values
        for chunks in chunked
        for chunk in chunks
        if len(chunk.values)
    }
    if len(different) <= 1:
        values = next(iter(different.values()), _NO_VALUES)
        return [
            Coded(_concatenated([chunk.codes for chunk in chunks]), values) for chunks in chunked
        ]
    common = pa.concat_arrays(different.values()).dictionary_encode()
    ends = np.cumsum([len(values) for values in different.values()])
    parts = np.split(common.indices.to_numpy(), ends[:-1])
    number = {
        key: np.append(part, np.int32(BLANK)) for key, part in zip(different, parts, strict=True)
    }
    return [Coded(_renumbered(chunks, number), common.dictionary) for chunks in chunked]


def _chunks(column: pa.ChunkedArray | pa.Array) -> list[pa.Array]:
    chunks: list[pa.Array] = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return chunks


def _coded(chunk: pa.Array) -> Coded:
    if chunk.null_count == len(chunk):
        return all_blank(len(chunk))
    if not isinstance(chunk, pa.DictionaryArray):
        chunk = chunk.cast(pa.string()).dictionary_encode()
    elif chunk.type != CODED:
        chunk = chunk.cast(CODED)
    indices = chunk.indices.fill_null(BLANK) if chunk.null_count else chunk.indices
    return Coded(indices.to_numpy(), chunk.dictionary)


def all_blank(rows: int) -> Coded:
    """A column of blanks; its codes take no memory and are read-only."""
    return Coded(np.broadcast_to(np.int32(BLANK), rows), _NO_VALUES)


def _concatenated(parts: list[Codes]) -> Codes:
    return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, np.int32), *parts])


def _renumbered(chunks: list[Coded], number: dict[int, Codes]) -> Codes:
    """The codes of the chunks in the common list; ``number`` is by the chunk's own list."""
    codes = np.empty(sum(len(chunk.codes) for chunk in chunks), np.int32)
    at = 0
    for chunk in chunks:
        part = codes[at : at + len(chunk.codes)]
        if len(chunk.values):
            np.take(number[id(chunk.values)], chunk.codes, out=part, mode="wrap")  # -1 is the last
        else:
            part[:] = BLANK
        at += len(part)
    return codes


def distinct(keys: npt.NDArray[np.generic]) -> tuple[Codes, Rows]:
    """Numbers equal keys alike from 0 in order of first appearance.

    Returns the number of each row, and for each number the row where it stands first.
    """
    numbers: Codes = pa.array(keys).dictionary_encode().indices.to_numpy()
    highest = np.maximum.accumulate(numbers)
    first = np.flatnonzero(highest[1:] > highest[:-1]) + 1
    return numbers, np.append(np.zeros(min(len(numbers), 1), np.int64), first)


def distinct_rows(columns: Iterable[npt.NDArray[np.generic]]) -> tuple[Codes, Rows]:
    """As ``distinct``, for keys of several columns."""
    numbers: Codes | None = None
    for column in columns:
        of_column, first_of_column = distinct(column)
        if numbers is None:
            numbers, first = of_column, first_of_column
        elif len(first_of_column) > 1:
            pairs = numbers.astype(np.int64) * len(first_of_column) + of_column
            numbers, first = distinct(pairs)
    if numbers is None:
        raise ValueError("no columns")
    return numbers, first


def joined(columns: Sequence[Coded]) -> tuple[Rows, int]:
    """One key for each row of several columns, and a bound that no key reaches."""
    keys, bound = np.zeros(len(columns[0].codes), np.int64), 1
    for column in columns:
        size = len(column.values) + 1
        if bound > _FAR // size:
            keys = distinct(keys)[0].astype(np.int64)
            bound = int(keys.max(initial=0)) + 1
        keys *= size
        keys += column.codes
        keys += 1  # a blank is 0
        bound *= size
    return keys, bound


def combinations_of(columns: Sequence[Coded]) -> tuple[Codes, Rows]:
    """Numbers equal rows alike, in any order.

    Returns the number of each row, and for each number one of its rows.
    """
    keys, bound = joined(columns)
    if bound > 2 * len(keys):
        return distinct(keys)
    example = np.full(bound, BLANK, np.int64)
    example[keys] = np.arange(len(keys))
    occurring = np.flatnonzero(example >= 0)
    number = np.empty(bound, np.int32)
    number[occurring] = np.arange(len(occurring))
    return number[keys], example[occurring]


def occurring(column: Coded) -> Coded:
    """The column with those of its values alone that some row holds: a filter leaves all behind."""
    held = np.bincount(column.codes + 1, minlength=len(column.values) + 1)[1:] > 0
    if held.all():
        return column
    places = np.append(np.cumsum(held, dtype=np.int32) - 1, np.int32(BLANK))
    return Coded(places[column.codes], column.values.filter(pa.array(held)))


def spread(starts: npt.NDArray[np.integer], counts: npt.NDArray[np.integer]) -> Rows:
    """``start, start + 1, … start + count - 1`` of every pair, one after the other."""
    counts = counts.astype(np.int64)
    before = np.cumsum(counts) - counts
    return np.repeat(starts.astype(np.int64) - before, counts) + np.arange(int(counts.sum()))
