"""A month's figures beside those of the month before and of a year ago, and what stands out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope
from core.database import tables
from core.engine.tariff.months import Month
from core.submissions.months import SubmissionRow
from core.submissions.scoped import submissions_in
from core.vocabulary.permissions import Action

SHARE = 0.25
"""A change by more than this share stands out …"""
LEAST = 20
"""… where it is of at least so many charges."""

STANDS_OUT = {
    "more": "{percent} % more than {month}",
    "less": "{percent} % less than {month}",
    "new": "none in {month}",
    "none": "none now, {before:,} in {month}",
}


@dataclass(frozen=True)
class Figures:
    """Charges and pence of a currency in a month."""

    charges: int = 0
    pence: int = 0


@dataclass(frozen=True)
class Against:
    """A currency now, in the month before and a year ago; None: that month has no run."""

    currency: str
    now: Figures
    last_month: Figures | None
    last_year: Figures | None
    stands_out: tuple[str, ...]


def month_against(connection: Connection, scope: Scope, submission: SubmissionRow) -> list[Against]:
    """The currencies of the month's run beside earlier ones; those that stand out first.

    Empty where the month has no run that is published.
    """
    if submission.run_id is None:
        return []
    now = _figures(connection, scope, submission.provider_id, submission.month) or {}
    months = [
        (month_before(submission.month)),
        submission.month.replace(year=submission.month.year - 1),
    ]
    earlier = [_figures(connection, scope, submission.provider_id, month) for month in months]
    known = {currency for found in (now, *earlier) if found for currency in found}
    lines = [_line(currency, now, earlier, months) for currency in known]
    return sorted(lines, key=lambda line: (not line.stands_out, -line.now.pence, line.currency))


def month_before(month: dt.date) -> dt.date:
    """The first day of the month before."""
    return Month.of(month).plus(-1).first


def what_stands_out(now: int, before: int, month: dt.date) -> str | None:
    """In words, if so many charges now and so many then are worth a look."""
    change = now - before
    if abs(change) < LEAST or (before and abs(change) <= SHARE * before):
        return None
    code = ("more" if change > 0 else "less" if now else "none") if before else "new"
    percent = round(100 * abs(change) / before) if before else 0
    return STANDS_OUT[code].format(percent=percent, month=Month.of(month).name, before=before)


def _line(
    currency: str,
    now: dict[str, Figures],
    earlier: list[dict[str, Figures] | None],
    months: list[dt.date],
) -> Against:
    of_now = now.get(currency, Figures())
    then = [None if found is None else found.get(currency, Figures()) for found in earlier]
    told = [
        what_stands_out(of_now.charges, figures.charges, month)
        for figures, month in zip(then, months, strict=True)
        if figures is not None
    ]
    return Against(currency, of_now, then[0], then[1], tuple(filter(None, told)))


def _figures(
    connection: Connection, scope: Scope, provider_id: int, month: dt.date
) -> dict[str, Figures] | None:
    """Charges by currency of a month's published run; None where there is none."""
    months, charges = tables.submissions, tables.charges
    run = connection.execute(
        sa.select(months.c.run_id).where(
            months.c.provider_id == provider_id,
            months.c.month == month,
            submissions_in(scope, months.c.id, Action.SEE_CHARGES),
        )
    ).scalar()
    if run is None:
        return None
    query = (
        sa.select(charges.c.currency, sa.func.count(), sa.func.sum(charges.c.amount_pence))
        .where(charges.c.run_id == run)
        .group_by(charges.c.currency)
    )
    return {code: Figures(count, int(pence)) for code, count, pence in connection.execute(query)}
