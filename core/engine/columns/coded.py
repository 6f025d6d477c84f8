"""Coded columns: the distinct values of a column, and for each row the number of its value.

Rules are evaluated once for each distinct value, and the results are spread over the rows by
number, which makes a million rows cheap.
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
        """From a dictionary column with any chunks."""
        if column.num_chunks > 1:
            column = column.unify_dictionaries()
        cells = column.combine_chunks()
        if isinstance(cells, pa.ChunkedArray):
            cells = pa.array([], CODED)
        return cls(np.asarray(pc.fill_null(cells.indices, -1)), cells.dictionary)

    def with_values(self, values: pa.Array) -> Coded:
        """The same rows with another text for each value; equal texts become one value."""
        encoded = values.dictionary_encode()
        if len(encoded.dictionary) == len(values):
            return Coded(self.codes, values)
        return Coded(
            self.spread(np.asarray(pc.fill_null(encoded.indices, -1)), -1), encoded.dictionary
        )

    def spread(self, of_values: npt.NDArray[Kind], blank: object) -> npt.NDArray[Kind]:
        """The result of each row, from results of values; ``blank`` for rows without a value."""
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
