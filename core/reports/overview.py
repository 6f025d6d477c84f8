"""The charges to a commissioner, by month and provider, from submitted months only."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope
from core.configurations.in_force import service_of
from core.database import tables
from core.vocabulary.permissions import Action


@dataclass(frozen=True)
class ChargedMonth:
    """The charges of one provider's month, of one data set, to one commissioner."""

    month: dt.date
    provider: str
    provider_name: str
    charges: int
    pence: int
    service: str  # title of the data set; empty where there is one data set alone


def charged_to(connection: Connection, scope: Scope, commissioner: str) -> list[ChargedMonth]:
    """The charges by month and provider, latest month first; without drafts."""
    if not scope.unlimited and commissioner not in scope.codes(Action.SEE_CHARGES):
        return []
    submissions, runs, payers = tables.submissions, tables.runs, tables.run_payers
    organisations = tables.organisations
    query = (
        sa.select(
            submissions.c.month,
            organisations.c.code,
            organisations.c.name,
            sa.func.sum(payers.c.charges),
            sa.func.sum(payers.c.amount_pence),
            service_of(submissions.c.dataset),
        )
        .select_from(submissions)
        .join(runs, runs.c.id == submissions.c.run_id)
        .join(payers, payers.c.run_id == runs.c.id)
        .join(organisations, organisations.c.id == submissions.c.provider_id)
        .where(runs.c.kind == "final", payers.c.commissioner == commissioner)
        .group_by(
            submissions.c.month, organisations.c.code, organisations.c.name, submissions.c.dataset
        )
        .order_by(submissions.c.month.desc(), organisations.c.name, submissions.c.dataset)
    )
    return [
        ChargedMonth(month, code, name, count, int(pence), service)
        for month, code, name, count, pence, service in connection.execute(query)
    ]
