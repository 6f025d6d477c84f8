"""Requests to open a submitted month again, as people see them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import NotAllowed, Scope
from core.database import tables
from core.submissions.months import SubmissionRow, get_submission
from core.user_errors import UserError
from core.vocabulary.permissions import Action
from core.vocabulary.states.submissions import SubmissionState


@dataclass(frozen=True)
class Reset:
    """A request, with the names that people know."""

    id: int
    submission_id: int
    run_id: int
    provider: str
    provider_name: str
    month: dt.date
    host: str
    host_name: str
    reason: str
    asked_by: str | None
    asked_at: dt.datetime
    granted: bool | None
    answer: str | None
    decided_by: str | None
    decided_at: dt.datetime | None

    @property
    def decision(self) -> str:
        if self.granted is None:
            return "undecided"
        return "granted" if self.granted else "refused"


def list_resets(connection: Connection, scope: Scope, *, everything: bool = False) -> list[Reset]:
    """The requests that wait for a decision, who waits longest first; or all, newest first. For
    who decides on them."""
    scope.require(Action.GRANT_RESET)
    resets = tables.resets
    query = (
        _rows().order_by(resets.c.id.desc())
        if everything
        else _rows().where(resets.c.granted.is_(None)).order_by(resets.c.id)
    )
    return [_reset(row) for row in connection.execute(query)]


def get_reset(connection: Connection, number: int) -> Reset:
    """One request; raises ``UserError`` where there is none of that number."""
    row = connection.execute(_rows().where(tables.resets.c.id == number)).first()
    if row is None:
        raise UserError(
            f"There is no request {number}. `grouper resets list --all` shows those there are."
        )
    return _reset(row)


def last_reset(connection: Connection, scope: Scope, submission_id: int) -> Reset | None:
    """The last request for a month, if there was one, by a host of the person's."""
    resets = tables.resets
    asked = scope.limits(resets.c.host_id, Action.ASK_FOR_RESET, "commissioner")
    query = _rows().where(resets.c.submission_id == submission_id, asked)
    row = connection.execute(query.order_by(resets.c.id.desc()).limit(1)).first()
    return None if row is None else _reset(row)


def hosted_months(connection: Connection, scope: Scope, host: str) -> list[SubmissionRow]:
    """The submitted months with charges of a clinic that the commissioner hosts, latest first; for
    who may ask for them to be opened."""
    if not scope.unlimited and host not in scope.codes(Action.ASK_FOR_RESET):
        raise NotAllowed(Action.ASK_FOR_RESET)
    submissions, organisations = tables.submissions, tables.organisations
    own = sa.select(organisations.c.id).where(organisations.c.code == host).scalar_subquery()
    hosted = own.in_(sa.select(sa.func.run_hosts(submissions.c.run_id)))
    wanted = (SubmissionState.SUBMITTED, SubmissionState.RESET_ASKED)
    query = (
        sa.select(submissions.c.id)
        .where(submissions.c.state.in_(wanted), hosted)
        .order_by(submissions.c.month.desc(), submissions.c.provider_id)
    )
    return _submissions(connection, connection.execute(query).scalars().all())


def _submissions(connection: Connection, numbers: Collection[int]) -> list[SubmissionRow]:
    return [get_submission(connection, number) for number in numbers]


def _rows() -> sa.Select[Any]:
    resets, submissions = tables.resets, tables.submissions
    provider = tables.organisations.alias("provider")
    host = tables.organisations.alias("host")
    asker, decider = tables.users.alias("asker"), tables.users.alias("decider")
    return (
        sa.select(
            resets.c.id,
            resets.c.submission_id,
            resets.c.run_id,
            provider.c.code.label("provider"),
            provider.c.name.label("provider_name"),
            submissions.c.month,
            host.c.code.label("host"),
            host.c.name.label("host_name"),
            resets.c.reason,
            asker.c.name.label("asked_by"),
            resets.c.asked_at,
            resets.c.granted,
            resets.c.answer,
            decider.c.name.label("decided_by"),
            resets.c.decided_at,
        )
        .join(submissions, submissions.c.id == resets.c.submission_id)
        .join(provider, provider.c.id == submissions.c.provider_id)
        .join(host, host.c.id == resets.c.host_id)
        .outerjoin(asker, asker.c.id == resets.c.asked_by)
        .outerjoin(decider, decider.c.id == resets.c.decided_by)
    )


def _reset(row: sa.Row[Any]) -> Reset:
    return Reset(**row._mapping)
