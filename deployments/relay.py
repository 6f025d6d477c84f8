"""Carries the events of the outbox to what the rules say, once for each event and rule.

A run is created with a key made of event and rule, then the delivery is written: killed in between,
the relay asks again and gets the run it made before. An event is never lost and never acts twice.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, Update, func, select
from sqlalchemy.dialects.postgresql import insert

from core.database.tables import event_deliveries, events, log_posts
from core.events.catalogue import Event
from core.events.outbox import read_event
from deployments.prefect_api import PrefectApi, RefusedError, ServerAwayError
from deployments.reactions import REACTIONS
from deployments.rules import Rule, Rules, fill

log = logging.getLogger("grouper.relay")

BATCH = 200
REFUSED_ATTEMPTS = 3
"""So often a delivery that was refused is tried; then it stays in the list of failures."""


@dataclass(frozen=True)
class Raised:
    """An event as it stands in the outbox."""

    id: int
    event_id: UUID
    event: Event
    raised_at: Any

    def key(self, rule: Rule, attempt: int = 1) -> str:
        """The idempotency key of the run that a rule makes of it."""
        first = f"{self.event_id}:{rule.name}"
        return first if attempt == 1 else f"{first}:{attempt}"

    @property
    def tags(self) -> list[str]:
        """What operators filter runs by."""
        return [self.event.subject, self.event.name]


class Relay:
    """Delivers what is in the outbox of one database to one Prefect server."""

    def __init__(self, engine: Engine, api: PrefectApi, rules: Rules) -> None:
        self.engine = engine
        self.api = api
        self.rules = rules

    def deliver_pending(self) -> int:
        """Delivers all that waits, oldest first; gives how many events are now complete.

        Raises ``ServerAwayError`` after having delivered what needs no server.
        """
        delivered, last, away = 0, 0, None
        while waiting := self._waiting(after=last):
            for number in waiting:
                try:
                    delivered += self.deliver(number)
                except ServerAwayError as error:
                    away = error
            last = waiting[-1]
        if away is not None:
            raise away
        return delivered

    def deliver(self, number: int) -> bool:
        """Carries out the rules for one event that were not yet; whether it is now complete.

        Raises ``ServerAwayError`` where a rule needs the server, after carrying out the others.
        """
        with self.engine.begin() as connection:
            raised = _take(connection, number)
            if raised is None:
                return False
            away = self._carry_out(connection, raised)
            if away is None:
                _complete(connection, raised)
        if away is not None:
            raise away
        self._show(raised)
        return True

    def _waiting(self, after: int) -> list[int]:
        wanted = (
            select(events.c.id)
            .where(events.c.delivered_at.is_(None), events.c.id > after)
            .order_by(events.c.id)
            .limit(BATCH)
        )
        with self.engine.connect() as connection:
            return list(connection.execute(wanted).scalars())

    def _carry_out(self, connection: Connection, raised: Raised) -> Exception | None:
        """The rules still open; the error that keeps the event from being complete, if any."""
        done = _done(connection, raised)
        open_error: Exception | None = None
        for rule in self.rules.for_event(raised.event.name):
            if rule.name in done:
                continue
            try:
                result = self._act(connection, raised, rule)
            except ServerAwayError as error:
                open_error = error
            except RefusedError as error:
                if record_failure(connection, raised, rule, str(error)) < REFUSED_ATTEMPTS:
                    open_error = ServerAwayError(str(error))
                log.error("%s: rule %s was refused: %s", raised.event.subject, rule.name, error)
            else:
                record_delivery(connection, raised, rule, result)
        return open_error

    def _act(self, connection: Connection, raised: Raised, rule: Rule) -> dict[str, Any]:
        target = rule.target
        if target.queue:
            return {"flow_run": str(self.start_run(raised, rule))}
        if target.log:
            return {"log_post": _post(connection, raised, target.log.group)}
        _react(connection, raised, target.function or "")
        return {}

    def start_run(self, raised: Raised, rule: Rule, attempt: int = 1) -> UUID:
        """Creates the flow run of a rule, or finds the one that was made before."""
        queue = rule.target.queue
        if queue is None:
            raise ValueError(f"rule {rule.name} has no queue")
        return self.api.create_run(
            queue.deployment,
            parameters=fill(queue.parameters, raised.event),
            name=fill(queue.run_name, raised.event),
            key=raised.key(rule, attempt),
            tags=raised.tags,
        )

    def _show(self, raised: Raised) -> None:
        """Puts the event on Prefect's feed, for operators' eyes; nothing depends on it."""
        try:
            self.api.emit(as_prefect_event(raised))
        except (ServerAwayError, RefusedError) as error:
            log.info("%s is not on Prefect's feed: %s", raised.event.subject, error)


def as_prefect_event(raised: Raised) -> dict[str, Any]:
    """The event as Prefect's feed shows it."""
    return {
        "id": str(raised.event_id),
        "occurred": raised.raised_at.isoformat(),
        "event": f"grouper.{raised.event.name}",
        "resource": {
            "prefect.resource.id": f"grouper.{raised.event.subject.replace('/', '.')}",
            "prefect.resource.name": raised.event.title,
        },
        "payload": raised.event.model_dump(mode="json"),
    }


def _take(connection: Connection, number: int) -> Raised | None:
    """The event, locked; None if another relay has it or it is complete."""
    row = connection.execute(
        select(events)
        .where(events.c.id == number, events.c.delivered_at.is_(None))
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if row is None:
        return None
    try:
        return raised_from(row)
    except (KeyError, ValidationError):
        # Written by another version; it is closed, so that those behind it are not held up.
        log.exception("event %s (%s) cannot be read and is set aside", row.event_id, row.name)
        connection.execute(_closed(number))
        return None


def raised_from(row: Any) -> Raised:
    return Raised(row.id, row.event_id, read_event(row.name, row.payload), row.raised_at)


def _done(connection: Connection, raised: Raised) -> set[str]:
    """Rules carried out, and rules given up after being refused too often."""
    table = event_deliveries.c
    closed = table.delivered_at.is_not(None) | (table.attempts >= REFUSED_ATTEMPTS)
    wanted = select(table.rule).where(table.event_id == raised.event_id, closed)
    return set(connection.execute(wanted).scalars())


def record_delivery(
    connection: Connection, raised: Raised, rule: Rule, result: dict[str, Any], attempts: int = 1
) -> None:
    """Writes what a rule led to."""
    values = {
        "result": result,
        "attempts": attempts,
        "failure": None,
        "delivered_at": func.now(),
    }
    connection.execute(_upsert(raised, rule, values))


def record_failure(connection: Connection, raised: Raised, rule: Rule, failure: str) -> int:
    """Counts an attempt that was refused; gives the number of attempts so far."""
    again = {"failure": failure, "attempts": event_deliveries.c.attempts + 1}
    statement = (
        insert(event_deliveries)
        .values(event_id=raised.event_id, rule=rule.name, target=str(rule.target), failure=failure)
        .on_conflict_do_update(index_elements=["event_id", "rule"], set_=again)
    )
    attempts = connection.execute(statement.returning(event_deliveries.c.attempts)).scalar_one()
    return int(attempts)


def _upsert(raised: Raised, rule: Rule, values: dict[str, Any]) -> Any:
    fixed = {"event_id": raised.event_id, "rule": rule.name, "target": str(rule.target)}
    return (
        insert(event_deliveries)
        .values(**fixed, **values)
        .on_conflict_do_update(index_elements=["event_id", "rule"], set_=values)
    )


def _complete(connection: Connection, raised: Raised) -> None:
    connection.execute(_closed(raised.id))


def _closed(number: int) -> Update:
    return events.update().where(events.c.id == number).values(delivered_at=func.now())


def _react(connection: Connection, raised: Raised, name: str) -> None:
    """Calls a reaction; one that fails undoes what it wrote and counts as refused."""
    try:
        with connection.begin_nested():
            REACTIONS[name](connection, raised.event_id, raised.event)
    except Exception as error:
        log.exception("%s: reaction %s failed", raised.event.subject, name)
        raise RefusedError(f"{name}: {error}") from error


def _post(connection: Connection, raised: Raised, group: str) -> str:
    connection.execute(
        insert(log_posts)
        .values(
            log_group=group,
            subject=raised.event.subject,
            text=f"{raised.event.name}: {raised.event.title}",
            event_id=raised.event_id,
        )
        .on_conflict_do_nothing()
    )
    return group
