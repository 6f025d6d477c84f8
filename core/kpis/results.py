"""The figures of indicators: stored by run, read by month, compared with anonymous peers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.access.scope import Scope
from core.database import tables
from core.kpis.definitions import FACTORS, Band, Kpi
from core.kpis.measuring import Measurement
from core.settings import settings
from core.vocabulary.permissions import Action
from core.vocabulary.states.kpis import SHOWN


@dataclass(frozen=True)
class Peers:
    """Quartiles of other providers' submitted months, in the unit of the indicator.

    The database returns them only for three or more others: with fewer, one could be identified
    (function ``kpi_peers``).
    """

    count: int
    lower: Decimal
    median: Decimal
    upper: Decimal


@dataclass(frozen=True)
class Result:
    """The figure of an indicator for one month of a provider."""

    kpi: Kpi
    run_id: int
    provider: str
    provider_name: str
    month: dt.date
    run_kind: str
    numerator: Decimal | None
    denominator: Decimal | None
    failure: str | None
    peers: Peers | None
    taken_over: bool = False  # the figure is that of the old service

    @property
    def value(self) -> Decimal | None:
        if self.numerator is None or self.denominator is None:
            return None
        return self.kpi.value(self.numerator, self.denominator)

    @property
    def band(self) -> Band | None:
        return self.kpi.band(self.value)

    def is_small(self, limit: int) -> bool:
        """Whether it is based on so few episodes that patients could be identified."""
        if self.numerator is None or self.denominator is None:
            return False
        rest = self.denominator - self.numerator
        return any(0 < number < limit for number in (self.numerator, self.denominator, rest))


def store_result(
    connection: Connection,
    run_id: int,
    kpi_id: int,
    measured: Measurement | None,
    failure: str | None = None,
) -> None:
    """Stores a measurement, or why there is none; a repeated one replaces it.

    Figures of the old service are never replaced.
    """
    values = {
        "numerator": measured.numerator if measured else None,
        "denominator": measured.denominator if measured else None,
        "failure": failure,
        "measured_at": sa.func.now(),
    }
    results = tables.kpi_results
    statement = insert(results).values(run_id=run_id, kpi_id=kpi_id, **values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["run_id", "kpi_id"], set_=values, where=sa.not_(results.c.taken_over)
        )
    )


def move_old_figures(connection: Connection, kpi_id: int) -> int:
    """Moves figures of the old service to a new version of their indicator; returns how many."""
    kpis, results = tables.kpis, tables.kpi_results
    name = sa.select(kpis.c.kpi).where(kpis.c.id == kpi_id).scalar_subquery()
    other_versions = sa.select(kpis.c.id).where(kpis.c.kpi == name, kpis.c.id != kpi_id)
    old_figures = sa.and_(results.c.taken_over, results.c.kpi_id.in_(other_versions))
    runs = sa.select(results.c.run_id).where(old_figures)
    connection.execute(
        results.delete().where(results.c.kpi_id == kpi_id, results.c.run_id.in_(runs))
    )
    return connection.execute(results.update().where(old_figures).values(kpi_id=kpi_id)).rowcount


def results_of(
    connection: Connection, scope: Scope, providers: Sequence[str], *, final_only: bool = False
) -> list[Result]:
    """The figures of shown indicators, for published months of these providers that the scope may
    see: by indicator, provider and month."""
    runs, organisations = tables.runs, tables.organisations
    query = _query().where(organisations.c.code.in_(providers), visible_runs(scope))
    if final_only:
        query = query.where(runs.c.kind == "final")
    return [_result(row) for row in connection.execute(query)]


def visible_runs(scope: Scope) -> sa.ColumnElement[bool]:
    """The condition on runs whose figures the scope may see: those of its own providers, and final
    ones that charge one of its commissioners."""
    runs, submissions, paid = tables.runs, tables.submissions, tables.run_payers
    charged = sa.select(paid.c.run_id).where(
        paid.c.commissioner.in_(scope.codes(Action.SEE_KPIS, "commissioner"))
    )
    return sa.or_(
        scope.limits(submissions.c.provider_id, Action.SEE_KPIS),
        sa.and_(runs.c.kind == "final", runs.c.id.in_(charged)),
    )


def _query() -> sa.Select[Any]:
    results, runs, submissions = tables.kpi_results, tables.runs, tables.submissions
    organisations, kpis = tables.organisations, tables.kpis
    peers = (
        sa.func.kpi_peers(results.c.kpi_id, submissions.c.month, submissions.c.provider_id)
        .table_valued("others", "lower", "median", "upper")
        .render_derived(name="peers")
        .lateral()
    )
    return (
        sa.select(
            results,
            kpis.c.body,
            runs.c.kind.label("run_kind"),
            submissions.c.month,
            organisations.c.code,
            organisations.c.name,
            peers.c.others,
            peers.c.lower,
            peers.c.median,
            peers.c.upper,
        )
        .join(runs, runs.c.id == results.c.run_id)
        .join(submissions, submissions.c.run_id == runs.c.id)
        .join(organisations, organisations.c.id == submissions.c.provider_id)
        .join(kpis, kpis.c.id == results.c.kpi_id)
        .outerjoin(peers, sa.true())
        .where(kpis.c.state.in_(SHOWN))
        .order_by(kpis.c.id, organisations.c.code, submissions.c.month)
    )


def _result(row: sa.Row[Any]) -> Result:
    kpi = Kpi.model_validate(row.body)
    return Result(
        kpi=kpi,
        run_id=row.run_id,
        provider=row.code,
        provider_name=row.name,
        month=row.month,
        run_kind=row.run_kind,
        numerator=row.numerator,
        denominator=row.denominator,
        failure=row.failure,
        peers=_peers(row, FACTORS[kpi.unit]) if row.others else None,
        taken_over=row.taken_over,
    )


def _peers(row: sa.Row[Any], factor: int) -> Peers:
    lower, median, upper = (
        Decimal(str(row._mapping[name])) * factor for name in ("lower", "median", "upper")
    )
    return Peers(row.others, lower, median, upper)


@dataclass(frozen=True)
class VisibleProvider:
    """A provider whose figures the person may see; of others only submitted months."""

    code: str
    name: str
    own: bool

    @property
    def hide_below(self) -> int:
        """Figures based on fewer episodes are hidden from everybody but the provider."""
        return 0 if self.own else settings().hide_below


def visible_providers(connection: Connection, scope: Scope) -> list[VisibleProvider]:
    """The person's own providers, and those that charged a commissioner of the person's."""
    own = [
        VisibleProvider(str(each.code), str(each.name), own=True)
        for each in scope.where(Action.SEE_KPIS, "provider")
    ]
    payers = scope.codes(Action.SEE_KPIS, "commissioner")
    submissions, organisations, paid = tables.submissions, tables.organisations, tables.run_payers
    runs = tables.runs
    query = (
        sa.select(organisations.c.code, organisations.c.name)
        .distinct()
        .join(submissions, submissions.c.provider_id == organisations.c.id)
        .join(runs, runs.c.id == submissions.c.run_id)
        .join(paid, paid.c.run_id == runs.c.id)
        .where(runs.c.kind == "final", paid.c.commissioner.in_(payers))
        .order_by(organisations.c.name)
    )
    own_codes = {provider.code for provider in own}
    charging = [
        VisibleProvider(row.code, row.name, own=False)
        for row in connection.execute(query)
        if row.code not in own_codes
    ]
    return [*own, *charging]


def runs_to_try(
    connection: Connection, scope: Scope, provider: VisibleProvider, dataset: str
) -> list[tuple[int, dt.date, str]]:
    """The published runs on which an indicator of a data set can be tried: id, month, kind; latest
    first."""
    runs, submissions, organisations = tables.runs, tables.submissions, tables.organisations
    query = (
        sa.select(runs.c.id, submissions.c.month, runs.c.kind)
        .join(submissions, submissions.c.run_id == runs.c.id)
        .join(organisations, organisations.c.id == submissions.c.provider_id)
        .where(
            organisations.c.code == provider.code,
            submissions.c.dataset == dataset,
            visible_runs(scope),
        )
        .order_by(submissions.c.month.desc())
    )
    if not provider.own:
        query = query.where(runs.c.kind == "final")
    return [(run_id, month, kind) for run_id, month, kind in connection.execute(query)]
