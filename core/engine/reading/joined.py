"""Where files were joined: a mark before the first value of a row, or the headings again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.engine.columns.coded import Coded
from core.engine.dataset.fields import heading_key
from core.engine.dataset.headings import Layout
from core.engine.dataset.problems import finding
from core.engine.dataset.specification import Specification

_MARKS = ("\ufeff", "\x1a")
"""The byte order mark, and the end mark of DOS."""


class Seams:
    """Removes rows of headings from tables, and notes where files were joined."""

    def __init__(self, layout: Layout, specification: Specification) -> None:
        self._columns = layout.columns
        self._headings = [heading.heading for heading in layout.headings]
        self._column_of = layout.column_of
        self._required = {
            column
            for field in specification.fields
            if field.required
            for column in field.columns[:1]
            if column in layout.columns
        }
        date = specification.with_role("date")
        self._witness = None if date is None else layout.columns.index(date.name)
        self.left_out = 0
        self.in_error = 0
        self.findings: list[dict[str, Any]] = []

    def without_headings(self, table: pa.Table) -> pa.Table:
        """The rows that are records."""
        if not table.num_rows:
            return table
        self._note_marks(table)
        rows = [at for at in self._candidates(table) if self._is_headings(table, at)]
        if not rows:
            return table
        kept = np.ones(table.num_rows, dtype=np.bool_)
        kept[rows] = False
        return table.filter(pa.array(kept))

    def _note_marks(self, table: pa.Table) -> None:
        first = Coded.from_column(table["0"])
        marked = np.zeros(len(first.values), dtype=np.bool_)
        for mark in _MARKS:
            marked |= np.asarray(pc.fill_null(pc.starts_with(first.values, mark), False))
        if marked.any():
            for at in np.flatnonzero(first.spread(marked, False)):
                if not self._is_heading(first.values[int(first.codes[at])].as_py()):
                    self.findings.append(finding("joined-file", row=table["row"][int(at)].as_py()))

    def _candidates(self, table: pa.Table) -> list[int]:
        """Rows with a heading where a date should stand."""
        if self._witness is None:
            return []
        dates = Coded.from_column(table[str(self._witness)])
        lettered = pc.fill_null(pc.match_substring_regex(dates.values, r"\p{L}"), False)
        if not pc.any(lettered).as_py():
            return []
        texts = zip(dates.values.to_pylist(), lettered.to_pylist(), strict=True)
        headings = np.array([letters and self._is_heading(text) for text, letters in texts])
        return [int(at) for at in np.flatnonzero(dates.spread(headings, False))]

    def _is_heading(self, text: str) -> bool:
        return self._column_of(text) is not None

    def _is_headings(self, table: pa.Table, at: int) -> bool:
        """Whether a row is one of headings, which is noted; in other places, that is an error."""
        cells = [table[str(position)][at].as_py() or "" for position in range(len(self._columns))]
        taken = [self._column_of(cell) for cell in cells]
        if not self._required <= set(taken):
            return False
        row = table["row"][at].as_py()
        if all(
            now == before or heading_key(cell) == heading_key(heading)
            for now, before, cell, heading in zip(
                taken, self._columns, cells, self._headings, strict=True
            )
        ):
            self.left_out += 1
            self.findings.append(finding("joined-file/headings", row=row))
        else:
            self.in_error += 1
            self.findings.append(finding("headings-elsewhere/other-order", row=row))
        return True
