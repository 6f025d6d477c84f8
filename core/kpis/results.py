"""What indicators came to: kept for each run, read by month, compared with others unnamed."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.database import tables
from core.kpis.definitions import Band, Kpi
from core.kpis.measuring import Measured
from core.kpis.states import KpiState

PEERS_NEEDED = 3
"""With fewer others, one of them could be told from the rest."""


@dataclass(frozen=True)
class Peers:
    """What other providers' submitted months came to: how many, and where they lie."""

    count: int
    lower: Decimal
    median: Decimal
    upper: Decimal


@dataclass(frozen=True)
class Result:
    """An indicator for one month of a provider."""

    kpi: Kpi
    provider: str
    provider_name: str
    month: dt.date
    run_kind: str
    numerator: Decimal | None
    denominator: Decimal | None
    failure: str | None
    peers: Peers | None

    @property
    def value(self) -> Decimal | None:
        if self.numerator is None or self.denominator is None:
            return None
        return self.kpi.value(self.numerator, self.denominator)

    @property
    def band(self) -> Band | None:
        return self.kpi.band(self.value)

    def is_small(self, limit: int) -> bool:
        """Whether it rests on so few episodes that people could be told from it."""
        if self.numerator is None or self.denominator is None:
            return False
        rest = self.denominator - self.numerator
        return any(0 < number < limit for number in (self.numerator, self.denominator, rest))


def store_result(
    connection: Connection,
    run_id: int,
    kpi_id: int,
    measured: Measured | None,
    failure: str | None = None,
) -> None:
    """Keeps what was measured, or why nothing was; measured again, it takes the old one's place."""
    values = {
        "numerator": measured.numerator if measured else None,
        "denominator": measured.denominator if measured else None,
        "failure": failure,
        "measured_at": sa.func.now(),
    }
    statement = insert(tables.kpi_results).values(run_id=run_id, kpi_id=kpi_id, **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["run_id", "kpi_id"], set_=values)
    )


def results_of(
    connection: Connection, providers: Sequence[str], *, final_only: bool = False
) -> list[Result]:
    """What published indicators came to in the published months of these providers: by indicator,
    provider and month."""
    runs, organisations = tables.runs, tables.organisations
    query = _query().where(organisations.c.code.in_(providers))
    if final_only:
        query = query.where(runs.c.kind == "final")
    rows = connection.execute(query).all()
    others = _others(connection, {row.kpi_id for row in rows})
    return [_result(row, others) for row in rows]


def _query() -> sa.Select[Any]:
    results, runs, submissions = tables.kpi_results, tables.runs, tables.submissions
    organisations, kpis = tables.organisations, tables.kpis
    return (
        sa.select(
            results,
            kpis.c.body,
            runs.c.kind.label("run_kind"),
            submissions.c.month,
            organisations.c.code,
            organisations.c.name,
        )
        .join(runs, runs.c.id == results.c.run_id)
        .join(submissions, submissions.c.run_id == runs.c.id)
        .join(organisations, organisations.c.id == submissions.c.provider_id)
        .join(kpis, kpis.c.id == results.c.kpi_id)
        .where(kpis.c.state == KpiState.PUBLISHED)
        .order_by(kpis.c.id, organisations.c.code, submissions.c.month)
    )


_Others = dict[tuple[int, dt.date], dict[str, Decimal]]


def _others(connection: Connection, kpi_ids: set[int]) -> _Others:
    """The value of every provider's submitted month, by indicator and month."""
    found: _Others = defaultdict(dict)
    query = _query().where(tables.kpis.c.id.in_(kpi_ids), tables.runs.c.kind == "final")
    for row in connection.execute(query):
        if row.denominator:
            value = Kpi.model_validate(row.body).value(row.numerator, row.denominator)
            if value is not None:
                found[row.kpi_id, row.month][row.code] = value
    return found


def _result(row: sa.Row[Any], others: _Others) -> Result:
    values = others.get((row.kpi_id, row.month), {})
    return Result(
        kpi=Kpi.model_validate(row.body),
        provider=row.code,
        provider_name=row.name,
        month=row.month,
        run_kind=row.run_kind,
        numerator=row.numerator,
        denominator=row.denominator,
        failure=row.failure,
        peers=peers_of([value for code, value in values.items() if code != row.code]),
    )


def peers_of(values: Sequence[Decimal]) -> Peers | None:
    """Where the others lie; None where they are too few to stay unnamed."""
    if len(values) < PEERS_NEEDED:
        return None
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
    return Peers(len(values), lower, median, upper)
