"""What a person may see and do today, computed in this one place.

Every query on behalf of a person takes a scope, and every change checks the scope of its user. The
database applies the same permissions a second time (``core.database.access``).
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
    """A role of today; in an organisation, if its kind belongs to one."""

    role: str  # provider | commissioner | administrator | operator
    organisation_id: int | None
    code: str | None
    name: str | None
    kind: Kind

    def allows(self, action: Action) -> bool:
        return action in PERMISSIONS[self.kind]


@dataclass(frozen=True)
class Scope:
    """A user and their memberships; ``unlimited``: the service itself."""

    user_id: int | None
    memberships: tuple[Membership, ...] = ()
    unlimited: bool = False

    def may(self, action: Action, organisation_id: int | None = None) -> bool:
        """Whether the action is allowed, in the organisation if one is named."""
        return self.unlimited or any(
            each.allows(action) and organisation_id in (None, each.organisation_id)
            for each in self.memberships
        )

    def require(self, action: Action, organisation_id: int | None = None) -> None:
        """Raises ``NotAllowed`` unless the action is allowed."""
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
        """The ids of the organisations in which the action is allowed."""
        return list(_ids(self.where(action, side)))

    def codes(self, action: Action | None, side: str = "commissioner") -> list[str]:
        """The codes of the organisations in which the action is allowed."""
        return [str(each.code) for each in self.where(action, side)]

    def limits(
        self, column: sa.ColumnElement[Any], action: Action | None, side: str = "provider"
    ) -> sa.ColumnElement[bool]:
        """The condition that keeps a query to the organisations of the scope, by their ids."""
        return sa.true() if self.unlimited else column.in_(self.ids(action, side))


EVERYTHING = Scope(None, unlimited=True)
"""The service itself: flows, relay, sender, and the command line of its operator."""
NOTHING = Scope(None)


def scope_of(connection: Connection, user_id: int | None) -> Scope:
    """The scope of a user today; None: the service acts by itself."""
    if user_id is None:
        return EVERYTHING
    return Scope(user_id, memberships_of(connection, user_id))


def memberships_of(connection: Connection, user_id: int) -> tuple[Membership, ...]:
    """The roles of a user from subscriptions in force today, by organisation."""
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
    """Each organisation once: two subscriptions may include it."""
    organisation_ids = dict.fromkeys(each.organisation_id for each in memberships)
    return (each for each in organisation_ids if each is not None)
