"""Messages of the scheduler's webhook, raised as events of our own."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import time
from collections.abc import Mapping
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.database.tables import hook_calls
from core.events.outbox import raise_event
from core.user_errors import UserError
from core.vocabulary.event_catalogue import CATALOGUE, SchedulerEvent

SIGNATURE, TIME, DIGEST = "X-Grouper-Signature", "X-Grouper-Time", "X-Grouper-Digest"
"""Headers: what signs the time and the digest of the body. A signature is good once."""
FRESH_SECONDS = 300
"""So far the clocks of two machines may differ."""

_SPACE = UUID("8f1ed1f4-6d0c-4b52-9c64-0c8b6f1c7f2e")


class WebhookMessage(BaseModel):
    """The message that an automation sends."""

    model_config = ConfigDict(extra="forbid")

    raises: str
    event: str  # the scheduler's own name of the event
    event_id: str
    resource: str  # as prefect.flow-run.ID
    name: str = ""
    run_count: int | None = None
    message: str = ""


def signed_headers(key: str, body: bytes, at: float | None = None) -> dict[str, str]:
    """What goes with a body, so that it counts now, and once."""
    moment, digest = str(int(time.time() if at is None else at)), _digest(body)
    return {TIME: moment, DIGEST: digest, SIGNATURE: _signature(key, moment, digest)}


def is_signed(key: str, headers: Mapping[str, str]) -> bool:
    """Whether the headers are signed and fresh; asked before any body is read."""
    moment, digest = headers.get(TIME, ""), headers.get(DIGEST, "")
    given = headers.get(SIGNATURE, "").encode()
    if not hmac.compare_digest(_signature(key, moment, digest).encode(), given):
        return False
    return abs(time.time() - int(moment)) <= FRESH_SECONDS


def is_the_body(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether it is the body that was signed."""
    return hmac.compare_digest(headers.get(DIGEST, "").encode(), _digest(body).encode())


def first_time(connection: Connection, headers: Mapping[str, str]) -> bool:
    """Whether nothing was told with this signature before; notes it."""
    note = insert(hook_calls).values(signature=headers[SIGNATURE])
    counting = {"preserve_rowcount": True}
    done = connection.execute(note.on_conflict_do_nothing(), execution_options=counting)
    return done.rowcount == 1


def forget_calls(connection: Connection, before: dt.datetime) -> None:
    """Removes signatures that are no longer fresh, and so are refused anyway."""
    connection.execute(hook_calls.delete().where(hook_calls.c.at < before))


def _signature(key: str, moment: str, digest: str) -> str:
    signed = f"{moment} {digest}".encode()
    return hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def raise_scheduler_event(connection: Connection, message: WebhookMessage) -> UUID:
    """Raises the event, once for each occurrence: run and worker both report a crash.

    Raises ``UserError`` for an event that the scheduler cannot raise.
    """
    event_class = CATALOGUE.get(message.raises)
    if event_class is None or not issubclass(event_class, SchedulerEvent):
        raise UserError(f"no event {message.raises!r} is raised by what the scheduler tells")
    subject = message.resource.removeprefix("prefect.").replace(".", "/", 1)
    event = event_class(
        thing=subject,
        called=message.name or subject,
        happened=message.event,
        reason=message.message or message.event.rpartition(".")[2],
    )
    once = message.event_id if message.run_count is None else str(message.run_count)
    event_id = uuid5(_SPACE, f"{subject} {message.event} {once}")
    return raise_event(connection, event, event_id=event_id)
