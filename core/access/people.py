"""A person who came in, with what they may do today.

The sign-in says who a person is; what they may do stands in the database and is read on every run
of a page and on every request.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Membership, Scope, memberships_of
from core.access.sessions import NotAdmitted, Session, admitted_session
from core.database import tables
from core.database.acting import act_for
from core.vocabulary.permissions import Action

__all__ = ["Membership", "NotAdmitted", "Person", "admit", "person_of"]


@dataclass(frozen=True)
class Person:
    """A user who may come in, with their roles today."""

    id: int
    name: str
    email: str
    memberships: tuple[Membership, ...]
    session: UUID | None = None  # of this sign-in
    address: str | None = None  # where the person is

    @property
    def scope(self) -> Scope:
        """What the person may see and do today."""
        return Scope(self.id, self.memberships)

    def may(self, action: Action, organisation_id: int | None = None) -> bool:
        """Whether the person may do it today, in that organisation where one is named."""
        return self.scope.may(action, organisation_id)

    def organisations(self, role: str) -> tuple[Membership, ...]:
        """The providers, or the commissioners, of the person; each once."""
        found = {each.organisation_id: each for each in self.memberships if each.role == role}
        return tuple(found.values())

    @property
    def provider_ids(self) -> list[int]:
        return self.scope.ids(None, "provider")

    @property
    def is_of_an_organisation(self) -> bool:
        """Whether any of the roles is of a provider or a commissioner."""
        return any(each.organisation_id is not None for each in self.memberships)

    @property
    def runs_the_service(self) -> bool:
        """Whether the person sees processes: queues, runs, what failed."""
        return self.may(Action.OPERATE)


def admit(connection: Connection, subject: str, key: str, *, active: bool = True) -> Person:
    """The person whom a sign-in names, by the subject and the key of its cookie.

    ``active``: somebody does something; a page that only keeps itself up to date does not count.
    Raises ``NotAdmitted``.
    """
    found = admitted_session(connection, subject, key, active=active)
    return _person(connection, found)


def _person(connection: Connection, found: Session) -> Person:
    act_for(connection, found.user_id)
    memberships = memberships_of(connection, found.user_id)
    return Person(found.user_id, found.name, found.email, memberships, found.id)


def person_of(connection: Connection, user_id: int) -> Person:
    """A user as a person, for who acts without a sign-in: tests and the demonstration."""
    row = connection.execute(sa.select(tables.users).where(tables.users.c.id == user_id)).one()
    return Person(row.id, row.name, row.email or "", memberships_of(connection, user_id))
