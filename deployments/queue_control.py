"""The queues as operators see them; pausing and resuming them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from core.access.scope import require
from core.database.tables import audit, event_deliveries, events
from core.user_errors import UserError
from core.vocabulary.permissions import Action
from deployments.deliveries import OPEN
from deployments.prefect_api import WAITING, FlowRun, PrefectApi
from deployments.queues import Place, Queues
from deployments.rules import Rules


@dataclass(frozen=True)
class QueueState:
    """A queue now. ``waiting`` counts what waits in the database and what waits in Prefect;
    ``oldest`` is the time since which the first has waited."""

    name: str
    description: str
    limit: int | None
    paused: bool
    waiting: int
    running: int
    oldest: datetime | None

    def oldest_wait(self) -> float | None:
        """The seconds that the first has waited."""
        return (datetime.now(UTC) - self.oldest).total_seconds() if self.oldest else None


@dataclass(frozen=True)
class _Waiting:
    """The deliveries that wait in the database under one rule."""

    count: int
    oldest: datetime


def queue_states(
    engine: Engine, api: PrefectApi, rules: Rules, queues: Queues
) -> tuple[list[QueueState], list[FlowRun]]:
    """The queues in the order in which they are served, and the runs that wait or are at work.

    Raises ``ServerAwayError``.
    """
    with engine.connect() as connection:
        held = _waiting(connection)
    runs = api.open_runs(queues.pool)
    queues_by_name = {queue["name"]: queue for queue in api.work_queues(queues.pool)}
    states = []
    for name, declared in queues.queues.items():
        own = [run for run in runs if run.queue == name]
        waits = [run for run in own if run.state == WAITING]
        here = list(_waiting_on(Place(queues.pool, name), held, api, rules))
        since = [delivery.oldest for delivery in here] + [run.due for run in waits]
        queue = queues_by_name.get(name, {})
        states.append(
            QueueState(
                name=name,
                description=declared.description,
                limit=queue.get("concurrency_limit", declared.limit),
                paused=bool(queue.get("is_paused")),
                waiting=len(waits) + sum(delivery.count for delivery in here),
                running=len(own) - len(waits),
                oldest=min(since, default=None),
            )
        )
    return states, runs


def pause(
    engine: Engine,
    api: PrefectApi,
    queues: Queues,
    name: str,
    *,
    paused: bool,
    user_id: int | None = None,
) -> None:
    """Pauses or resumes a queue, and writes an audit row. Running work continues.

    Raises ``UserError`` for an unknown queue.
    """
    if name not in queues.queues:
        raise UserError(f"there is no queue {name!r}; there are {', '.join(queues.queues)}")
    action = "queue paused" if paused else "queue resumed"
    with engine.begin() as connection:
        require(connection, user_id, Action.OPERATE)
        connection.execute(
            audit.insert().values(user_id=user_id, action=action, subject=f"queue/{name}")
        )
        api.pause_queue(Place(queues.pool, name), paused=paused)


def _waiting(connection: Connection) -> dict[str, _Waiting]:
    """The deliveries that wait in the database for their turn, by rule."""
    rule = event_deliveries.c.rule
    query = (
        sa.select(rule, sa.func.count(), sa.func.min(events.c.raised_at))
        .join(events, events.c.event_id == event_deliveries.c.event_id)
        .where(OPEN)
        .group_by(rule)
    )
    return {row[0]: _Waiting(row[1], row[2]) for row in connection.execute(query)}


def _waiting_on(
    place: Place, held: dict[str, _Waiting], api: PrefectApi, rules: Rules
) -> Iterator[_Waiting]:
    for rule in rules.rules:
        queue = rule.target.queue
        if queue and rule.name in held and api.place_of(queue.deployment) == place:
            yield held[rule.name]
