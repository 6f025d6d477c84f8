"""Events as operators look at them: what happened, which rules fired, what came of each."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope
from core.database.tables import event_deliveries, events, users
from core.vocabulary.event_catalogue import CATALOGUE
from core.vocabulary.permissions import Action

Outcome = Literal["done", "waiting", "failed"]


@dataclass(frozen=True)
class RuleOutcome:
    """What came of one rule: done, waiting for its turn (or another try), or failed."""

    rule: str
    target: str
    outcome: Outcome
    flow_run: UUID | None
    failure: str | None
    attempts: int


@dataclass(frozen=True)
class EventRow:
    """An event of the outbox. ``complete``: every rule was carried out."""

    id: int
    event_id: UUID
    name: str
    subject: str
    title: str
    raised_at: dt.datetime
    user_id: int | None
    raised_by: str | None
    complete: bool
    payload: dict[str, Any]
    rules: tuple[RuleOutcome, ...]


@dataclass(frozen=True)
class EventSearch:
    """What to look for; what is None is not looked at. A name that ends with a dot and a star, as
    ``submission.*``, stands for all that begin with it."""

    name: str | None = None
    subject: str | None = None
    since: dt.datetime | None = None


def list_events(
    connection: Connection, scope: Scope, wanted: EventSearch, *, limit: int
) -> list[EventRow]:
    """The newest events that fit, newest first; for operators, as all of these."""
    scope.require(Action.OPERATE)
    query = _query().where(*conditions(wanted)).order_by(events.c.id.desc()).limit(limit)
    return _with_rules(connection, query)


def find_events(
    connection: Connection, scope: Scope, wanted: EventSearch, event_ids: Iterable[UUID]
) -> list[EventRow]:
    """Those of the events with these ids that fit, oldest first."""
    scope.require(Action.OPERATE)
    query = _query().where(events.c.event_id.in_(list(event_ids)), *conditions(wanted))
    return _with_rules(connection, query.order_by(events.c.id))


def events_after(
    connection: Connection, scope: Scope, wanted: EventSearch, number: int
) -> list[EventRow]:
    """The events written after the one with that number that fit, oldest first."""
    scope.require(Action.OPERATE)
    query = _query().where(events.c.id > number, *conditions(wanted))
    return _with_rules(connection, query.order_by(events.c.id))


def conditions(wanted: EventSearch) -> list[sa.ColumnElement[bool]]:
    """The search as SQL on ``events``."""
    found: list[sa.ColumnElement[bool]] = []
    if wanted.name is not None and wanted.name.endswith(".*"):
        found.append(events.c.name.startswith(wanted.name[:-1], autoescape=True))
    elif wanted.name is not None:
        found.append(events.c.name == wanted.name)
    if wanted.subject is not None:
        found.append(events.c.subject == wanted.subject)
    if wanted.since is not None:
        found.append(events.c.raised_at >= wanted.since)
    return found


def _query() -> sa.Select[Any]:
    by = users.c.name.label("raised_by")
    return sa.select(events, by).outerjoin(users, users.c.id == events.c.user_id)


def _with_rules(connection: Connection, query: sa.Select[Any]) -> list[EventRow]:
    rows = connection.execute(query).all()
    rules = _rules(connection, [row.event_id for row in rows])
    return [
        EventRow(
            id=row.id,
            event_id=row.event_id,
            name=row.name,
            subject=row.subject,
            title=_title(row.name, row.payload, row.subject),
            raised_at=row.raised_at,
            user_id=row.user_id,
            raised_by=row.raised_by,
            complete=row.delivered_at is not None,
            payload=row.payload,
            rules=tuple(rules[row.event_id]),
        )
        for row in rows
    ]


def _rules(connection: Connection, event_ids: Sequence[UUID]) -> dict[UUID, list[RuleOutcome]]:
    found = connection.execute(
        sa.select(event_deliveries, events.c.delivered_at.is_not(None).label("complete"))
        .join(events, events.c.event_id == event_deliveries.c.event_id)
        .where(event_deliveries.c.event_id.in_(event_ids))
        .order_by(event_deliveries.c.rule)
    )
    rules = defaultdict[UUID, list[RuleOutcome]](list)
    for row in found:
        flow_run = (row.result or {}).get("flow_run")
        rules[row.event_id].append(
            RuleOutcome(
                rule=row.rule,
                target=row.target,
                outcome=_outcome(row),
                flow_run=UUID(flow_run) if flow_run else None,
                failure=row.failure,
                attempts=row.attempts,
            )
        )
    return rules


def _outcome(row: Any) -> Outcome:
    if row.delivered_at is not None:
        return "done"
    # An event is closed only when none of its rules is to be tried again.
    return "failed" if row.complete else "waiting"


def _title(name: str, payload: dict[str, Any], subject: str) -> str:
    """The subject in words; that of an event of another version is its subject."""
    try:
        return CATALOGUE[name].model_validate(payload).title
    except (KeyError, ValueError):
        return subject
