"""Who may ask for a submitted month to be opened again, and who decides."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.people import Membership, Person
from core.database import tables
from core.submissions.months import SubmissionRow
from core.vocabulary.permissions import Action


def asks_for_resets(person: Person) -> list[Membership]:
    """The commissioners for which the person may ask."""
    return list(person.scope.where(Action.ASK_FOR_RESET, "commissioner"))


def decides_resets(person: Person) -> bool:
    """Whether the person grants and refuses."""
    return person.may(Action.GRANT_RESET)


def hosts_of(connection: Connection, submission: SubmissionRow) -> dict[str, int]:
    """The commissioners that host a clinic with charges in the submitted run: code and
    organisation (docs/decisions/0009-resets.md: the host commissioner asks).

    The database answers by a function of its own: who asks sees none of the others' charges.
    """
    organisations = tables.organisations
    hosts = sa.select(sa.func.run_hosts(submission.run_id))
    query = sa.select(organisations.c.code, organisations.c.id)
    rows = connection.execute(query.where(organisations.c.id.in_(hosts)))
    return {row.code: row.id for row in rows}
