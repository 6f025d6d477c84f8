"""The runs of a month, and the differences between two of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope
from core.configurations.run_tariffs import RunTariff, tariffs_of_runs
from core.database import tables
from core.submissions.scoped import runs_in, submissions_in
from core.user_errors import UserError
from core.vocabulary.permissions import Action
from core.vocabulary.states.submissions import RunState

_EPISODE = ("clinic_id", "patient_id", "attendance_date", "currency")
"""The key of a charge within a run: an episode is charged once for a currency."""


@dataclass(frozen=True)
class RunRow:
    """A run as its provider sees it."""

    id: int
    number: int
    kind: str
    state: RunState
    records: int
    charges: int
    amount_pence: int
    requested_at: dt.datetime
    requested_by: str
    failure: str | None
    tariff: RunTariff | None  # None: it names none

    @property
    def has_charges(self) -> bool:
        return self.state in (RunState.PUBLISHED, RunState.REPLACED)


@dataclass(frozen=True)
class Difference:
    """The charges of a currency, or of a payer, that are new, gone or changed; and sums."""

    name: str | None  # None: nobody pays
    added: int
    gone: int
    changed: int
    same: int
    pence_before: int
    pence_after: int

    @property
    def pence(self) -> int:
        return self.pence_after - self.pence_before


@dataclass(frozen=True)
class Comparison:
    """The differences of two runs. A charge with another payer is changed in ``by_currency``; in
    ``by_commissioner`` it is gone for one payer and added for the other."""

    by_currency: list[Difference]
    by_commissioner: list[Difference]

    @property
    def total(self) -> Difference:
        counts = ("added", "gone", "changed", "same", "pence_before", "pence_after")
        sums = {name: sum(getattr(each, name) for each in self.by_currency) for name in counts}
        return Difference("all", **sums)


def runs_of(connection: Connection, scope: Scope, submission_id: int) -> list[RunRow]:
    """The runs of a month, the newest first."""
    runs, users = tables.runs, tables.users
    query = (
        sa.select(
            runs.c.id,
            runs.c.number,
            runs.c.kind,
            runs.c.state,
            runs.c.records,
            runs.c.charges,
            runs.c.amount_pence,
            runs.c.requested_at,
            sa.func.coalesce(users.c.name, "").label("requested_by"),
            runs.c.failure,
        )
        .outerjoin(users, users.c.id == runs.c.requested_by)
        .where(
            runs.c.submission_id == submission_id,
            submissions_in(scope, runs.c.submission_id, Action.SEE_CHARGES),
        )
        .order_by(runs.c.number.desc())
    )
    rows = connection.execute(query).mappings().all()
    tariffs = tariffs_of_runs(connection, [row["id"] for row in rows])
    return [
        RunRow(**{**row, "state": RunState(row["state"])}, tariff=tariffs.get(row["id"]))
        for row in rows
    ]


def compare_runs(connection: Connection, scope: Scope, before: int, after: int) -> Comparison:
    """The differences of ``after`` from ``before``; ``UserError`` unless both are visible."""
    runs = tables.runs
    seen = connection.execute(
        sa.select(runs.c.id).where(
            runs.c.id.in_((before, after)), runs_in(scope, runs.c.id, Action.SEE_CHARGES)
        )
    ).scalars()
    missing = {before, after} - set(seen)
    if missing:
        raise UserError(f"There is no run {min(missing)}.")
    return Comparison(
        _differences(connection, before, after, "currency", _EPISODE),
        _differences(connection, before, after, "commissioner", (*_EPISODE, "commissioner")),
    )


def _differences(
    connection: Connection, before: int, after: int, group_by: str, key: tuple[str, ...]
) -> list[Difference]:
    old = sa.select(tables.charges).where(tables.charges.c.run_id == before).cte("old")
    new = sa.select(tables.charges).where(tables.charges.c.run_id == after).cte("new")
    group = sa.func.coalesce(new.c[group_by], old.c[group_by])
    both = sa.and_(old.c.run_id.is_not(None), new.c.run_id.is_not(None))
    equal = sa.and_(
        old.c.amount_pence == new.c.amount_pence,
        old.c.rate_type == new.c.rate_type,
        _same(old.c.commissioner, new.c.commissioner),
    )
    query = (
        sa.select(
            group,
            sa.func.count().filter(old.c.run_id.is_(None)),
            sa.func.count().filter(new.c.run_id.is_(None)),
            sa.func.count().filter(sa.and_(both, sa.not_(equal))),
            sa.func.count().filter(sa.and_(both, equal)),
            sa.func.coalesce(sa.func.sum(old.c.amount_pence), 0),
            sa.func.coalesce(sa.func.sum(new.c.amount_pence), 0),
        )
        .select_from(
            old.join(new, sa.and_(*(_same(old.c[each], new.c[each]) for each in key)), full=True)
        )
        .group_by(group)
        .order_by(group)
    )
    return [
        Difference(name, added, gone, changed, same, int(old_pence), int(new_pence))
        for name, added, gone, changed, same, old_pence, new_pence in connection.execute(query)
    ]


def _same(
    left: sa.ColumnElement[object], right: sa.ColumnElement[object]
) -> sa.ColumnElement[bool]:
    """Equal, or null on both sides; a full join does not support IS NOT DISTINCT FROM."""
    if left.type.python_type is not str:
        return left == right
    return sa.func.coalesce(left, "") == sa.func.coalesce(right, "")
