"""Finds orphaned work, for which there is no process, and starts it again.

Work is orphaned when its subject is in a working state, no process holds its lock (a lock ends with
its process), and Prefect has no run that waits or has just started. So a worker that was killed
together with its runs delays the work, and does not lose it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, select
from sqlalchemy.exc import OperationalError

from core.database.locks import is_locked
from core.database.tables import (
    event_deliveries,
    events,
    files,
    migration_runs,
    reports,
    spider_runs,
    submissions,
)
from core.submissions.commands.rereading import read_outdated_again
from core.vocabulary.column_values import RUNNING_SUBMISSION_STATES
from deployments.dead_runs import ATTEMPTS_WITHOUT_A_SERVICE, DeadRuns, next_attempt, pauses
from deployments.deliveries import Raised, raised_from
from deployments.prefect_api import (
    ServerAwayError,
)
from deployments.relay import Relay
from deployments.rules import Rule

log = logging.getLogger("grouper.relay")


@dataclass(frozen=True)
class Kind:
    """A kind of subject that flows work on."""

    name: str
    table: Table
    states: tuple[str, ...]  # in which a process should work on it
    asked_by: tuple[str, ...]  # the events that request the work


FILE_EVENTS = ("file.received", "file.corrected", "file.outdated", "file.retried")
KINDS = (
    Kind("file", files, ("received", "checking"), FILE_EVENTS),
    Kind("submission", submissions, RUNNING_SUBMISSION_STATES, ("submission.requested",)),
    Kind("report", reports, ("requested", "collating"), ("report.requested",)),
    Kind("spider", spider_runs, ("planned", "running"), ("spider.requested",)),
    Kind("migration", migration_runs, ("planned", "running"), ("migration.requested",)),
)
ASKED_BY_SUBJECTS = tuple(name for kind in KINDS for name in kind.asked_by)


@dataclass(frozen=True)
class Work:
    """A subject whose work is orphaned, unless Prefect has a live run for it."""

    kind: Kind
    number: int
    raised: Raised
    rule: Rule


class Sweep:
    """Looks for orphaned work. No run that began before ``nothing_before`` is alive: all workers
    were started after it (on one machine, when ``grouper up`` was)."""

    def __init__(self, relay: Relay, *, nothing_before: datetime | None = None) -> None:
        self.relay = relay
        self.dead_runs = DeadRuns(relay, nothing_before=nothing_before)

    def __call__(self) -> int:
        """Starts orphaned work again, or gives it up; returns how much there was.

        Raises ``ServerAwayError``.
        """
        self.dead_runs.mark_dead_runs()
        read_outdated_again(self.relay.engine)
        mended = sum(
            self._recover(kind, number)
            for kind in KINDS
            for number in _idle(self.relay.engine, kind)
        )
        return mended + self.dead_runs.start_again(besides=ASKED_BY_SUBJECTS)

    def _recover(self, kind: Kind, number: int) -> bool:
        """Recovers one subject; a fault in it must not stop the sweep."""
        try:
            with self.relay.engine.begin() as connection:
                work = self._work(connection, kind, number)
                return work is not None and self._start_again(connection, work)
        except (ServerAwayError, OperationalError):
            raise
        except Exception:
            log.exception("%s/%s is orphaned and cannot be started again", kind.name, number)
            return False

    def _start_again(self, connection: Connection, work: Work) -> bool:
        attempts = range(1, ATTEMPTS_WITHOUT_A_SERVICE + 1)
        keys = [work.raised.key(work.rule, attempt) for attempt in attempts]
        runs = self.relay.api.runs_with_keys(keys)
        if any(map(self.dead_runs.may_be_alive, runs)):
            return False
        self.dead_runs.mark_crashed(runs)
        made, last = _attempts(connection, work), runs[0] if runs else None
        if pauses(last, made):
            return False
        next_attempt(self.relay, connection, work.raised, work.rule, made, last=last)
        return True

    def _work(self, connection: Connection, kind: Kind, number: int) -> Work | None:
        """The work of a subject, with its row locked; None if it is done or in progress by now."""
        states = select(kind.table.c.state).where(kind.table.c.id == number)
        state = connection.execute(states.with_for_update(skip_locked=True)).scalar_one_or_none()
        if state not in kind.states or is_locked(connection, kind.name, number):
            return None
        request = connection.execute(
            select(events)
            .where(events.c.subject == f"{kind.name}/{number}", events.c.name.in_(kind.asked_by))
            .order_by(events.c.id.desc())
            .limit(1)
        ).one_or_none()
        if request is None or request.delivered_at is None:
            return None
        raised = raised_from(request)
        rule = self.relay.rules.queued_by(raised.event.name)
        return None if rule is None else Work(kind, number, raised, rule)


def _idle(engine: Engine, kind: Kind) -> list[int]:
    query = select(kind.table.c.id).where(kind.table.c.state.in_(kind.states))
    with engine.connect() as connection:
        numbers = connection.execute(query.order_by(kind.table.c.id)).scalars().all()
        return [number for number in numbers if not is_locked(connection, kind.name, number)]


def _attempts(connection: Connection, work: Work) -> int:
    delivery: Any = event_deliveries.c
    count = connection.execute(
        select(func.coalesce(func.max(delivery.attempts), 0)).where(
            delivery.event_id == work.raised.event_id, delivery.rule == work.rule.name
        )
    )
    return int(count.scalar_one())
