"""Requests to open a submitted month again, as people see them."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import NotAllowed, Scope
from core.database import tables
from core.submissions.months import SubmissionRow, get_submission
from core.submissions.reset_requests import Reset, reset_from, reset_rows
from core.vocabulary.permissions import Action
from core.vocabulary.states.submissions import HANDED_IN


def list_resets(connection: Connection, scope: Scope, *, everything: bool = False) -> list[Reset]:
    """The requests that wait for a decision, oldest first; or all, newest first. For users who
    decide on them."""
    scope.require(Action.GRANT_RESET)
    resets = tables.resets
    query = (
        reset_rows().order_by(resets.c.id.desc())
        if everything
        else reset_rows().where(resets.c.granted.is_(None)).order_by(resets.c.id)
    )
    return [reset_from(row) for row in connection.execute(query)]


def last_reset(connection: Connection, scope: Scope, submission_id: int) -> Reset | None:
    """The last request for a month by one of the person's commissioners, or None."""
    resets = tables.resets
    asked = scope.limits(resets.c.host_id, Action.ASK_FOR_RESET, "commissioner")
    query = reset_rows().where(resets.c.submission_id == submission_id, asked)
    row = connection.execute(query.order_by(resets.c.id.desc()).limit(1)).first()
    return None if row is None else reset_from(row)


def hosted_months(connection: Connection, scope: Scope, host: str) -> list[SubmissionRow]:
    """The submitted months with charges of a clinic that the commissioner hosts, latest first; for
    users who may ask for them to be opened."""
    if not scope.unlimited and host not in scope.codes(Action.ASK_FOR_RESET):
        raise NotAllowed(Action.ASK_FOR_RESET)
    submissions, organisations = tables.submissions, tables.organisations
    own = sa.select(organisations.c.id).where(organisations.c.code == host).scalar_subquery()
    hosted = own.in_(sa.select(sa.func.run_hosts(submissions.c.run_id)))
    query = (
        sa.select(submissions.c.id)
        .where(submissions.c.state.in_(HANDED_IN), hosted)
        .order_by(submissions.c.month.desc(), submissions.c.provider_id)
    )
    return _submissions(connection, connection.execute(query).scalars().all())


def _submissions(connection: Connection, numbers: Collection[int]) -> list[SubmissionRow]:
    return [get_submission(connection, number) for number in numbers]
