"""Who is signed in, and for which organisations they may act.

The sign-in says who a person is; what they may do stands in the database and is read on every run
of a page and on every request, because the sign-in cookie outlives sign-out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.user_errors import UserError


@dataclass(frozen=True)
class Membership:
    """A role, in an organisation where the role belongs to one."""

    role: str
    organisation_id: int | None
    code: str | None
    name: str | None


@dataclass(frozen=True)
class Person:
    """A user who may come in, with their roles today."""

    id: int
    name: str
    email: str
    memberships: tuple[Membership, ...]

    def organisations(self, role: str) -> tuple[Membership, ...]:
        """The organisations in which the person has the role."""
        return tuple(each for each in self.memberships if each.role == role)

    @property
    def provider_ids(self) -> list[int]:
        return [
            each.organisation_id
            for each in self.organisations("provider")
            if each.organisation_id is not None
        ]

    @property
    def runs_the_service(self) -> bool:
        """Whether the person is an operator or an administrator: sees processes, not patients."""
        return any(each.role in ("operator", "administrator") for each in self.memberships)


class NotAdmitted(UserError):
    """The sign-in does not open the door, and why."""


def admit(connection: Connection, claims: Mapping[str, Any], *, now: dt.datetime) -> Person:
    """The person whom the claims of a sign-in name; raises ``NotAdmitted``."""
    users = tables.users
    row = connection.execute(
        sa.select(users).where(users.c.subject == str(claims.get("sub", "")))
    ).first()
    if row is None:
        raise NotAdmitted(
            "You are signed in, but Grouper does not know you yet. Ask your administrator."
        )
    if not row.active:
        raise NotAdmitted("Your access has been ended. Ask your administrator.")
    if _is_stale(claims, row.signed_out_at, now):
        raise NotAdmitted("You have been signed out. Sign in again.")
    return Person(row.id, row.name, row.email or "", _memberships(connection, row.id))


def sign_out(connection: Connection, user_id: int) -> None:
    """Ends every sign-in of the user, in all browsers: their cookies are void from now on."""
    connection.execute(
        tables.users.update()
        .where(tables.users.c.id == user_id)
        .values(signed_out_at=sa.func.now())
    )
    connection.execute(
        tables.audit.insert().values(
            user_id=user_id, action="signed out", subject=f"user:{user_id}"
        )
    )


def _is_stale(
    claims: Mapping[str, Any], signed_out_at: dt.datetime | None, now: dt.datetime
) -> bool:
    """Whether the sign-in has expired, or was made before the user signed out."""
    issued, expires = claims.get("iat"), claims.get("exp")
    if issued is None or expires is None or now.timestamp() >= float(expires):
        return True
    return signed_out_at is not None and float(issued) <= int(signed_out_at.timestamp())


def _memberships(connection: Connection, user_id: int) -> tuple[Membership, ...]:
    memberships, organisations = tables.memberships, tables.organisations
    query = (
        sa.select(
            memberships.c.role,
            memberships.c.organisation_id,
            organisations.c.code,
            organisations.c.name,
        )
        .outerjoin(organisations, organisations.c.id == memberships.c.organisation_id)
        .where(memberships.c.user_id == user_id)
        .order_by(organisations.c.code)
    )
    return tuple(Membership(*row) for row in connection.execute(query))
