"""Users: added by an administrator, identified by the subject of their sign-in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import ARRAY, array

from core.access.audit import note
from core.access.scope import Scope, require
from core.access.sessions import revoke_all
from core.database import tables
from core.user_errors import UserError
from core.vocabulary.permissions import Action

NO_ROLES: sa.ColumnElement[Any] = sa.cast(array([]), ARRAY(sa.Text))


@dataclass(frozen=True)
class UserRow:
    """A user as administrators see it."""

    id: int
    subject: str
    name: str
    email: str | None
    active: bool
    roles: list[str]  # of today, in words
    last_seen: dt.datetime | None


def add_user(
    connection: Connection, subject: str, name: str, email: str | None, *, user_id: int | None
) -> int:
    """Adds a user without a role; returns the id. Raises ``UserError`` if the user exists."""
    require(connection, user_id, Action.MANAGE_ACCOUNTS)
    subject, name = subject.strip(), name.strip()
    if not subject or not name:
        raise UserError("A user has a name, and what the sign-in calls them (the claim `sub`).")
    users = tables.users
    if connection.execute(sa.select(users.c.id).where(users.c.subject == subject)).first():
        raise UserError(f"{subject} is a user already.")
    values = {"subject": subject, "name": name, "email": (email or "").strip() or None}
    number = connection.execute(users.insert().values(values).returning(users.c.id)).scalar_one()
    note(connection, "user added", f"user:{number}", user_id=user_id, name=name)
    return int(number)


def end_user(connection: Connection, of_user: int, *, user_id: int | None) -> None:
    """Deactivates a user and ends their sessions; their subscriptions are unchanged."""
    _set_active(connection, of_user, False, user_id)
    revoke_all(connection, of_user, user_id=user_id)


def reactivate_user(connection: Connection, of_user: int, *, user_id: int | None) -> None:
    """Reactivates a user."""
    _set_active(connection, of_user, True, user_id)


def find_user(connection: Connection, subject: str) -> int:
    """The id of a user by the subject of the sign-in; raises ``UserError``."""
    users = tables.users
    number = connection.execute(sa.select(users.c.id).where(users.c.subject == subject)).scalar()
    if number is None:
        raise UserError(
            f"There is no user {subject!r}. `grouper users list` shows those there are."
        )
    return int(number)


def list_users(connection: Connection, scope: Scope, *, search: str = "") -> list[UserRow]:
    """Users by name, with their roles of today."""
    scope.require(Action.MANAGE_ACCOUNTS)
    users, held, organisations = tables.users, tables.memberships, tables.organisations
    role = held.c.kind + sa.func.coalesce(", " + organisations.c.name, "")
    roles = (
        sa.select(sa.func.coalesce(sa.func.array_agg(sa.distinct(role)), NO_ROLES))
        .select_from(held.outerjoin(organisations, organisations.c.id == held.c.organisation_id))
        .where(held.c.user_id == users.c.id)
        .scalar_subquery()
    )
    sessions = tables.sessions
    seen = (
        sa.select(sa.func.max(sessions.c.seen_at))
        .where(sessions.c.user_id == users.c.id)
        .scalar_subquery()
    )
    columns = (users.c.id, users.c.subject, users.c.name, users.c.email, users.c.active)
    query = sa.select(*columns, roles, seen).order_by(users.c.name, users.c.id)
    for word in search.split():
        text = users.c.name + " " + users.c.subject + " " + sa.func.coalesce(users.c.email, "")
        query = query.where(text.icontains(word, autoescape=True))
    return [UserRow(*row) for row in connection.execute(query)]


def _set_active(connection: Connection, of_user: int, active: bool, user_id: int | None) -> None:
    require(connection, user_id, Action.MANAGE_ACCOUNTS)
    if of_user == user_id:
        raise UserError("Nobody ends their own access: ask another administrator.")
    users = tables.users
    changed = connection.execute(
        users.update().where(users.c.id == of_user, users.c.active != active).values(active=active)
    )
    if not changed.rowcount:
        raise UserError("There is no such user, or nothing to change.")
    what = "user let in again" if active else "user's access ended"
    note(connection, what, f"user:{of_user}", user_id=user_id)
