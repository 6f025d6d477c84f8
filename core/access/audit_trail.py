"""Search in the audit, for administrators: who did or read what, when, from where."""

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
    """Criteria; all that are set must match."""

    who: str = ""  # part of a name or of a subject of sign-in
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
    connection: Connection, scope: Scope, criteria: AuditSearch, *, limit: int = SHOWN
) -> list[AuditRow]:
    """The rows that match, newest first; raises ``NotAllowed`` unless the user manages accounts."""
    scope.require(Action.MANAGE_ACCOUNTS)
    audit, users = tables.audit, tables.users
    names = [name for name in AuditRow.__dataclass_fields__ if name in audit.c]
    query = (
        sa.select(*(audit.c[name] for name in names), users.c.name.label("who"))
        .outerjoin(users, users.c.id == audit.c.user_id)
        .where(*_conditions(criteria))
        .order_by(audit.c.id.desc())
        .limit(limit)
    )
    return [AuditRow(**row) for row in connection.execute(query).mappings()]


def _conditions(criteria: AuditSearch) -> list[sa.ColumnElement[bool]]:
    audit, users = tables.audit, tables.users
    conditions: list[sa.ColumnElement[bool]] = []
    for word in criteria.who.split():
        text = users.c.name + " " + users.c.subject
        conditions.append(text.icontains(word, autoescape=True))
    for word in criteria.what.split():
        text = sa.func.concat_ws(" ", audit.c.action, audit.c.subject, audit.c.reason)
        conditions.append(text.icontains(word, autoescape=True))
    if criteria.since is not None:
        conditions.append(audit.c.at >= criteria.since)
    if criteria.until is not None:
        conditions.append(audit.c.at < criteria.until)
    return conditions
