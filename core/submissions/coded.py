"""Coded columns: whole columns as integers, with the list of texts that they stand for.

Grouping and comparing happen on the integers; a text is looked at once for each distinct value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Codes = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

BLANK = -1
TEXTS = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True, eq=False)
class Coded:
    """A column: ``codes`` (-1 is blank) into the distinct ``values``."""

    codes: Codes
    values: pa.StringArray

    def column(self) -> pa.DictionaryArray:
        """As a dictionary array, blanks null."""
        blank = self.codes < 0
        indices = pa.array(self.codes, mask=blank if blank.any() else None)
        return pa.DictionaryArray.from_arrays(indices, self.values)

    def taken(self, rows: npt.NDArray[np.integer]) -> Coded:
        return Coded(self.codes[rows], self.values)


def coded(column: pa.ChunkedArray | pa.Array) -> Coded:
    """Any text column, coded already or not."""
    return together([column])[0]


def together(columns: Sequence[pa.ChunkedArray | pa.Array]) -> list[Coded]:
    """Columns coded into one common list of values: the slots of a field, say."""
    chunks = [_texts(chunk) for column in columns for chunk in _chunks(column)]
    unified = pa.chunked_array(chunks, TEXTS).unify_dictionaries()
    if unified.num_chunks == 0:
        return [Coded(np.empty(0, np.int32), pa.array([], pa.string())) for _ in columns]
    codes = [_codes(chunk) for chunk in unified.chunks]
    found: list[Coded] = []
    for column in columns:
        mine = [codes.pop(0) for _ in _chunks(column)]
        whole = mine[0] if len(mine) == 1 else np.concatenate([np.empty(0, np.int32), *mine])
        found.append(Coded(whole, unified.chunk(0).dictionary))
    return found


def _chunks(column: pa.ChunkedArray | pa.Array) -> list[pa.Array]:
    chunks: list[pa.Array] = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return chunks


def _texts(chunk: pa.Array) -> pa.DictionaryArray:
    if isinstance(chunk, pa.DictionaryArray):
        return chunk if chunk.type == TEXTS else chunk.cast(TEXTS)
    return chunk.cast(pa.string()).dictionary_encode()


def _codes(chunk: pa.DictionaryArray) -> Codes:
    indices = chunk.indices
    filled = indices.fill_null(BLANK) if indices.null_count else indices
    codes: Codes = filled.to_numpy(zero_copy_only=False)
    return codes


def distinct(keys: npt.NDArray[np.generic]) -> tuple[Codes, Rows]:
    """Numbers equal keys alike from 0 in order of first appearance.

    Returns the number of each row, and for each number the row where it stands first.
    """
    encoded = pa.array(keys).dictionary_encode()
    numbers: Codes = encoded.indices.to_numpy()
    first = np.empty(len(encoded.dictionary), np.int64)
    first[numbers[::-1]] = np.arange(len(numbers) - 1, -1, -1)  # of equal ones the last write stays
    return numbers, first


def distinct_rows(columns: Iterable[npt.NDArray[np.generic]]) -> tuple[Codes, Rows]:
    """As ``distinct``, for keys of several columns."""
    numbers: Codes | None = None
    for column in columns:
        mine, mine_first = distinct(column)
        if numbers is None:
            numbers, first = mine, mine_first
        elif len(mine_first) > 1:
            pairs = numbers.astype(np.int64) * len(mine_first) + mine
            numbers, first = distinct(pairs)
    if numbers is None:
        raise ValueError("no columns")
    return numbers, first


def spread(starts: npt.NDArray[np.integer], counts: npt.NDArray[np.integer]) -> Rows:
    """``start, start + 1, … start + count - 1`` of every pair, one after the other."""
    counts = counts.astype(np.int64)
    before = np.cumsum(counts) - counts
    return np.repeat(starts.astype(np.int64) - before, counts) + np.arange(int(counts.sum()))
