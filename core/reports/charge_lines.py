"""The charges that a report shows, and their totals, straight from the published runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.areas.register import AreaRegister
from core.database import tables
from core.reports.requests import ReportRequest

ROWS_AT_ONCE = 10_000
NOBODY = "(nobody)"


@dataclass(frozen=True)
class Total:
    """A group of charges: its names, how many, how much."""

    names: tuple[str, ...]
    primary: int
    additional: int
    amount: Decimal  # pounds

    @property
    def charges(self) -> int:
        return self.primary + self.additional


def _chosen(request: ReportRequest, run_ids: list[int]) -> sa.ColumnElement[bool]:
    charges = tables.charges
    chosen: sa.ColumnElement[bool] = charges.c.run_id.in_(run_ids)
    if request.side == "commissioner":
        chosen = sa.and_(chosen, charges.c.commissioner == request.organisation)
    return chosen


def charge_lines(
    connection: Connection, request: ReportRequest, run_ids: list[int]
) -> Iterator[Any]:
    """One row a charge, by month, provider, clinic, patient, date and currency.

    Rows are streamed from the server, so memory does not grow with their number.
    """
    charges, runs, submissions = tables.charges, tables.runs, tables.submissions
    organisations, clinics, reasons = tables.organisations, tables.clinics, tables.charge_reasons
    query = (
        sa.select(
            submissions.c.month,
            organisations.c.code.label("provider"),
            organisations.c.name.label("provider_name"),
            charges.c.clinic_id,
            clinics.c.name.label("clinic_name"),
            charges.c.patient_id,
            charges.c.attendance_date,
            charges.c.currency,
            charges.c.rate_type,
            charges.c.rate_pence,
            charges.c.factor,
            charges.c.amount_pence,
            charges.c.commissioner,
            charges.c.basis,
            reasons.c.reason,
        )
        .join(runs, runs.c.id == charges.c.run_id)
        .join(submissions, submissions.c.id == runs.c.submission_id)
        .join(organisations, organisations.c.id == submissions.c.provider_id)
        .join(
            reasons,
            sa.and_(
                reasons.c.run_id == charges.c.run_id,
                reasons.c.chunk == charges.c.chunk,
                reasons.c.reason_id == charges.c.reason_id,
            ),
        )
        .outerjoin(
            clinics,
            sa.and_(
                clinics.c.provider_id == submissions.c.provider_id,
                clinics.c.clinic_id == charges.c.clinic_id,
            ),
        )
        .where(_chosen(request, run_ids))
        .order_by(
            submissions.c.month,
            organisations.c.code,
            charges.c.clinic_id,
            charges.c.patient_id,
            charges.c.attendance_date,
            charges.c.currency,
        )
    )
    # Not as an option of the connection: it would stay there, and break what comes after.
    yield from connection.execute(query, execution_options={"yield_per": ROWS_AT_ONCE})


def totals_by(
    connection: Connection, request: ReportRequest, run_ids: list[int], *names: str
) -> list[Total]:
    """Charges by columns such as ``commissioner``: counted and summed, dearest first."""
    charges = tables.charges
    columns = [sa.func.coalesce(charges.c[name], NOBODY) for name in names]
    primary = sa.func.count().filter(charges.c.rate_type == "primary")
    additional = sa.func.count().filter(charges.c.rate_type == "additional")
    amount = sa.func.coalesce(sa.func.sum(charges.c.amount_pence), 0)
    query = (
        sa.select(*columns, primary, additional, amount)
        .where(_chosen(request, run_ids))
        .group_by(*columns)
        .order_by(amount.desc(), *columns)
    )
    return [
        Total(tuple(row[: len(names)]), row[-3], row[-2], Decimal(int(row[-1])) / 100)
        for row in connection.execute(query)
    ]


def area_name(register: AreaRegister, code: str | None) -> str:
    """The name of an authority, or an empty text where nobody pays."""
    return register.names.get(code or "", "")


def clinic_names(connection: Connection, run_ids: list[int]) -> dict[str, str]:
    """The names of the clinics of the runs' providers."""
    clinics, runs, submissions = tables.clinics, tables.runs, tables.submissions
    query = (
        sa.select(clinics.c.clinic_id, clinics.c.name)
        .join(submissions, submissions.c.provider_id == clinics.c.provider_id)
        .join(runs, runs.c.submission_id == submissions.c.id)
        .where(runs.c.id.in_(run_ids))
    )
    return {row.clinic_id: row.name or "" for row in connection.execute(query)}
