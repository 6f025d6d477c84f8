"""Sums of charges by month, provider, clinic, currency or commissioner."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa

from core.engine.tariff.money import Money

NOBODY = "(nobody)"
"""Stands for the commissioner of charges that nobody pays."""

_MEASURES = ("primary", "additional", "primary_pence", "additional_pence")


@dataclass(frozen=True)
class Total:
    """A group of charges: its names, counts and amounts in pence."""

    names: tuple[Any, ...]
    primary: int
    additional: int
    primary_pence: int
    additional_pence: int

    @property
    def charges(self) -> int:
        return self.primary + self.additional

    @property
    def pence(self) -> int:
        return self.primary_pence + self.additional_pence

    @property
    def amount(self) -> Decimal:
        """Pounds."""
        return Money(self.pence).pounds


def totals_by(sums: pa.Table, *names: str) -> list[Total]:
    """The sums of each combination of ``names``, in their order; a missing name is ``NOBODY``."""
    grouped = _decoded(sums, names).group_by(list(names)).aggregate([(m, "sum") for m in _MEASURES])
    columns = [grouped[name].to_pylist() for name in names]
    columns += [grouped[f"{measure}_sum"].to_pylist() for measure in _MEASURES]
    totals = [
        Total(tuple(row[: len(names)]), *row[len(names) :]) for row in zip(*columns, strict=True)
    ]
    return sorted(totals, key=lambda total: total.names)


def dearest_first(totals: list[Total]) -> list[Total]:
    return sorted(totals, key=lambda total: (-total.pence, total.names))


def grand_total(sums: pa.Table) -> Total:
    """The total of all charges."""
    measures = [sum(sums[measure].to_pylist()) for measure in _MEASURES]
    return Total((), *measures)


def _decoded(sums: pa.Table, names: tuple[str, ...]) -> pa.Table:
    columns = {name: sums[name] for name in (*names, *_MEASURES)}
    for name, column in columns.items():
        if pa.types.is_dictionary(column.type):
            columns[name] = column.cast(pa.string()).fill_null(NOBODY)
    return pa.table(columns)
