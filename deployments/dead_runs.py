"""Dead runs: runs that Prefect considers running although their process is gone.

Such a run occupies its slot of the queue for ever, and would block a queue for one run at a time.
Every flow holds the lock of its run while it is alive (``flows/running.py``), so a running run
without a lock is dead. Where a file, a submission or the like waits for it, the sweep
(``deployments/orphaned_work.py``) starts the work again; the others are started again here.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, exists, select

from core.database.locks import FLOW_RUN, is_locked
from core.database.tables import event_deliveries, events, failures
from core.support.faults import Fault
from deployments.deliveries import Raised, raised_from, record_delivery, record_failure
from deployments.giving_up import give_up
from deployments.prefect_api import (
    AT_WORK,
    CANCELLED,
    FAILED,
    STARTING,
    WAITING,
    FlowRun,
    RefusedError,
)
from deployments.relay import Relay
from deployments.rules import Rule

log = logging.getLogger("grouper.relay")

ATTEMPTS = 3
ATTEMPTS_WITHOUT_A_SERVICE = 8
"""Of work that a database, a store or a server does not serve: with the pauses, a quarter of an
hour, in which somebody may start it again."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 10.0, 300.0
ON_ITS_WAY_SECONDS = {STARTING: 60.0, **dict.fromkeys(AT_WORK, 15.0)}
"""The time in a state before a run takes its lock: while it starts, it imports its flow; once it
runs, it takes the lock first."""
LOOKS_BACK = timedelta(days=1)


class DeadRuns:
    """Marks dead runs as crashed and starts their work again. No run that began before
    ``nothing_before`` is alive: all workers were started after it."""

    def __init__(self, relay: Relay, *, nothing_before: datetime | None = None) -> None:
        self.relay = relay
        self.nothing_before = nothing_before or datetime.min.replace(tzinfo=UTC)

    def may_be_alive(self, run: FlowRun) -> bool:
        """Whether a run without a lock may still take it, or waits for its turn."""
        if run.state == WAITING:
            return True
        patience = ON_ITS_WAY_SECONDS.get(run.state, 0.0)
        return run.age() < patience and run.since > self.nothing_before

    def mark_crashed(self, runs: Collection[FlowRun]) -> None:
        """Marks the running ones as crashed, which releases their slots."""
        for run in runs:
            if run.state in ON_ITS_WAY_SECONDS:
                self.relay.api.crash(run.id, "Its process is gone.")

    def mark_dead_runs(self) -> int:
        """Marks every dead run of the pool as crashed; returns how many.

        Raises ``ServerAwayError``.
        """
        dead = [
            run for run in self.relay.api.runs_at_work(self.relay.queues.pool) if self._is_dead(run)
        ]
        self.mark_crashed(dead)
        for run in dead:
            log.warning("%s: its process is gone", run.name)
        return len(dead)

    def _is_dead(self, run: FlowRun) -> bool:
        if self.may_be_alive(run):
            return False
        with self.relay.engine.connect() as connection:
            return not is_locked(connection, FLOW_RUN, run.id)

    def start_again(self, *, besides: Collection[str]) -> int:
        """Starts work again whose run ended early, or gives it up; returns how much there was.

        Events named in ``besides`` ask for work that a subject waits for. Raises
        ``ServerAwayError``.
        """
        stopped = self.relay.api.stopped_runs(
            self.relay.queues.pool, since=datetime.now(UTC) - LOOKS_BACK
        )
        return sum(self._start_again(run, besides) for run in stopped)

    def _start_again(self, run: FlowRun, besides: Collection[str]) -> bool:
        with self.relay.engine.begin() as connection:
            request = self._request_of(connection, run, besides)
            if request is None:
                return False
            raised, rule, made = request
            if pauses(run, made):
                return False
            next_attempt(self.relay, connection, raised, rule, made, last=run)
        return True

    def _request_of(
        self, connection: Connection, run: FlowRun, besides: Collection[str]
    ) -> tuple[Raised, Rule, int] | None:
        """The event and rule of which the run was the newest attempt, and the number of attempts;
        None where there is none, or it is in the error queue."""
        delivery = event_deliveries.c
        row: Any = connection.execute(
            select(events, delivery.rule, delivery.attempts.label("made"))
            .join(event_deliveries, delivery.event_id == events.c.event_id)
            .where(
                delivery.event_id == run.event_id,
                delivery.result["flow_run"].astext == str(run.id),
                events.c.name.not_in(besides),
                ~exists().where(failures.c.flow_run == run.id),
            )
            .with_for_update(skip_locked=True)
        ).one_or_none()
        if row is None:
            return None
        rules = self.relay.rules.for_event(row.name)
        rule = next((rule for rule in rules if rule.name == row.rule and rule.target.queue), None)
        return None if rule is None else (raised_from(row), rule, row.made)


def next_attempt(
    relay: Relay,
    connection: Connection,
    raised: Raised,
    rule: Rule,
    made: int,
    *,
    last: FlowRun | None,
) -> None:
    """Starts an event's run again after ``made`` attempts, ``last`` being the last run; or
    gives the work up."""
    subject = raised.event.subject
    why = why_given_up(last, made)
    if why is not None:
        number = None if last is None else last.id
        reference = give_up(raised.event, connection, Fault(why, attempts=made, flow_run=number))
        log.error("%s is given up, %s: %s", subject, reference, why)
        return
    try:
        run = relay.start_run(raised, rule, made + 1)
    except RefusedError as error:
        record_failure(connection, raised, rule, str(error))
        return
    record_delivery(connection, raised, rule, {"flow_run": str(run)}, made + 1)
    log.warning("%s was orphaned: attempt %s", subject, made + 1)


def pauses(last: FlowRun | None, made: int) -> bool:
    """Whether work that a service did not serve waits before its next attempt, longer each time."""
    if last is None or last.state != FAILED:
        return False
    pause: float = min(FIRST_PAUSE_SECONDS * 2 ** (made - 1), LONGEST_PAUSE_SECONDS)
    return last.age() < pause


def why_given_up(last: FlowRun | None, made: int) -> str | None:
    """The reason to give up after ``made`` attempts; None: there is another."""
    state = None if last is None else last.state
    if state == CANCELLED:
        return "It was cancelled by an operator"
    if state == FAILED:  # its flow has said so, and left the work for later
        served = made < ATTEMPTS_WITHOUT_A_SERVICE
        return None if served else f"A service that it needs did not answer, {made} times"
    return None if made < ATTEMPTS else f"It stopped {made} times without a word"
