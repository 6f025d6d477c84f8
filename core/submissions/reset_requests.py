"""A request to open a submitted month again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.configurations.in_force import service_of
from core.database import tables
from core.user_errors import UserError


@dataclass(frozen=True)
class Reset:
    """A request with its names for people."""

    id: int
    submission_id: int
    run_id: int
    provider: str
    provider_name: str
    month: dt.date
    dataset: str
    service: str  # title of the data set; empty where there is one data set alone
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


def get_reset(connection: Connection, number: int) -> Reset:
    """A request; raises ``UserError`` for an unknown number."""
    row = connection.execute(reset_rows().where(tables.resets.c.id == number)).first()
    if row is None:
        raise UserError(
            f"There is no request {number}. `grouper resets list --all` shows those there are."
        )
    return reset_from(row)


def reset_rows() -> sa.Select[Any]:
    """The query of requests with month, and names of asker and decider."""
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
            submissions.c.dataset,
            service_of(submissions.c.dataset).label("service"),
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


def reset_from(row: sa.Row[Any]) -> Reset:
    """The request of a row of ``reset_rows``."""
    return Reset(**row._mapping)
