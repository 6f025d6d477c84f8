"""Collects the findings of a chunk and returns them as the table of errors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.engine.columns.coded import Coded
from core.engine.dataset.problems import ERRORS_SCHEMA, NO_ERRORS, Reason, messages_for

Positions = npt.NDArray[np.int64]


class ChunkFindings:
    """Findings in the cells of a chunk, column by column."""

    def __init__(self, rows: npt.NDArray[np.int32]) -> None:
        self.in_error = np.zeros(len(rows), dtype=np.bool_)
        self._rows = rows
        self._tables: list[pa.Table] = []
        self._orders: list[npt.NDArray[np.int32]] = []

    def add(
        self,
        positions: Positions,
        reason: Reason,
        cells: Coded,
        *,
        column: str,
        order: int,
        words: Mapping[str, object],
    ) -> None:
        """Notes ``reason`` in the cells of ``column`` at ``positions``."""
        if not len(positions):
            return
        distinct, places = np.unique(cells.codes[positions], return_inverse=True)
        values = cells.values.take(pa.array(distinct, mask=distinct < 0))
        messages = messages_for(reason, values, **_of_values(words, distinct))
        self._note(positions, order, reason)
        self._tables.append(
            pa.table(
                [
                    pa.array(self._rows[positions]),
                    pa.repeat(pa.scalar(column), len(positions)),
                    values.take(pa.array(places)),
                    pa.repeat(pa.scalar(reason.code), len(positions)),
                    pa.repeat(pa.scalar(reason.severity), len(positions)),
                    messages.take(pa.array(places)),
                ],
                schema=ERRORS_SCHEMA,
            )
        )

    def table(self) -> pa.Table:
        """Every finding, by row and then by the order of columns."""
        if not self._tables:
            return NO_ERRORS
        table = pa.concat_tables(self._tables).combine_chunks()
        order = np.lexsort((np.concatenate(self._orders), np.asarray(table["row"])))
        return table.take(pa.array(order))

    def _note(self, positions: Positions, order: int, reason: Reason) -> None:
        self._orders.append(np.full(len(positions), order, dtype=np.int32))
        if reason.severity == "error":
            self.in_error[positions] = True


def _of_values(words: Mapping[str, object], distinct: npt.NDArray[np.int32]) -> dict[str, object]:
    """The words of the distinct values that are needed."""
    return {
        name: word.take(pa.array(distinct)) if isinstance(word, pa.Array) else word
        for name, word in words.items()
    }
