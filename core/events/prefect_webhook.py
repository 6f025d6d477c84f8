"""What the scheduler of runs tells of by a web hook, made into events of our own."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from core.events.outbox import raise_event
from core.user_errors import UserError
from core.vocabulary.event_catalogue import CATALOGUE, Heard

HEADER = "X-Grouper-Hook"
"""Carries the secret that only our own automations know."""

_SPACE = UUID("8f1ed1f4-6d0c-4b52-9c64-0c8b6f1c7f2e")


class Telling(BaseModel):
    """What an automation sends."""

    model_config = ConfigDict(extra="forbid")

    raises: str
    event: str  # the scheduler's own name of what happened
    event_id: str
    resource: str  # as prefect.flow-run.ID
    name: str = ""
    run_count: int | None = None
    message: str = ""


def hook_secret(signing_key: str) -> str:
    """The secret of this installation's automations, made of its own key."""
    return hmac.new(signing_key.encode(), b"hook of the scheduler", hashlib.sha256).hexdigest()


def is_ours(signing_key: str, given: str) -> bool:
    """Whether the sender knows the secret."""
    return hmac.compare_digest(hook_secret(signing_key).encode(), given.encode())


def hear(connection: Connection, telling: Telling) -> UUID:
    """Raises the event, once for each thing that happened: a crash is told of by run and worker.

    Raises ``UserError`` for an event that is not raised by what is heard.
    """
    event_class = CATALOGUE.get(telling.raises)
    if event_class is None or not issubclass(event_class, Heard):
        raise UserError(f"no event {telling.raises!r} is raised by what the scheduler tells")
    thing = telling.resource.removeprefix("prefect.").replace(".", "/", 1)
    event = event_class(
        thing=thing,
        called=telling.name or thing,
        happened=telling.event,
        reason=telling.message or telling.event.rpartition(".")[2],
    )
    once = telling.event_id if telling.run_count is None else str(telling.run_count)
    event_id = uuid5(_SPACE, f"{thing} {telling.event} {once}")
    return raise_event(connection, event, event_id=event_id)
