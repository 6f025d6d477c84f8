"""The data end at the first empty row; rows with values below it are an error."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.engine.columns.as_read import as_read
from core.engine.dataset.problems import finding


class TableEnd:
    """Ends the tables at the first row whose cells are all blank."""

    def __init__(self) -> None:
        self.empty_row: int | None = None
        self.blank_rows = 0
        self.rows_after = 0  # with something in them, below the end
        self._data_after: int | None = None

    def cut(self, table: pa.Table) -> pa.Table:
        """The rows of ``table`` that belong to the data."""
        if self.empty_row is not None:
            self._note_data(table)
            return table.slice(0, 0)
        at = _first(blank_rows(table))
        if at is None:
            return table
        self.empty_row = table["row"][at].as_py()
        self.blank_rows += 1
        self._note_data(table.slice(at + 1))
        return table.slice(0, at)

    def ragged_after(self, ragged: list[dict[str, Any]]) -> int:
        """The number of ragged rows below the end."""
        end = self.empty_row
        if end is None:
            return 0
        return sum(found["row"] is not None and found["row"] > end for found in ragged)

    def findings(self, ragged: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Ragged rows of the data, and the first row of data after its end, if any."""
        if self.empty_row is None:
            return ragged
        end = self.empty_row
        inside = [found for found in ragged if found["row"] is None or found["row"] < end]
        after = [
            found["row"] for found in ragged if found["row"] is not None and found["row"] > end
        ]
        if self._data_after is not None:
            after.append(self._data_after)
        if not after:
            return inside
        return [*inside, finding("data-after-empty-row", row=min(after), empty=self.empty_row)]

    def _note_data(self, table: pa.Table) -> None:
        filled = ~blank_rows(table)
        self.rows_after += int(filled.sum())
        self.blank_rows += int((~filled).sum())
        at = _first(filled)
        if self._data_after is None and at is not None:
            self._data_after = table["row"][at].as_py()


def blank_rows(table: pa.Table) -> npt.NDArray[np.bool_]:
    """Which rows have nothing but white space in every column but ``row``."""
    blank = np.ones(table.num_rows, dtype=np.bool_)
    for name in table.column_names:
        if name != "row" and blank.any():
            blank &= _blank_cells(table[name])
    return blank


def _blank_cells(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    parts = [_blank_in(chunk) for chunk in column.chunks]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.bool_)


def _blank_in(cells: pa.DictionaryArray) -> npt.NDArray[np.bool_]:
    if not len(cells.dictionary):
        return np.ones(len(cells), dtype=np.bool_)
    blank = np.asarray(as_read(cells.dictionary).is_null())
    if not blank.any():
        return np.asarray(cells.indices.is_null())
    return np.asarray(pc.fill_null(pa.array(blank).take(cells.indices), True))


def _first(mask: npt.NDArray[np.bool_]) -> int | None:
    return int(mask.argmax()) if mask.any() else None
