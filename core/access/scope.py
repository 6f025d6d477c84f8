"""What a person may see and do today: the one place that computes it.

Every query that answers a person takes a scope, and every change asks the scope of the user who
makes it. The database limits the same person by the same table again (``core.database.access``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.user_errors import UserError
from core.vocabulary.permissions import PERMISSIONS, Action, Kind


class NotAllowed(UserError):
    """No subscription in force allows it."""

    def __init__(self, action: Action) -> None:
        self.action = action
        super().__init__(
            f"Your subscriptions do not allow this here ({action}). Ask your administrator."
        )


@dataclass(frozen=True)
class Membership:
    """A role of today, in an organisation where its kind belongs to one."""

    role: str  # provider | commissioner | administrator | operator
    organisation_id: int | None
    code: str | None
    name: str | None
    kind: Kind

    def allows(self, action: Action) -> bool:
        return action in PERMISSIONS[self.kind]


@dataclass(frozen=True)
class Scope:
    """Whose it is, and where they may do what; ``unlimited``: the service itself."""

    user_id: int | None
    memberships: tuple[Membership, ...] = ()
    unlimited: bool = False

    def may(self, action: Action, organisation_id: int | None = None) -> bool:
        """Whether the action is allowed, in that organisation where one is named."""
        return self.unlimited or any(
            each.allows(action) and organisation_id in (None, each.organisation_id)
            for each in self.memberships
        )

    def require(self, action: Action, organisation_id: int | None = None) -> None:
        """Raises ``NotAllowed`` unless it is."""
        if not self.may(action, organisation_id):
            raise NotAllowed(action)

    def where(self, action: Action | None, side: str) -> tuple[Membership, ...]:
        """The providers, or the commissioners, in which the action (or anything) is allowed."""
        return tuple(
            each
            for each in self.memberships
            if each.role == side and (action is None or each.allows(action))
        )

    def ids(self, action: Action | None, side: str = "provider") -> list[int]:
        """The same, as ids of organisations."""
        return list(_ids(self.where(action, side)))

    def codes(self, action: Action | None, side: str = "commissioner") -> list[str]:
        """The same, as their codes."""
        return [str(each.code) for each in self.where(action, side)]

    def limits(
        self, column: sa.ColumnElement[Any], action: Action | None, side: str = "provider"
    ) -> sa.ColumnElement[bool]:
        """The condition that keeps a query to the organisations of the scope, by their ids."""
        return sa.true() if self.unlimited else column.in_(self.ids(action, side))


EVERYTHING = Scope(None, unlimited=True)
"""The service itself: flows, relay and sender, and the command line of who runs it."""
NOTHING = Scope(None)


def scope_of(connection: Connection, user_id: int | None) -> Scope:
    """The scope of a user today; None: the service acts by itself."""
    if user_id is None:
        return EVERYTHING
    return Scope(user_id, memberships_of(connection, user_id))


def memberships_of(connection: Connection, user_id: int) -> tuple[Membership, ...]:
    """The roles that subscriptions in force today give a user, by organisation."""
    held, organisations = tables.memberships, tables.organisations
    query = (
        sa.select(
            held.c.role, held.c.organisation_id, organisations.c.code, organisations.c.name,
            held.c.kind,
        )
        .distinct()
        .outerjoin(organisations, organisations.c.id == held.c.organisation_id)
        .where(held.c.user_id == user_id)
        .order_by(organisations.c.code, held.c.kind)
    )  # fmt: skip
    return tuple(
        Membership(row.role, row.organisation_id, row.code, row.name, Kind(row.kind))
        for row in connection.execute(query)
    )


def require(
    connection: Connection, user_id: int | None, action: Action, organisation_id: int | None = None
) -> None:
    """Raises ``NotAllowed`` unless the user may do it today; the service itself may."""
    scope_of(connection, user_id).require(action, organisation_id)


def _ids(memberships: tuple[Membership, ...]) -> Iterator[int]:
    """Each organisation once: two subscriptions may give it."""
    found = dict.fromkeys(each.organisation_id for each in memberships)
    return (each for each in found if each is not None)
