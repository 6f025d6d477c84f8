"""Checks records against a data set: every finding of a chunk, and the records as stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.engine.columns.as_read import as_read, with_nul
from core.engine.columns.coded import Coded
from core.engine.columns.marks import (
    is_from_workbook,
    is_marked,
    stored_numbers,
    take_marks_off,
)
from core.engine.dataset.cross_checks import Condition, CrossCheck
from core.engine.dataset.dates import days_of
from core.engine.dataset.field_rules import (
    Case,
    Flag,
    Mask,
    References,
    judge,
    mark_flags,
    not_date_cells,
    notes,
)
from core.engine.dataset.fields import Field
from core.engine.dataset.findings import ChunkFindings
from core.engine.dataset.layouts import layout_name
from core.engine.dataset.problems import Reason, reason
from core.engine.dataset.specification import Specification


@dataclass(frozen=True)
class Checked:
    """Records as they are stored, and their findings.

    ``records``: ``row`` (int32), ``in_error`` (bool) and the columns of the standard layout,
    coded; a cell in error keeps what was uploaded, trimmed. ``errors``: ``ERRORS_SCHEMA``, by
    row and column.
    """

    records: pa.Table
    errors: pa.Table


def check_chunk(chunk: pa.Table, specification: Specification, references: References) -> Checked:
    """Checks a table in the standard layout, as ``Reading.chunks`` yields it."""
    check = _Check(chunk, specification, references)
    for order, (column, field) in enumerate(specification.columns.items()):
        check.column(column, field, order)
    check.slots_beyond()
    check.required_fields()
    check.retired_areas()
    for cross_check in specification.cross_checks:
        check.across(cross_check)
    return check.result()


class _Check:
    """The check of one chunk, rule by rule."""

    def __init__(
        self, chunk: pa.Table, specification: Specification, references: References
    ) -> None:
        self.chunk, self.specification, self.references = chunk, specification, references
        self.rows = np.asarray(chunk["row"])
        self.findings = ChunkFindings(self.rows)
        self.stored: dict[str, Coded] = {}

    @cached_property
    def order(self) -> dict[str, int]:
        return {column: order for order, column in enumerate(self.specification.columns)}

    def column(self, column: str, field: Field, order: int) -> None:
        """Judges the distinct values of a column and spreads the verdicts over its rows."""
        cells = Coded.from_column(self.chunk[column])
        if not len(cells.values):
            self.stored[column] = cells
            return
        values, flags = self._bare(cells, field)
        judged = judge(Case(field, values, self.specification, self.references))
        flags = [flag for flag in (*flags, *judged.flags) if flag.where.any()]
        if flags:
            self._spread(flags, Coded(cells.codes, values), field, column, order)
        self.stored[column] = cells.with_values(judged.stored)

    def slots_beyond(self) -> None:
        """A value in a slot that the data set does not have would be lost: it is an error."""
        for column in self.chunk.column_names:
            field = self.specification.slot_beyond(column)
            if field is None:
                continue
            cells = Coded.from_column(self.chunk[column])
            values = take_marks_off(cells.values)[0] if is_marked(self.chunk) else cells.values
            cells = cells.with_values(as_read(values))
            self.findings.add(
                np.flatnonzero(~cells.blank),
                reason("too-many-codes/beyond"),
                cells,
                column=column,
                order=len(self.order),
                words={"field": field.name, "slots": field.repeat},
            )

    def required_fields(self) -> None:
        """A required field needs a value; a repeating one in any of its slots."""
        for field in self.specification.in_layout(layout_name(self.chunk)).fields:
            if field.required:
                blank = all_of(self.stored[column].blank for column in field.columns)
                self._add_rows(blank, reason("missing-value"), field, field.columns[0], {})

    def retired_areas(self) -> None:
        """An LSOA must not have ended before the attendance."""
        date = self.specification.with_role("date")
        lsoas = self.references.lsoas
        if date is None or lsoas is None:
            return
        days = self.stored[date.name]
        attended = days.spread(days_of(days.values), np.datetime64("NaT"))
        for column, field in self.specification.columns.items():
            if field.type != "lsoa":
                continue
            cells = self.stored[column]
            ended = lsoas.ended.take(pc.index_in(cells.values, value_set=lsoas.codes))
            if ended.null_count < len(ended):
                last = cells.spread(ended.to_numpy(zero_copy_only=False), np.datetime64("NaT"))
                words = {"ended": ended.cast(pa.string())}
                self._add_rows(last < attended, reason("retired-lsoa"), field, column, words)

    def across(self, check: CrossCheck) -> None:
        """Where ``when`` holds, ``expect`` must."""
        applies = self._holds_all(check.when)
        if applies.any():
            failed = applies & ~self._holds_all(check.expect)
            field = check.expect[0].field
            reason = Reason(check.name, check.severity, check.message)
            self._add_rows(failed, reason, field, field.columns[0], {})

    def result(self) -> Checked:
        columns = {name: cells.to_array() for name, cells in self.stored.items()}
        records = pa.table(
            {"row": self.chunk["row"], "in_error": pa.array(self.findings.in_error), **columns}
        )
        return Checked(records, self.findings.table())

    def _bare(self, cells: Coded, field: Field) -> tuple[pa.Array, list[Flag]]:
        """Values as people read them, without marks, and the flags of their form."""
        values = cells.values
        from_workbook = is_from_workbook(self.chunk)
        nul = Flag("bad-encoding/cell", np.asarray(with_nul(values)))
        if not is_marked(self.chunk):
            return as_read(values), [nul, *notes(field, values, from_workbook=False)]
        bare, marks = take_marks_off(values)
        if field.type in (
            "integer",
            "date",
            "snomed",
        ):  # what a cell holds counts there, not what it shows
            bare = stored_numbers(values)
        flags = [
            nul, *mark_flags(field, marks), *notes(field, bare, from_workbook=from_workbook)
        ]  # fmt: skip
        bare = as_read(bare)
        if field.type == "date" and from_workbook:
            flags.append(not_date_cells(bare, marks))
        return bare, flags

    def _spread(
        self, flags: list[Flag], cells: Coded, field: Field, column: str, order: int
    ) -> None:
        which = np.full(len(cells.values), -1, dtype=np.int8)
        for number in reversed(range(len(flags))):
            which[flags[number].where] = number
        of_rows = cells.spread(which, -1)
        for number, flag in enumerate(flags):
            self.findings.add(
                np.flatnonzero(of_rows == number),
                reason(flag.reason),
                cells,
                column=column,
                order=order,
                words={"field": field.name, **flag.words},
            )

    def _add_rows(
        self,
        where: Mask,
        reason: Reason,
        field: Field,
        column: str,
        words: dict[str, object],
    ) -> None:
        self.findings.add(
            np.flatnonzero(where),
            reason,
            self.stored[column],
            column=column,
            order=self.order[column],
            words={"field": field.name, **words},
        )

    def _holds_all(self, conditions: tuple[Condition, ...]) -> Mask:
        return all_of(self._holds(condition) for condition in conditions)

    def _holds(self, condition: Condition) -> Mask:
        columns = [self.stored[column] for column in condition.field.columns]
        if condition.kind in ("present", "blank"):
            blank = all_of(cells.blank for cells in columns)
            return blank if condition.kind == "blank" else ~blank
        nowhere = all_of(~_holds_code(cells, condition.codes) for cells in columns)
        return ~nowhere if condition.kind == "in" else nowhere


def all_of(masks: Iterable[Mask]) -> Mask:
    """Where every mask holds."""
    return reduce(np.logical_and, masks)


def _holds_code(cells: Coded, codes: tuple[str, ...]) -> Mask:
    held = pc.is_in(cells.values, value_set=pa.array(codes, pa.string()))
    return cells.spread(np.asarray(held), False)
