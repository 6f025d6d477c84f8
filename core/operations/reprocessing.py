"""Submitted months are calculated anew under a new revision of their tariff.

The version of the data set stays the one that the month keeps. What the new run changes is a
correction, by provider and commissioner.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import require
from core.configurations.in_force import service_of
from core.database import tables
from core.submissions.commands.requests import request_run
from core.submissions.commands.unpublish_run import unpublish_run
from core.submissions.months import get_submission, lock_submission
from core.submissions.transitions import move
from core.user_errors import UserError
from core.vocabulary.permissions import Action
from core.vocabulary.states.submissions import SUBMISSION_MACHINE, RunState, SubmissionState


def reprocess(
    connection: Connection, submissions: Iterable[int], *, user_id: int | None, why: str
) -> list[int]:
    """Opens each month and asks for its final run under the tariff in force; gives the runs.

    Raises ``UserError`` where a month cannot be run now, with all that stands in the way.
    """
    require(connection, user_id, Action.GRANT_RESET)
    return [_reprocess(connection, each, user_id, f"re-processed: {why}") for each in submissions]


def _reprocess(connection: Connection, submission_id: int, user_id: int | None, why: str) -> int:
    months = tables.submissions
    lock_submission(connection, submission_id)
    submission = get_submission(connection, submission_id)
    if submission.state == SubmissionState.SUBMITTED:
        for state in (SubmissionState.RESET_ASKED, SubmissionState.OPEN):
            move(connection, months, SUBMISSION_MACHINE, submission_id, state,
                 user_id=user_id, reason=why)  # fmt: skip
        unpublish_run(connection, submission_id, reason=why, user_id=user_id)
    connection.execute(
        months.update()
        .where(months.c.id == submission_id)
        .values(configuration_id=None, run_id=None)
    )
    try:
        return request_run(connection, submission_id, "final", user_id=None, reason=why)
    except UserError as refused:
        name = f"{submission.month_text} of {submission.provider_name}"
        raise UserError(f"{name} cannot be calculated anew: {refused}") from refused


@dataclass(frozen=True)
class CorrectionLine:
    """What a commissioner owes for a provider's month after it was calculated anew, and before."""

    provider: str
    month: dt.date
    service: str
    commissioner: str | None  # None: nobody pays
    pence_before: int
    pence_after: int

    @property
    def pence(self) -> int:
        """The difference, which is the correction."""
        return self.pence_after - self.pence_before


def corrections_by(connection: Connection, configuration_id: int) -> list[CorrectionLine]:
    """What the revision changed in months that were submitted under another one before, by
    provider, month and commissioner; sums that stay are left out."""
    now, then = tables.runs.alias("now"), tables.runs.alias("then")
    months, providers = tables.submissions, tables.organisations
    earlier = tables.runs.alias("earlier")
    last = (
        sa.select(sa.func.max(earlier.c.number))
        .where(
            earlier.c.submission_id == now.c.submission_id,
            earlier.c.number < now.c.number,
            earlier.c.kind == "final",
            earlier.c.state == RunState.REPLACED,
            earlier.c.configuration_id != now.c.configuration_id,
        )
        .correlate(now)
        .scalar_subquery()
    )
    query = (
        sa.select(
            now.c.id,
            then.c.id,
            providers.c.code,
            months.c.month,
            service_of(months.c.dataset),
        )
        .join(months, months.c.run_id == now.c.id)
        .join(providers, providers.c.id == months.c.provider_id)
        .join(then, sa.and_(then.c.submission_id == now.c.submission_id, then.c.number == last))
        .where(now.c.configuration_id == configuration_id, now.c.kind == "final")
        .order_by(providers.c.code, months.c.month, months.c.dataset)
    )
    lines = []
    for after, before, provider, month, service in connection.execute(query).all():
        sums_before, sums_after = _sums(connection, before), _sums(connection, after)
        for payer in sorted({*sums_before, *sums_after}, key=lambda each: each or ""):
            amounts = sums_before.get(payer, 0), sums_after.get(payer, 0)
            if amounts[0] != amounts[1]:
                lines.append(CorrectionLine(provider, month, service, payer, *amounts))
    return lines


def _sums(connection: Connection, run_id: int) -> dict[str | None, int]:
    paid = tables.run_payers
    query = (
        sa.select(paid.c.commissioner, sa.func.sum(paid.c.amount_pence))
        .where(paid.c.run_id == run_id)
        .group_by(paid.c.commissioner)
    )
    return {payer: int(pence) for payer, pence in connection.execute(query)}
