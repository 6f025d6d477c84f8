"""The totals of a published run, by commissioner and by currency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope
from core.configurations.published_names import currency_names
from core.configurations.run_tariffs import RunTariff, tariffs_of_runs
from core.database import tables
from core.engine.calculation.accounting import episodes_in_words, records_in_words
from core.submissions.scoped import runs_in
from core.user_errors import UserError
from core.vocabulary.permissions import Action


@dataclass(frozen=True)
class RunSummary:
    """The figures of a run."""

    run_id: int
    number: int
    kind: str
    records: int
    episodes: int
    episodes_charged: int | None  # None: a run of which nobody counted them
    charges: int
    amount_pence: int
    by_commissioner: list[tuple[str | None, int, int]]  # code, charges, pence
    by_currency: list[tuple[str, int, int]]
    overwritten: int
    currency_names: dict[str, str]
    tariff: RunTariff | None = None  # None: the run names none

    @property
    def accounts(self) -> list[str]:
        """Where the records and the episodes went, a sentence each."""
        sentences = [records_in_words(self.records, self.episodes)]
        if self.episodes_charged is not None:
            sentences.append(episodes_in_words(self.episodes, self.episodes_charged, self.charges))
        return sentences


def run_summary(connection: Connection, scope: Scope, run_id: int) -> RunSummary:
    """The figures of a run, for its provider; for others ``UserError``, as for an unknown run."""
    query = sa.select(tables.runs).where(
        tables.runs.c.id == run_id, runs_in(scope, tables.runs.c.id, Action.SEE_CHARGES)
    )
    run = connection.execute(query).first()
    if run is None:
        raise UserError(f"There is no run {run_id}.")
    overwritten = connection.execute(
        sa.select(sa.func.count())
        .select_from(tables.run_warnings)
        .where(tables.run_warnings.c.run_id == run_id)
    ).scalar_one()
    return RunSummary(
        run_id=run_id,
        number=run.number,
        kind=run.kind,
        records=run.records,
        episodes=run.episodes,
        episodes_charged=run.episodes_charged,
        charges=run.charges,
        amount_pence=run.amount_pence,
        by_commissioner=_by(connection, run_id, "commissioner"),
        by_currency=_by(connection, run_id, "currency"),
        overwritten=overwritten,
        currency_names=currency_names(connection, [run_id]),
        tariff=tariffs_of_runs(connection, [run_id]).get(run_id),
    )


def _by(connection: Connection, run_id: int, name: str) -> list[tuple[Any, int, int]]:
    charges = tables.charges
    amount = sa.func.sum(charges.c.amount_pence)
    query = (
        sa.select(charges.c[name], sa.func.count(), amount)
        .where(charges.c.run_id == run_id)
        .group_by(charges.c[name])
        .order_by(amount.desc(), charges.c[name])
    )
    return [(row[0], row[1], int(row[2])) for row in connection.execute(query)]
