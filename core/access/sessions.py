"""Sign-ins: a session ends by time, with its user, or when an administrator ends it.

The cookie holds a key; the database holds its hash. The cookie of a session that has ended is
refused, and the refusal is audited.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.audit import note
from core.access.scope import Scope, require
from core.database import tables
from core.database.acting import act_for
from core.settings import settings
from core.user_errors import UserError
from core.vocabulary.permissions import Action

SEEN_SECONDS = 30
"""The resolution of ``seen_at``; a finer one would write a row with every click."""

UNKNOWN = "unknown"
REASONS: Mapping[str, str] = {
    UNKNOWN: "You are signed in, but Grouper does not know you yet. Ask your administrator.",
    "user ended": "Your access has been ended. Ask your administrator.",
    "no session": "This sign-in is not known. Sign in again.",
    "of another": "This sign-in is not known. Sign in again.",
    "signed out": "You have been signed out. Sign in again.",
    "revoked": "An administrator has ended this sign-in. Sign in again.",
    "idle": "You were away for long. Sign in again.",
    "expired": "Your sign-in has expired. Sign in again.",
    "forged": "This sign-in is not valid. Sign in again.",
}
"""Why a sign-in is refused, with the text that the user reads."""


class NotAdmitted(UserError):
    """The sign-in is refused; ``reason`` is a key of ``REASONS``."""

    def __init__(self, reason: str, *, user_id: int | None = None, text: str | None = None) -> None:
        self.reason = reason
        self.user_id = user_id
        super().__init__(text or REASONS.get(reason, reason))


@dataclass(frozen=True)
class Session:
    """A session with its user."""

    id: UUID
    user_id: int
    name: str
    email: str


@dataclass(frozen=True)
class SessionRow:
    """A session as an administrator, or its user, sees it."""

    id: UUID
    user_id: int
    user_name: str
    started_at: dt.datetime
    seen_at: dt.datetime
    expires_at: dt.datetime
    ended_at: dt.datetime | None
    end_reason: str | None
    address: str | None
    agent: str | None


def begin_session(
    connection: Connection, subject: str, *, address: str | None, agent: str | None
) -> str | None:
    """Begins a session; returns the key for its cookie, or None for an unknown subject.

    A function of the database does it, because no user can be acted for before.
    """
    key = secrets.token_urlsafe(32)
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(hours=settings().session_hours)
    begun = connection.execute(
        sa.text("SELECT begin_session(:subject, :key, :expires, :address, :agent)"),
        {
            "subject": subject,
            "key": hash_of(key),
            "expires": expires,
            "address": address,
            "agent": (agent or "")[:300] or None,
        },
    ).scalar()
    return None if begun is None else key


def admitted_session(connection: Connection, subject: str, key: str, *, active: bool) -> Session:
    """The session of a cookie, marked as in use; raises ``NotAdmitted``."""
    row = connection.execute(
        sa.text("SELECT * FROM session_of(:subject, :key)"),
        {"subject": subject, "key": hash_of(key)},
    ).one()
    reason = _refusal(row, dt.datetime.now(dt.UTC))
    if reason is not None:
        raise NotAdmitted(reason, user_id=row.user_id)
    act_for(connection, row.user_id)
    if active:
        _note_use(connection, row.id)
    return Session(row.id, row.user_id, row.name, row.email or "")


def _refusal(row: sa.Row[tuple[object, ...]], now: dt.datetime) -> str | None:
    if row.user_id is None:
        return UNKNOWN
    if not row.active:
        return "user ended"
    if row.id is None:
        return "no session"
    if row.ended_at is not None:
        return str(row.end_reason)
    if now >= row.expires_at:
        return "expired"
    idle = dt.timedelta(minutes=settings().session_idle_minutes)
    return "idle" if now - row.seen_at >= idle else None


def _note_use(connection: Connection, session_id: UUID) -> None:
    sessions = tables.sessions
    long_ago = sa.func.now() - dt.timedelta(seconds=SEEN_SECONDS)
    connection.execute(
        sessions.update()
        .where(sessions.c.id == session_id, sessions.c.seen_at < long_ago)
        .values(seen_at=sa.func.now())
    )


def sign_out(connection: Connection, session_id: UUID, *, user_id: int) -> None:
    """Ends a session on behalf of its user; its cookie is void from now on."""
    _end(connection, tables.sessions.c.id == session_id, "signed out", user_id)


def revoke_session(connection: Connection, session_id: UUID, *, user_id: int | None) -> int:
    """Ends one session on behalf of an administrator; returns how many it ended."""
    require(connection, user_id, Action.MANAGE_ACCOUNTS)
    return _end(connection, tables.sessions.c.id == session_id, "revoked", user_id)


def revoke_all(connection: Connection, of_user: int, *, user_id: int | None) -> int:
    """Ends every session of a user on behalf of an administrator; returns how many it ended."""
    require(connection, user_id, Action.MANAGE_ACCOUNTS)
    return _end(connection, tables.sessions.c.user_id == of_user, "revoked", user_id)


def _end(
    connection: Connection, which: sa.ColumnElement[bool], reason: str, user_id: int | None
) -> int:
    sessions = tables.sessions
    ended = connection.execute(
        sessions.update()
        .where(which, sessions.c.ended_at.is_(None))
        .values(ended_at=sa.func.now(), end_reason=reason, ended_by=user_id)
        .returning(sessions.c.id, sessions.c.user_id)
    ).all()
    for session_id, of_user in ended:
        subject = f"session:{session_id}"
        note(connection, f"sign-in {reason}", subject, user_id=user_id, of_user=of_user)
    return len(ended)


def sessions_in_use(
    connection: Connection, scope: Scope, *, of_user: int | None = None
) -> list[SessionRow]:
    """The sessions that have not ended, newest first: for managers of accounts those of everybody,
    for others their own."""
    sessions, users = tables.sessions, tables.users
    columns = [sessions.c[name] for name in SessionRow.__dataclass_fields__ if name != "user_name"]
    query = (
        sa.select(*columns, users.c.name.label("user_name"))
        .join(users, users.c.id == sessions.c.user_id)
        .where(sessions.c.ended_at.is_(None), sessions.c.expires_at > sa.func.now())
        .order_by(sessions.c.started_at.desc())
    )
    if not scope.may(Action.MANAGE_ACCOUNTS):
        query = query.where(sessions.c.user_id == scope.user_id)
    if of_user is not None:
        query = query.where(sessions.c.user_id == of_user)
    return [SessionRow(**row) for row in connection.execute(query).mappings()]


def note_refusal(
    connection: Connection,
    subject: str,
    reason: str,
    *,
    user_id: int | None,
    agent: str | None,
    cookie: str | None = None,
) -> None:
    """Audits a refusal: a cookie or a link is forged, expired or belongs to another user.

    ``cookie`` identifies a cookie: every open page sends it again, so a refusal is noted once a
    minute.
    """
    once = None if cookie is None else _once_a_minute(f"{reason} {cookie}")
    note(
        connection, "refused", subject,
        user_id=user_id, reason=reason, once=once, agent=(agent or "")[:300],
    )  # fmt: skip


def _once_a_minute(what: str) -> str:
    return f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} {hash_of(what)}"


def hash_of(key: str) -> str:
    """The hash of a key, which the database stores."""
    return hashlib.sha256(key.encode()).hexdigest()
