"""Who may ask for a submitted month to be opened again, and who decides."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.people import Membership, Person
from core.database import tables
from core.submissions.months import SubmissionRow
from core.vocabulary.permissions import Action


def asking_commissioners(person: Person) -> list[Membership]:
    """The commissioners for which the person may ask."""
    return list(person.scope.where(Action.ASK_FOR_RESET, "commissioner"))


def may_decide_resets(person: Person) -> bool:
    """Whether the person may grant and refuse requests."""
    return person.may(Action.GRANT_RESET)


def hosts_of(connection: Connection, submission: SubmissionRow) -> dict[str, int]:
    """The commissioners that host a clinic with charges in the submitted run: code and
    organisation (docs/decisions/0009-resets.md: the host commissioner asks).

    A function of the database answers, because the person may not see the charges of others.
    """
    organisations = tables.organisations
    hosts = sa.select(sa.func.run_hosts(submission.run_id))
    query = sa.select(organisations.c.code, organisations.c.id)
    rows = connection.execute(query.where(organisations.c.id.in_(hosts)))
    return {row.code: row.id for row in rows}
