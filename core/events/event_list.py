"""Events as operators see them: what happened, which rules fired, and their outcomes."""

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
    """The outcome of one rule: done, waiting (for its turn or a retry), or failed."""

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
    """Criteria; None matches everything. A name that ends with ``.*``, such as ``submission.*``,
    matches all that begin so."""

    name: str | None = None
    subject: str | None = None
    since: dt.datetime | None = None


def list_events(
    connection: Connection, scope: Scope, criteria: EventSearch, *, limit: int
) -> list[EventRow]:
    """The newest events that match, newest first; for operators, like all functions here."""
    scope.require(Action.OPERATE)
    query = _query().where(*conditions(criteria)).order_by(events.c.id.desc()).limit(limit)
    return _with_rules(connection, query)


def find_events(
    connection: Connection, scope: Scope, criteria: EventSearch, event_ids: Iterable[UUID]
) -> list[EventRow]:
    """The events with these ids that match, oldest first."""
    scope.require(Action.OPERATE)
    query = _query().where(events.c.event_id.in_(list(event_ids)), *conditions(criteria))
    return _with_rules(connection, query.order_by(events.c.id))


def events_after(
    connection: Connection, scope: Scope, criteria: EventSearch, number: int
) -> list[EventRow]:
    """The events written after the one with this number that match, oldest first."""
    scope.require(Action.OPERATE)
    query = _query().where(events.c.id > number, *conditions(criteria))
    return _with_rules(connection, query.order_by(events.c.id))


def conditions(criteria: EventSearch) -> list[sa.ColumnElement[bool]]:
    """The criteria as SQL conditions on ``events``."""
    conditions: list[sa.ColumnElement[bool]] = []
    if criteria.name is not None and criteria.name.endswith(".*"):
        conditions.append(events.c.name.startswith(criteria.name[:-1], autoescape=True))
    elif criteria.name is not None:
        conditions.append(events.c.name == criteria.name)
    if criteria.subject is not None:
        conditions.append(events.c.subject == criteria.subject)
    if criteria.since is not None:
        conditions.append(events.c.raised_at >= criteria.since)
    return conditions


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
    deliveries = connection.execute(
        sa.select(event_deliveries, events.c.delivered_at.is_not(None).label("complete"))
        .join(events, events.c.event_id == event_deliveries.c.event_id)
        .where(event_deliveries.c.event_id.in_(event_ids))
        .order_by(event_deliveries.c.rule)
    )
    rules = defaultdict[UUID, list[RuleOutcome]](list)
    for row in deliveries:
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
    # An event is closed only when none of its rules will be retried.
    return "failed" if row.complete else "waiting"


def _title(name: str, payload: dict[str, Any], subject: str) -> str:
    """The title of the event; of an event of another version, its subject."""
    try:
        return CATALOGUE[name].model_validate(payload).title
    except (KeyError, ValueError):
        return subject
