"""Sends waiting deliveries on a channel, each once.

The sender locks the row of a delivery until its result is written: a second sender skips it, and if
the process dies the row is released at once. A delivery that a server accepted just before is sent
again, with the same id, by which the receiver detects the repeat.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from core.database import tables
from core.database.moving import change_state, lock_row
from core.events.failures import Failure, mark_resolved, mark_retried, record_failure
from core.notifications.notify import wake_sender
from core.settings import settings
from core.support.faults import Fault, fault_of
from core.vocabulary.failure_kinds import FailureKind
from core.vocabulary.states.notifications import DELIVERY_MACHINE, DeliveryState
from core.vocabulary.topics import Channel

ATTEMPTS = 12
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 3600.0
"""Seconds; each pause is twice the last, so that all attempts take about three hours."""
JITTER = 0.25


class CannotSend(Exception):
    """A delivery was not accepted; the text says why, without its content.

    ``is_temporary``: whether the same delivery may succeed a little later.
    """

    def __init__(self, reason: str, *, is_temporary: bool) -> None:
        super().__init__(reason)
        self.is_temporary = is_temporary


class NotWanted(Exception):
    """The user can no longer be reached by the channel, or has opted out."""


@dataclass(frozen=True)
class Message:
    """A notification on its way to one person."""

    delivery: int
    attempts: int
    id: str  # unique to the notification, the same at every attempt
    user_id: int
    name: str
    email: str | None
    url: str | None
    secret: str | None
    topic: str
    event: str
    subject: str
    title: str
    text: str
    address: str
    at: dt.datetime

    @property
    def link(self) -> str:
        """The page of the portal to which the notification refers."""
        return f"{settings().portal_url}/{self.address}"


Send = Callable[[Message], None]
"""Sends a message; raises ``CannotSend`` or ``NotWanted``."""


def send_next(engine: Engine, channel: Channel, send: Send) -> bool:
    """Sends the delivery that has been due longest; returns whether there was one."""
    with engine.begin() as connection:
        message = _claim(connection, channel)
        if message is None:
            return False
        try:
            send(message)
        except NotWanted as why:
            _end(connection, message, DeliveryState.DROPPED, str(why))
        except CannotSend as error:
            _handle_refusal(connection, message, channel, error)
        except Exception as error:  # one message must never block the others
            _fail(connection, message, channel, fault_of(error, attempts=message.attempts))
        else:
            _end(connection, message, DeliveryState.SENT, None)
            mark_resolved(connection, _work(message), why="it was sent")
    return True


def seconds_to_next(engine: Engine, channel: Channel) -> float | None:
    """Seconds until something on the channel is due; None if nothing waits."""
    deliveries = tables.notification_deliveries
    wait = sa.extract("epoch", sa.func.min(deliveries.c.next_at) - sa.func.now())
    query = sa.select(wait).where(
        deliveries.c.channel == channel, deliveries.c.state == DeliveryState.WAITING
    )
    with engine.connect() as connection:
        seconds = connection.execute(query).scalar()
    return None if seconds is None else max(0.0, float(seconds))


def pause_after(attempts: int) -> float:
    """Seconds to wait after so many attempts."""
    pause = min(FIRST_PAUSE * 2.0 ** (attempts - 1), LONGEST_PAUSE)
    return pause * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 (no secret depends on it)


def send_again(connection: Connection, failure: Failure, user_id: int | None, reason: str) -> None:
    """Moves a failed delivery back to waiting."""
    mark_retried(connection, failure.work, why=reason, user_id=user_id)
    change_state(
        connection,
        tables.notification_deliveries,
        DELIVERY_MACHINE,
        failure.payload["delivery_id"],
        DeliveryState.WAITING,
        user_id=user_id,
        reason=reason,
        attempts=0,
        next_at=sa.func.now(),
        ended_at=None,
    )
    wake_sender(connection)


def lock_delivery(connection: Connection, failure: Failure) -> None:
    """Keeps the sender from the delivery until the caller's transaction ends."""
    lock_row(connection, tables.notification_deliveries, failure.payload["delivery_id"])


def _claim(connection: Connection, channel: Channel) -> Message | None:
    waiting, notifications = tables.notification_deliveries, tables.notifications
    users, webhooks, events = tables.users, tables.webhooks, tables.events
    query = (
        sa.select(waiting, notifications, users.c.name, users.c.email, users.c.active)
        .add_columns(webhooks.c.url, webhooks.c.secret)
        .add_columns(events.c.name.label("event"), events.c.subject)
        .join(notifications, notifications.c.id == waiting.c.notification_id)
        .join(users, users.c.id == notifications.c.user_id)
        .join(events, events.c.event_id == notifications.c.event_id)
        .outerjoin(webhooks, webhooks.c.user_id == notifications.c.user_id)
        .where(
            waiting.c.channel == channel,
            waiting.c.state == DeliveryState.WAITING,
            waiting.c.next_at <= sa.func.now(),
        )
        .order_by(waiting.c.next_at, waiting.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=waiting)
    )
    row = connection.execute(query).first()
    return None if row is None else _message(row)


def _message(row: Any) -> Message:
    return Message(
        delivery=row.id,
        attempts=row.attempts + 1,
        id=f"{row.event_id}.{row.user_id}",
        user_id=row.user_id,
        name=row.name,
        email=row.email if row.active else None,
        url=row.url if row.active else None,
        secret=row.secret,
        topic=row.topic,
        event=row.event,
        subject=row.subject,
        title=row.title,
        text=row.text,
        address=row.address,
        at=row.at,
    )


def _handle_refusal(
    connection: Connection, message: Message, channel: Channel, error: CannotSend
) -> None:
    if error.is_temporary and message.attempts < ATTEMPTS:
        _wait(connection, message, channel, str(error))
        return
    fault = Fault(str(error), attempts=message.attempts)
    _fail(connection, message, channel, fault)


def _fail(connection: Connection, message: Message, channel: Channel, fault: Fault) -> None:
    _end(connection, message, DeliveryState.FAILED, fault.reason)
    record_failure(
        connection,
        FailureKind.NOTIFICATION,
        fault,
        work=_work(message),
        subject=message.subject,
        title=f"{channel} to {message.name}, {message.event}",
        payload={"delivery_id": message.delivery},
        tell=False,
    )


def _wait(connection: Connection, message: Message, channel: Channel, failure: str) -> None:
    pause = dt.timedelta(seconds=pause_after(message.attempts))
    next_at = sa.func.clock_timestamp() + pause
    deliveries = tables.notification_deliveries
    values = {"attempts": message.attempts, "next_at": next_at, "failure": failure}
    connection.execute(
        deliveries.update().where(deliveries.c.id == message.delivery).values(**values)
    )
    if channel == Channel.WEBHOOK:
        _hold_back(connection, message, next_at)


def _hold_back(connection: Connection, message: Message, next_at: sa.ColumnElement[Any]) -> None:
    """Postpones other deliveries to a failing receiver, so that those to others are not delayed."""
    waiting, notifications = tables.notification_deliveries, tables.notifications
    to_the_same = (
        sa.select(waiting.c.id)
        .join(notifications, notifications.c.id == waiting.c.notification_id)
        .where(
            waiting.c.channel == Channel.WEBHOOK,
            waiting.c.state == DeliveryState.WAITING,
            waiting.c.next_at <= sa.func.now(),
            waiting.c.id != message.delivery,
            notifications.c.user_id == message.user_id,
        )
        .with_for_update(skip_locked=True, of=waiting)
    )
    held = waiting.update().where(waiting.c.id.in_(to_the_same.scalar_subquery()))
    connection.execute(held.values(next_at=next_at))


def _end(
    connection: Connection, message: Message, state: DeliveryState, failure: str | None
) -> None:
    change_state(
        connection,
        tables.notification_deliveries,
        DELIVERY_MACHINE,
        message.delivery,
        state,
        reason=failure or "",
        attempts=message.attempts,
        failure=failure,
        ended_at=sa.func.clock_timestamp(),
    )


def _work(message: Message) -> str:
    return f"notification/{message.delivery}"
