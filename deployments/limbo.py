"""Finds work that somebody waits for and nobody does, and starts it again.

Work is in limbo when its subject is in a state of being worked on, no process holds its lock (a
lock goes with its process), and Prefect knows no run that waits or has just started. So a worker
that was killed together with its runs delays the work, and does not lose it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, select
from sqlalchemy.exc import OperationalError

from core.database.locks import is_locked
from core.database.states import RUNNING_SUBMISSION_STATES
from core.database.tables import (
    event_deliveries,
    events,
    files,
    migration_runs,
    reports,
    spider_runs,
    submissions,
)
from deployments.deliveries import Raised, raised_from, record_delivery, record_failure
from deployments.giving_up import give_up
from deployments.prefect_api import (
    AT_WORK,
    CANCELLED,
    STARTING,
    WAITING,
    FlowRun,
    RefusedError,
    ServerAwayError,
)
from deployments.relay import Relay
from deployments.rules import Rule

log = logging.getLogger("grouper.relay")

ATTEMPTS = 3
ON_ITS_WAY_SECONDS = {STARTING: 60.0, **dict.fromkeys(AT_WORK, 15.0)}
"""How long a run in a state may still be on its way to taking its lock: while it starts, it
imports its flow; once it runs, taking the lock is the first thing it does."""


@dataclass(frozen=True)
class Kind:
    """A kind of subject that flows work on."""

    name: str
    table: Table
    states: tuple[str, ...]  # in which somebody should be at work on it
    asked_by: tuple[str, ...]  # the events that ask for the work


FILE_EVENTS = ("file.received", "file.corrected", "file.retried")
KINDS = (
    Kind("file", files, ("received", "checking"), FILE_EVENTS),
    Kind("submission", submissions, RUNNING_SUBMISSION_STATES, ("submission.requested",)),
    Kind("report", reports, ("requested", "collating"), ("report.requested",)),
    Kind("spider", spider_runs, ("planned", "running"), ("spider.requested",)),
    Kind("migration", migration_runs, ("planned", "running"), ("migration.requested",)),
)


@dataclass(frozen=True)
class Work:
    """A subject in limbo, if Prefect has no live run for it."""

    kind: Kind
    number: int
    raised: Raised
    rule: Rule


class Sweep:
    """Looks for work in limbo. No run that began before ``nothing_before`` is still at work: all
    workers were started after it (on one machine, when ``grouper up`` was)."""

    def __init__(self, relay: Relay, *, nothing_before: datetime | None = None) -> None:
        self.relay = relay
        self.nothing_before = nothing_before or datetime.min.replace(tzinfo=UTC)

    def __call__(self) -> int:
        """Starts again what is in limbo, or gives it up; gives how much there was.

        Raises ``ServerAwayError``.
        """
        return sum(
            self._mend(kind, number) for kind in KINDS for number in _idle(self.relay.engine, kind)
        )

    def _mend(self, kind: Kind, number: int) -> bool:
        """Mends one subject; a fault in it must not keep the sweep from the others."""
        try:
            with self.relay.engine.begin() as connection:
                work = self._work(connection, kind, number)
                return work is not None and self._start_again(connection, work)
        except (ServerAwayError, OperationalError):
            raise
        except Exception:
            log.exception("%s/%s is in limbo and cannot be started again", kind.name, number)
            return False

    def _start_again(self, connection: Connection, work: Work) -> bool:
        keys = [work.raised.key(work.rule, attempt) for attempt in range(1, ATTEMPTS + 1)]
        runs = self.relay.api.runs_with_keys(keys)
        if any(self._may_be_alive(run) for run in runs):
            return False
        self._bury(runs)
        self._next_attempt(connection, work, cancelled=bool(runs) and runs[0].state == CANCELLED)
        return True

    def _work(self, connection: Connection, kind: Kind, number: int) -> Work | None:
        """The work of a subject, its row locked; None if it is done or being done after all."""
        states = select(kind.table.c.state).where(kind.table.c.id == number)
        state = connection.execute(states.with_for_update(skip_locked=True)).scalar_one_or_none()
        if state not in kind.states or is_locked(connection, kind.name, number):
            return None
        asked = connection.execute(
            select(events)
            .where(events.c.subject == f"{kind.name}/{number}", events.c.name.in_(kind.asked_by))
            .order_by(events.c.id.desc())
            .limit(1)
        ).one_or_none()
        if asked is None or asked.delivered_at is None:
            return None
        raised = raised_from(asked)
        rule = self.relay.rules.queued_by(raised.event.name)
        return None if rule is None else Work(kind, number, raised, rule)

    def _may_be_alive(self, run: FlowRun) -> bool:
        if run.state == WAITING:
            return True
        patience = ON_ITS_WAY_SECONDS.get(run.state, 0.0)
        return run.age() < patience and run.since > self.nothing_before

    def _bury(self, runs: list[FlowRun]) -> None:
        """Dead runs would hold their place in the queue for ever."""
        for run in runs:
            if run.state in ON_ITS_WAY_SECONDS:
                self.relay.api.crash(run.id, "Its process is gone.")

    def _next_attempt(self, connection: Connection, work: Work, *, cancelled: bool) -> None:
        made = _attempts(connection, work)
        if cancelled or made >= ATTEMPTS:
            stopped = f"It stopped {made} times without a word"
            why = "It was cancelled by an operator" if cancelled else stopped
            reference = give_up(connection, work.raised.event, why=why, attempts=made)
            log.error("%s is given up, %s: %s", work.raised.event.subject, reference, why)
            return
        try:
            run = self.relay.start_run(work.raised, work.rule, made + 1)
        except RefusedError as error:
            record_failure(connection, work.raised, work.rule, str(error))
            return
        record_delivery(connection, work.raised, work.rule, {"flow_run": str(run)}, made + 1)
        log.warning("%s was in limbo: attempt %s", work.raised.event.subject, made + 1)


def _idle(engine: Engine, kind: Kind) -> list[int]:
    wanted = select(kind.table.c.id).where(kind.table.c.state.in_(kind.states))
    with engine.connect() as connection:
        numbers = connection.execute(wanted.order_by(kind.table.c.id)).scalars().all()
        return [number for number in numbers if not is_locked(connection, kind.name, number)]


def _attempts(connection: Connection, work: Work) -> int:
    delivery: Any = event_deliveries.c
    found = connection.execute(
        select(func.coalesce(func.max(delivery.attempts), 0)).where(
            delivery.event_id == work.raised.event_id, delivery.rule == work.rule.name
        )
    )
    return int(found.scalar_one())
