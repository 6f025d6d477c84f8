"""What a data set calls clinic, patient and date, for pages and workbooks."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.configurations.datasets import get_version
from core.database import tables
from core.engine.dataset.fields import Role, heading_key
from core.engine.dataset.specification import Specification


@dataclass(frozen=True)
class RoleLabels:
    """The words for the parts of an episode's key; ours where several data sets are shown."""

    clinic: str = "Clinic"
    patient: str = "Patient ID"
    date: str = "Attendance date"

    @property
    def short(self) -> tuple[str, str, str]:
        """Clinic, patient and date in a word each, as on pages."""
        patient = "Patient" if self.patient == OURS.patient else self.patient
        return self.clinic, patient, "Date" if self.date == OURS.date else self.date

    def heading(self, ours: str) -> str:
        """The heading of a column, by our word for it: ``Clinic name`` may be ``Venue name``."""
        if ours == f"{OURS.clinic} name":
            return f"{self.clinic} name"
        words = {OURS.clinic: self.clinic, OURS.patient: self.patient, OURS.date: self.date}
        return words.get(ours, ours)


OURS = RoleLabels()


def labels_of(specifications: Iterable[Specification]) -> RoleLabels:
    """The titles of the fields; ours where they differ, or where one begins with our word."""
    distinct = {
        RoleLabels(
            _label(each, "clinic", OURS.clinic),
            _label(each, "patient", OURS.patient),
            _label(each, "date", OURS.date),
        )
        for each in specifications
    }
    return distinct.pop() if len(distinct) == 1 else OURS


def labels_of_runs(connection: Connection, run_ids: Collection[int]) -> RoleLabels:
    """The labels of the data set that the runs are of; ours for several."""
    return labels_of(_specifications(connection, run_ids))


def column_titles(connection: Connection, run_ids: Collection[int]) -> dict[str, str]:
    """Column to title of the fields that have one, with the number of a slot behind it."""
    return {
        column: field.label + column.removeprefix(field.name)
        for specification in _specifications(connection, run_ids)
        for column, field in specification.columns.items()
        if field.title
    }


def _specifications(connection: Connection, run_ids: Collection[int]) -> list[Specification]:
    runs = tables.runs
    query = (
        sa.select(runs.c.dataset_id)
        .distinct()
        .where(runs.c.id.in_(list(run_ids)), runs.c.dataset_id.is_not(None))
    )
    numbers = connection.execute(query.order_by(runs.c.dataset_id)).scalars()
    return [get_version(connection, number).specification for number in numbers]


def _label(specification: Specification, role: Role, ours: str) -> str:
    field = specification.with_role(role)
    if field is None or heading_key(field.label).startswith(heading_key(ours)):
        return ours
    return field.label
