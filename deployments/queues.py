"""The work pool and its queues, as queues.yaml declares them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, ValidationError

from core.documents import StrictModel, read_document

QUEUES = Path(__file__).with_name("queues.yaml")


class Queue(StrictModel):
    """The limit of concurrent runs of a queue, and its priority."""

    limit: int | None = Field(default=None, ge=1)
    priority: int = Field(ge=1)
    description: str = ""


class Place(NamedTuple):
    """Where runs of a deployment wait: a work pool and one of its queues."""

    pool: str
    queue: str


class Queues(StrictModel):
    """A work pool and its queues."""

    pool: str
    type: str = "process"
    queues: dict[str, Queue]

    def limit_of(self, place: Place) -> int | None:
        """The limit of concurrent runs there; None: unlimited."""
        queue = self.queues.get(place.queue) if place.pool == self.pool else None
        return queue.limit if queue else None


@cache
def load_queues(path: Path = QUEUES) -> Queues:
    """Reads the queues; raises ``DocumentError`` with the line of every problem."""
    document = read_document(path)
    try:
        return Queues.model_validate(document.data)
    except ValidationError as error:
        raise document.refused_by(error) from error
