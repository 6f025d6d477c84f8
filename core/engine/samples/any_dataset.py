"""Sample activity of any data set, drawn from its specification: equal seeds make equal records.

Every code of a list is as likely as another, and what is recorded together is chance: enough to
try a data set and a tariff with, and no picture of a service.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.engine.areas.register import AreaRegister
from core.engine.columns.coded import Coded
from core.engine.dataset.fields import Field
from core.engine.dataset.specification import Specification
from core.engine.samples.activity import sample_clinics
from core.engine.samples.faults import spoil
from core.engine.tariff.months import Month
from core.user_errors import UserError

BLANK = -1
BLANKS = 0.1
"""The share of blanks among values that may be blank."""
FURTHER = 0.25
"""The share of records that fill a slot after the first."""
VISITS = 2
"""Records for each patient, about."""
FEWEST, MOST = 0, 100
"""Whole numbers of a field without limits."""


def sites_of(specification: Specification, provider: str) -> list[tuple[str, str, str]]:
    """Id, name and host district of the sites that a provider's sample names."""
    mark = "".join(word[0] for word in specification.dataset.split("-")).upper()
    return [
        (f"{provider}-{mark}-{site[-1]}", name.removesuffix(" Clinic"), host)
        for site, name, host in sample_clinics(provider)
    ]


def make_any_activity(
    specification: Specification,
    rows: int,
    provider: str,
    month: datetime.date,
    seed: int,
    *,
    errors: float = 0.0,
) -> pa.Table:
    """``rows`` records with the columns of the data set, or of one of its layouts, blanks null.

    A share ``errors`` of the rows gets one error. Raises ``UserError`` where a field that is
    required has a form of its own, for which nothing can be made up.
    """
    drawn = _Drawing(specification, rows, provider, month, np.random.default_rng(seed))
    columns = {
        column: drawn.column(field, slot)
        for field in specification.fields
        for slot, column in enumerate(field.columns)
    }
    faults = [
        (field.columns[0], "2017-02-30" if field.type == "date" else "no code")
        for field in specification.fields
        if field.is_coded or field.type == "date"
    ]
    columns = spoil(columns, errors, np.random.default_rng([seed, 1]), faults)
    return pa.table({name: column.to_array() for name, column in columns.items()})


@dataclass
class _Drawing:
    """Draws columns; home and age are the same in all records of a patient."""

    specification: Specification
    rows: int
    provider: str
    month: datetime.date
    rng: np.random.Generator

    def __post_init__(self) -> None:
        self.patients = max(1, self.rows // VISITS)
        self.patient = self.rng.integers(0, self.patients, self.rows)

    def column(self, field: Field, slot: int) -> Coded:
        """Drawn values of a slot; a field that may be blank sometimes is."""
        values = self._values(field)
        if field.role == "patient":
            return Coded(self.patient.astype(np.int32), pa.array(values, pa.string()))
        if not values:
            return Coded(np.full(self.rows, BLANK, np.int32), pa.array([], pa.string()))
        of_patient = field.role == "residence" or field.type == "integer"
        count = self.patients if of_patient else self.rows
        codes = self.rng.integers(0, len(values), count, dtype=np.int32)
        if of_patient:
            codes = codes[self.patient]
        return Coded(np.where(self._there(field, slot), codes, BLANK), pa.array(values))

    def _there(self, field: Field, slot: int) -> npt.NDArray[np.bool_]:
        if slot:
            return self.rng.random(self.rows) < FURTHER
        if field.required or field.role is not None:
            return np.ones(self.rows, np.bool_)
        return self.rng.random(self.rows) >= BLANKS

    def _values(self, field: Field) -> list[str]:
        """What a field may hold; nothing where no list or type says."""
        if field.role is not None:
            return self._of_role(field)
        if field.type == "date":
            return self._days()
        if field.type == "integer":
            low = FEWEST if field.minimum is None else field.minimum
            high = max(MOST, low) if field.maximum is None else field.maximum
            return [str(number) for number in range(low, min(high, low + MOST) + 1)]
        known = list(self.specification.codes_of(field)) + list(self.specification.same_as(field))
        if known or not field.required:
            return list(dict.fromkeys(known))
        if field.pattern is None and field.type == "text":
            return ["x"]
        raise UserError(
            f"no sample can be made up for {field.name!r}, which is required and has a form of "
            "its own; leave `required` out while you try the data set"
        )

    def _of_role(self, field: Field) -> list[str]:
        sites = sites_of(self.specification, self.provider)
        if field.role == "clinic":
            return [site for site, _, _ in sites]
        if field.role == "date":
            return self._days()
        if field.role == "provider":
            return [self.provider]
        if field.role == "residence":
            return _areas_near({host for _, _, host in sites})
        return [str(number) for number in range(100_001, 100_001 + self.patients)]

    def _days(self) -> list[str]:
        last = Month.of(self.month).last.day
        return [str(self.month.replace(day=day)) for day in range(1, last + 1)]


def _areas_near(hosts: set[str]) -> list[str]:
    """Areas in force of the districts that host the sites."""
    register = AreaRegister.shipped()
    near = pc.is_in(register.districts.cast(pa.string()), value_set=pa.array(sorted(hosts)))
    areas: list[str] = register.codes.filter(pc.and_(near, pc.is_null(register.ended))).to_pylist()
    return areas
