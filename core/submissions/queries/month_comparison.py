"""A month's figures compared with the month before and a year ago, with notable changes."""

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
"""A change by more than this share is notable …"""
LEAST = 20
"""… if it is of at least so many charges."""

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
class CurrencyComparison:
    """A currency now, in the month before and a year ago; None: that month has no run."""

    currency: str
    now: Figures
    last_month: Figures | None
    last_year: Figures | None
    stands_out: tuple[str, ...]


def compare_with_earlier(
    connection: Connection, scope: Scope, submission: SubmissionRow
) -> list[CurrencyComparison]:
    """The currencies of the month's run with earlier figures; those with notable changes first.

    Empty where the month has no published run.
    """
    if submission.run_id is None:
        return []
    now = _figures(connection, scope, submission, submission.month) or {}
    months = [
        (month_before(submission.month)),
        submission.month.replace(year=submission.month.year - 1),
    ]
    earlier = [_figures(connection, scope, submission, month) for month in months]
    currencies = {currency for figures in (now, *earlier) if figures for currency in figures}
    lines = [_line(currency, now, earlier, months) for currency in currencies]
    return sorted(lines, key=lambda line: (not line.stands_out, -line.now.pence, line.currency))


def month_before(month: dt.date) -> dt.date:
    """The first day of the month before."""
    return Month.of(month).plus(-1).first


def notable_change(now: int, before: int, month: dt.date) -> str | None:
    """The change of a number of charges in words, if it is notable; else None."""
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
) -> CurrencyComparison:
    of_now = now.get(currency, Figures())
    then = [None if figures is None else figures.get(currency, Figures()) for figures in earlier]
    remarks = [
        notable_change(of_now.charges, figures.charges, month)
        for figures, month in zip(then, months, strict=True)
        if figures is not None
    ]
    return CurrencyComparison(currency, of_now, then[0], then[1], tuple(filter(None, remarks)))


def _figures(
    connection: Connection, scope: Scope, submission: SubmissionRow, month: dt.date
) -> dict[str, Figures] | None:
    """Charges by currency of the published run of a month of the submission's provider and data
    set; None where there is none."""
    months, charges = tables.submissions, tables.charges
    run = connection.execute(
        sa.select(months.c.run_id).where(
            months.c.provider_id == submission.provider_id,
            months.c.dataset == submission.dataset,
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
