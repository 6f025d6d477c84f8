"""Delivers the events of the outbox by the rules, once for each event and rule.

An event is routed first: posts and reactions are carried out, and what needs a run waits for its
turn on its queue. A run is created with a key made of event and rule, then the delivery is written:
killed in between, the relay asks again and gets the run it made before. An event is never lost and
never acts twice.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, func, select

from core.database.tables import event_deliveries, events
from core.events.failed_deliveries import fail_delivery
from core.events.log_groups import post
from core.events.runs_created import tell_workers
from core.support.faults import Fault
from deployments.deliveries import (
    OPEN,
    REFUSED_ATTEMPTS,
    Raised,
    close_if_complete,
    close_routing,
    raised_from,
    record_delivery,
    record_failure,
    route_again_without,
    rules_done,
    set_aside,
    wait_for_turn,
)
from deployments.prefect_api import PrefectApi, RefusedError, ServerAwayError
from deployments.queues import Place, Queues, load_queues
from deployments.reactions import REACTIONS
from deployments.rules import Rule, Rules, fill
from deployments.turns import PORTION, Waiting, due, party_of, waiting

log = logging.getLogger("grouper.relay")

BATCH = 200


class Relay:
    """Delivers what is in the outbox of one database to one Prefect server."""

    def __init__(
        self, engine: Engine, api: PrefectApi, rules: Rules, queues: Queues | None = None
    ) -> None:
        self.engine = engine
        self.api = api
        self.rules = rules
        self.queues = queues or load_queues()
        self.held_back = False  # whether something waits for room on its queue

    def deliver_pending(self) -> int:
        """Routes new events, and starts the runs whose turn it is; returns how many events are now
        complete.

        Raises ``ServerAwayError`` after delivering what needs no server.
        """
        complete, trouble = 0, list[ServerAwayError]()
        moves = True
        while moves and not trouble:
            routed = self._route_new(trouble)
            started = self._start_due(trouble)
            shown = self._show_new(trouble)
            complete += sum(routed) + sum(started)
            moves = bool(routed or started or shown)
        if trouble:
            raise trouble[0]
        return complete

    def forget_gone_rules(self) -> None:
        """Routes again the deliveries that wait under a rule that is no longer in the file."""
        names = [rule.name for rule in self.rules.rules if rule.target.queue]
        with self.engine.begin() as connection:
            rerouted = route_again_without(connection, names)
        if rerouted:
            log.warning("%s deliveries waited under rules that are gone; routed anew", rerouted)

    def _route_new(self, trouble: list[ServerAwayError]) -> list[bool]:
        """For each event that was routed, whether it is complete."""
        routed, last = list[bool](), 0
        while new := self._unrouted(after=last):
            for number in new:
                try:
                    routed += self._route(number)
                except ServerAwayError as error:
                    trouble.append(error)
            last = new[-1]
        return routed

    def _unrouted(self, after: int) -> list[int]:
        query = (
            select(events.c.id)
            .where(events.c.routed_at.is_(None), events.c.id > after)
            .order_by(events.c.id)
            .limit(BATCH)
        )
        with self.engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def _route(self, number: int) -> list[bool]:
        """Carries out what needs no run; returns whether the event is complete, or an empty list if
        another relay has it.

        Raises ``ServerAwayError`` where a refused rule is to be retried.
        """
        with self.engine.begin() as connection:
            raised = _take(connection, number)
            if raised is None:
                return []
            trouble = self._carry_out(connection, raised)
            if trouble is None:
                return [close_routing(connection, raised)]
        raise trouble

    def _carry_out(self, connection: Connection, raised: Raised) -> ServerAwayError | None:
        """The rules still open; the error that keeps the event from being routed, if any."""
        done = rules_done(connection, raised)
        trouble: ServerAwayError | None = None
        for rule in self.rules.for_event(raised.event.name):
            if rule.name in done:
                continue
            if rule.target.queue:
                wait_for_turn(connection, raised, rule)
                continue
            try:
                record_delivery(connection, raised, rule, self._act(connection, raised, rule))
            except RefusedError as error:
                trouble = _refused(connection, raised, rule, error) or trouble
        return trouble

    def _act(self, connection: Connection, raised: Raised, rule: Rule) -> dict[str, Any]:
        if rule.target.log:
            text = str(fill(rule.target.log.text, raised.event))
            group = rule.target.log.group
            post(connection, group, raised.event.subject, text, event_id=raised.event_id)
            return {"log_post": group}
        _react(connection, raised, rule.target.function or "")
        return {}

    def _start_due(self, trouble: list[ServerAwayError]) -> list[bool]:
        """Creates the runs whose turn it is; returns for each whether its event is complete."""
        started, self.held_back = list[bool](), False
        for place, rules in self._waited_for(trouble).items():
            try:
                for turn in self._due(place, rules):
                    started += self._start(turn, trouble)
            except ServerAwayError as error:
                trouble.append(error)
        return started

    def _waited_for(self, trouble: list[ServerAwayError]) -> dict[Place, list[str]]:
        """The queues with waiting deliveries, each with its rules."""
        with self.engine.connect() as connection:
            names = set(connection.execute(select(event_deliveries.c.rule).where(OPEN)).scalars())
        places = defaultdict[Place, list[str]](list)
        for rule in self.rules.rules:
            if rule.name in names and rule.target.queue:
                try:
                    places[self.api.place_of(rule.target.queue.deployment)].append(rule.name)
                except ServerAwayError as error:
                    trouble.append(error)
        return places

    def _due(self, place: Place, rules: list[str]) -> list[Waiting]:
        limit = self.queues.limit_of(place)
        with self.engine.connect() as connection:
            candidates = waiting(connection, rules, limit or PORTION)
        at_work = Counter[str]()
        if limit is not None:
            at_work.update(party_of(run.tags) for run in self.api.open_runs(*place))
        chosen = due(candidates, at_work, limit)
        self.held_back |= len(chosen) < len(candidates)
        return chosen

    def _start(self, turn: Waiting, trouble: list[ServerAwayError]) -> list[bool]:
        """Creates the run of one delivery; returns whether its event is now complete, or an empty
        list if another relay has it."""
        rule = next(rule for rule in self.rules.rules if rule.name == turn.rule)
        with self.engine.begin() as connection:
            raised = _take_turn(connection, turn)
            if raised is None:
                return []
            try:
                result = {"flow_run": str(self.start_run(raised, rule))}
            except RefusedError as error:
                again = _refused(connection, raised, rule, error)
                if again is not None:
                    trouble.append(again)
            else:
                record_delivery(connection, raised, rule, result)
                tell_workers(connection)
            return [close_if_complete(connection, raised)]

    def start_run(self, raised: Raised, rule: Rule, attempt: int = 1) -> UUID:
        """Creates the flow run of a rule, or returns the one that exists."""
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

    def _show_new(self, trouble: list[ServerAwayError]) -> int:
        """Puts events on Prefect's feed, for operators; returns how many."""
        query = select(events).where(events.c.shown_at.is_(None), events.c.routed_at.is_not(None))
        with self.engine.connect() as connection:
            rows = connection.execute(query.order_by(events.c.id).limit(BATCH)).all()
        if not rows:
            return 0
        try:
            self._emit([as_prefect_event(raised_from(row)) for row in rows])
        except ServerAwayError as error:
            trouble.append(error)
            return 0
        shown = events.update().where(events.c.id.in_([row.id for row in rows]))
        with self.engine.begin() as connection:
            connection.execute(shown.values(shown_at=func.now()))
        return len(rows)

    def _emit(self, shown: list[dict[str, Any]]) -> None:
        try:
            self.api.emit(shown)
        except RefusedError as error:
            if len(shown) == 1:
                log.error("%s is not on Prefect's feed: %s", shown[0]["resource"], error)
                return
            for each in shown:  # one of them must not block the others
                self._emit([each])


def as_prefect_event(raised: Raised) -> dict[str, Any]:
    """The event for Prefect's feed: ids and months alone, since Prefect stores it."""
    return {
        "id": str(raised.event_id),
        "occurred": raised.raised_at.isoformat(),
        "event": f"grouper.{raised.event.name}",
        "resource": {
            "prefect.resource.id": f"grouper.{raised.event.subject.replace('/', '.')}",
            "prefect.resource.name": raised.event.label,
        },
        "payload": raised.event.codes(),
    }


def _take(connection: Connection, number: int) -> Raised | None:
    """The event, locked; None if another relay has it or it is routed."""
    row = connection.execute(
        select(events)
        .where(events.c.id == number, events.c.routed_at.is_(None))
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if row is None:
        return None
    try:
        return raised_from(row)
    except (KeyError, ValidationError):
        log.exception("event %s (%s) cannot be read and is set aside", row.event_id, row.name)
        set_aside(connection, number)
        fault = Fault("The event cannot be read: another version of the program wrote it")
        names = {"name": row.name, "subject": row.subject, "title": row.subject}
        fail_delivery(connection, row.event_id, None, fault, **names)
        return None


def _take_turn(connection: Connection, turn: Waiting) -> Raised | None:
    """The event of a delivery, locked; None if another relay has it or the turn was taken."""
    row = connection.execute(
        select(events).where(events.c.id == turn.number).with_for_update(skip_locked=True)
    ).one_or_none()
    still_open = select(event_deliveries.c.rule).where(
        OPEN, event_deliveries.c.event_id == turn.event_id, event_deliveries.c.rule == turn.rule
    )
    if row is None or connection.execute(still_open).first() is None:
        return None
    return raised_from(row)


def _refused(
    connection: Connection, raised: Raised, rule: Rule, error: RefusedError
) -> ServerAwayError | None:
    """Counts a refusal; returns the error if it is to be retried, else it is in the error queue."""
    attempts = record_failure(connection, raised, rule, str(error))
    log.error("%s: rule %s was refused: %s", raised.event.subject, rule.name, error)
    if attempts < REFUSED_ATTEMPTS:
        return ServerAwayError(str(error))
    fault = Fault(f"The rule {rule.name} ({rule.target}) was refused", str(error), attempts)
    event = raised.event
    fail_delivery(
        connection,
        raised.event_id,
        rule.name,
        fault,
        name=event.name,
        subject=event.subject,
        title=event.title,
    )
    return None


def _react(connection: Connection, raised: Raised, name: str) -> None:
    """Calls a reaction; one that fails undoes what it wrote and counts as refused."""
    try:
        with connection.begin_nested():
            REACTIONS[name](connection, raised.event_id, raised.event)
    except Exception as error:
        log.exception("%s: reaction %s failed", raised.event.subject, name)
        raise RefusedError(f"{name}: {error}") from error
