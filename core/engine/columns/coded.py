"""Coded columns: the distinct values of a column, and for each row which of them it holds.

Rules are worked out once for each distinct value and spread over the rows by number, which is
what makes a million rows cheap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Kind = TypeVar("Kind", bound=np.generic)

CODED = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True)
class Coded:
    """``values`` are distinct strings; ``codes`` number them for each row, -1 for blank."""

    codes: npt.NDArray[np.int32]
    values: pa.Array

    @classmethod
    def from_column(cls, column: pa.ChunkedArray) -> Coded:
        """Of a dictionary column, however it is chunked."""
        if column.num_chunks > 1:
            column = column.unify_dictionaries()
        cells = column.combine_chunks()
        if isinstance(cells, pa.ChunkedArray):
            cells = pa.array([], CODED)
        return cls(np.asarray(pc.fill_null(cells.indices, -1)), cells.dictionary)

    def with_values(self, values: pa.Array) -> Coded:
        """The same rows with another text for each value; equal texts become one again."""
        encoded = values.dictionary_encode()
        if len(encoded.dictionary) == len(values):
            return Coded(self.codes, values)
        return Coded(
            self.spread(np.asarray(pc.fill_null(encoded.indices, -1)), -1), encoded.dictionary
        )

    def spread(self, of_values: npt.NDArray[Kind], blank: object) -> npt.NDArray[Kind]:
        """What holds for each value, for each row; ``blank`` for rows without one."""
        last = np.array([blank], dtype=of_values.dtype)
        return np.concatenate([of_values, last])[self.codes]

    @property
    def blank(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.codes < 0)

    def to_array(self) -> pa.DictionaryArray:
        """As an Arrow column, null where blank."""
        # under a null stands 0, not -1: Arrow follows it when it unifies dictionaries (#44827)
        places = np.maximum(self.codes, 0)
        indices = pa.array(places, mask=self.blank if len(self.codes) else None)
        return pa.DictionaryArray.from_arrays(indices, self.values)
