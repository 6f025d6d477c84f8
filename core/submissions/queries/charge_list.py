"""The charges that a person may see: their runs, their sums, and one by one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import aggregate_order_by

from core.access.scope import Scope
from core.configurations.in_force import service_of
from core.database import tables
from core.vocabulary.permissions import Action

PAGE = 100
"""The number of charges on a page."""


@dataclass(frozen=True)
class VisibleRun:
    """A published run with charges that the person may see: those of ``payers``; empty: all."""

    run_id: int
    provider_id: int
    provider: str
    provider_name: str
    month: dt.date
    kind: str
    dataset: str
    service: str  # title of the data set; empty where there is one data set alone
    payers: tuple[str, ...] = ()

    @property
    def own(self) -> bool:
        """Whether it is a run of one of the person's own providers."""
        return not self.payers


@dataclass(frozen=True)
class ChargeFilter:
    """A filter of charges of a run; None matches all."""

    clinic: str | None = None
    currency: str | None = None
    commissioner: str | None = None


@dataclass(frozen=True)
class Sum:
    """The charges of a clinic, currency and payer; payer None: nobody pays."""

    clinic: str
    currency: str
    commissioner: str | None
    charges: int
    pence: int


@dataclass(frozen=True)
class ChargeLine:
    """A charge: one currency of one episode."""

    clinic_id: str
    patient_id: str
    attendance_date: dt.date
    currency: str
    rate_type: str
    rate_pence: int
    factor: Decimal
    amount_pence: int
    commissioner: str | None
    basis: str
    reason: str
    before: str | None = None  # the months that had charged the same visit, in words


def visible_runs(connection: Connection, scope: Scope) -> list[VisibleRun]:
    """Months of own providers, including drafts, and submitted months that charge the person's
    commissioners; the latest first."""
    months, runs, providers = tables.submissions, tables.runs, tables.organisations
    paid = tables.run_payers
    own_providers = scope.ids(Action.SEE_CHARGES, "provider")
    areas = scope.codes(Action.SEE_CHARGES)
    charged = sa.select(paid.c.run_id).where(paid.c.commissioner.in_(areas))
    query = (
        sa.select(
            runs.c.id,
            providers.c.id,
            providers.c.code,
            providers.c.name,
            months.c.month,
            runs.c.kind,
            months.c.dataset,
            service_of(months.c.dataset),
        )
        .join(months, months.c.run_id == runs.c.id)
        .join(providers, providers.c.id == months.c.provider_id)
        .where(
            sa.or_(
                months.c.provider_id.in_(own_providers),
                sa.and_(runs.c.kind == "final", runs.c.id.in_(charged)),
            )
        )
        .order_by(months.c.month.desc(), providers.c.name, months.c.dataset)
    )
    return [
        VisibleRun(
            run_id=row[0],
            provider_id=row[1],
            provider=row[2],
            provider_name=row[3],
            month=row[4],
            kind=row[5],
            dataset=row[6],
            service=row[7],
            payers=() if row[1] in own_providers else tuple(areas),
        )
        for row in connection.execute(query)
    ]


def sums_of(connection: Connection, run: VisibleRun) -> list[Sum]:
    """The sums of a run by clinic, currency and payer; ``run`` is one of ``visible_runs``."""
    charges = tables.charges
    names = (charges.c.clinic_id, charges.c.currency, charges.c.commissioner)
    query = (
        sa.select(*names, sa.func.count(), sa.func.sum(charges.c.amount_pence))
        .where(*_visible(run))
        .group_by(*names)
    )
    return [
        Sum(clinic, currency, payer, count, int(pence))
        for clinic, currency, payer, count, pence in connection.execute(query)
    ]


def lines_of(
    connection: Connection, run: VisibleRun, chosen: ChargeFilter, *, page: int = 0
) -> list[ChargeLine]:
    """A page of charges by clinic, patient, date and currency."""
    charges = tables.charges
    order = (charges.c[name] for name in ("clinic_id", "patient_id", "attendance_date", "currency"))
    query = _lines(*_visible(run), *_filtered(chosen)).order_by(*order)
    query = query.limit(PAGE).offset(page * PAGE)
    return [ChargeLine(*row) for row in connection.execute(query)]


def episode_of(connection: Connection, run: VisibleRun, line: ChargeLine) -> list[ChargeLine]:
    """All charges of the line's episode that the person may see."""
    charges = tables.charges
    query = _lines(
        *_visible(run),
        charges.c.clinic_id == line.clinic_id,
        charges.c.patient_id == line.patient_id,
        charges.c.attendance_date == line.attendance_date,
    ).order_by(charges.c.rate_type.desc(), charges.c.currency)
    return [ChargeLine(*row) for row in connection.execute(query)]


def _lines(*conditions: sa.ColumnElement[bool]) -> sa.Select[tuple[object, ...]]:
    """The columns of ``ChargeLine``."""
    charges, reasons = tables.charges, tables.charge_reasons
    joined = ("reason", "before")
    columns = [charges.c[name] for name in ChargeLine.__dataclass_fields__ if name not in joined]
    same = [reasons.c[name] == charges.c[name] for name in ("run_id", "chunk", "reason_id")]
    lines = sa.select(*columns, reasons.c.reason, _months_before())
    return lines.join(reasons, sa.and_(*same)).where(*conditions)


def _months_before() -> sa.ColumnElement[str]:
    """The months that had charged the visit of a charge, in words; null: none."""
    charges, visits = tables.charges.c, tables.visits_before.c
    month = sa.func.to_char(visits.before_month, "FMMonth YYYY")
    in_order = aggregate_order_by(sa.literal(", "), visits.before_month)
    of_visit = [
        visits[name] == charges[name]
        for name in ("run_id", "clinic_id", "patient_id", "attendance_date")
    ]
    months = sa.select(sa.func.string_agg(month, in_order)).where(*of_visit)
    return months.correlate(tables.charges).scalar_subquery()


def _visible(run: VisibleRun) -> list[sa.ColumnElement[bool]]:
    charges = tables.charges
    conditions = [charges.c.run_id == run.run_id]
    if run.payers:
        conditions.append(charges.c.commissioner.in_(run.payers))
    return conditions


def _filtered(chosen: ChargeFilter) -> list[sa.ColumnElement[bool]]:
    charges = tables.charges
    filters = (
        (charges.c.clinic_id, chosen.clinic),
        (charges.c.currency, chosen.currency),
        (charges.c.commissioner, chosen.commissioner),
    )
    return [column == value for column, value in filters if value is not None]
