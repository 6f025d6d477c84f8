"""Converts columns into the cells of a sheet, a batch of rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from core.reports.workbooks.workbook import FIRST_DAY

ROWS_AT_ONCE = 8_192


def rows_of(tables: Iterable[pa.Table], names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The rows of the columns ``names``: texts, numbers, dates as Excel counts them."""
    for table in tables:
        for batch in table.select(list(names)).to_batches(max_chunksize=ROWS_AT_ONCE):
            yield from zip(*(_cells(column) for column in batch.columns), strict=True)


def _cells(column: pa.Array) -> list[Any]:
    if pa.types.is_dictionary(column.type):
        texts = column.dictionary.to_pylist()
        return [None if code is None else texts[code] for code in column.indices.to_pylist()]
    if pa.types.is_date32(column.type):
        return pc.add(column.cast(pa.int32()), FIRST_DAY).to_pylist()  # type: ignore[no-any-return]
    return column.to_pylist()  # type: ignore[no-any-return]


def pounds(pence: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole pence as pounds: the nearest number that a cell can hold, exact to the penny."""
    return pc.divide(pc.cast(pence, pa.float64()), 100.0)


def named(codes: pa.ChunkedArray, names: Mapping[str, str]) -> pa.ChunkedArray:
    """The name of each code of a coded column; blank where there is none."""
    chunks = [_named(chunk, names) for chunk in codes.chunks]
    return pa.chunked_array(chunks, pa.dictionary(pa.int32(), pa.string()))


def _named(codes: pa.DictionaryArray, names: Mapping[str, str]) -> pa.DictionaryArray:
    texts = [names.get(code, "") for code in codes.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(codes.indices, pa.array(texts, pa.string()))
