"""The audit, to be searched by administrators: who did or read what, when, from where."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope
from core.database import tables
from core.vocabulary.permissions import Action

SHOWN = 200


@dataclass(frozen=True)
class AuditSearch:
    """What is looked for; everything that is given must fit."""

    who: str = ""  # part of a name or of what the sign-in calls them
    what: str = ""  # part of the action, the subject or the reason
    since: dt.datetime | None = None
    until: dt.datetime | None = None


@dataclass(frozen=True)
class AuditRow:
    """One thing that was done or read."""

    id: int
    at: dt.datetime
    who: str | None
    action: str
    subject: str
    from_state: str | None
    to_state: str | None
    reason: str | None
    address: str | None
    detail: dict[str, Any] | None


def search_audit(
    connection: Connection, scope: Scope, wanted: AuditSearch, *, limit: int = SHOWN
) -> list[AuditRow]:
    """What fits, the newest first; raises ``NotAllowed`` for who does not manage accounts."""
    scope.require(Action.MANAGE_ACCOUNTS)
    audit, users = tables.audit, tables.users
    names = [name for name in AuditRow.__dataclass_fields__ if name in audit.c]
    query = (
        sa.select(*(audit.c[name] for name in names), users.c.name.label("who"))
        .outerjoin(users, users.c.id == audit.c.user_id)
        .where(*_conditions(wanted))
        .order_by(audit.c.id.desc())
        .limit(limit)
    )
    return [AuditRow(**row) for row in connection.execute(query).mappings()]


def _conditions(wanted: AuditSearch) -> list[sa.ColumnElement[bool]]:
    audit, users = tables.audit, tables.users
    found: list[sa.ColumnElement[bool]] = []
    for word in wanted.who.split():
        said = users.c.name + " " + users.c.subject
        found.append(said.icontains(word, autoescape=True))
    for word in wanted.what.split():
        said = sa.func.concat_ws(" ", audit.c.action, audit.c.subject, audit.c.reason)
        found.append(said.icontains(word, autoescape=True))
    if wanted.since is not None:
        found.append(audit.c.at >= wanted.since)
    if wanted.until is not None:
        found.append(audit.c.at < wanted.until)
    return found
