"""What a commissioner was charged, by month and provider, from submitted months only."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables


@dataclass(frozen=True)
class Charged:
    """The charges of one provider's month to one commissioner."""

    month: dt.date
    provider: str
    provider_name: str
    charges: int
    pence: int


def charged_to(connection: Connection, commissioner: str) -> list[Charged]:
    """Latest month first; drafts are not shown to commissioners."""
    submissions, runs, charges = tables.submissions, tables.runs, tables.charges
    organisations = tables.organisations
    query = (
        sa.select(
            submissions.c.month,
            organisations.c.code,
            organisations.c.name,
            sa.func.count(),
            sa.func.sum(charges.c.amount_pence),
        )
        .select_from(submissions)
        .join(runs, runs.c.id == submissions.c.run_id)
        .join(charges, charges.c.run_id == runs.c.id)
        .join(organisations, organisations.c.id == submissions.c.provider_id)
        .where(runs.c.kind == "final", charges.c.commissioner == commissioner)
        .group_by(submissions.c.month, organisations.c.code, organisations.c.name)
        .order_by(submissions.c.month.desc(), organisations.c.name)
    )
    return [
        Charged(month, code, name, count, int(pence))
        for month, code, name, count, pence in connection.execute(query)
    ]
