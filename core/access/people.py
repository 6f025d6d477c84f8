"""A person who is signed in, with their permissions of today.

The sign-in identifies a person; their permissions stand in the database and are read on every run
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
    """A user who is signed in, with their roles of today."""

    id: int
    name: str
    email: str
    memberships: tuple[Membership, ...]
    session: UUID | None = None  # of this sign-in
    address: str | None = None  # IP address of the client

    @property
    def scope(self) -> Scope:
        """What the person may see and do today."""
        return Scope(self.id, self.memberships)

    def may(self, action: Action, organisation_id: int | None = None) -> bool:
        """Whether the person may do it today, in the organisation if one is named."""
        return self.scope.may(action, organisation_id)

    def organisations(self, role: str) -> tuple[Membership, ...]:
        """The providers, or the commissioners, of the person; each once."""
        organisations = {
            each.organisation_id: each for each in self.memberships if each.role == role
        }
        return tuple(organisations.values())

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
    """The person of a sign-in, by its subject and the key of its cookie.

    ``active``: the person did something; a page that only refreshes itself does not count.
    Raises ``NotAdmitted``.
    """
    session = admitted_session(connection, subject, key, active=active)
    return _person(connection, session)


def _person(connection: Connection, session: Session) -> Person:
    act_for(connection, session.user_id)
    memberships = memberships_of(connection, session.user_id)
    return Person(session.user_id, session.name, session.email, memberships, session.id)


def person_of(connection: Connection, user_id: int) -> Person:
    """A user as a person without a sign-in, for tests and the demonstration."""
    row = connection.execute(sa.select(tables.users).where(tables.users.c.id == user_id)).one()
    return Person(row.id, row.name, row.email or "", memberships_of(connection, user_id))
