"""A file comes in: its bytes into the store, its row and its event into the database."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import IO

from sqlalchemy import Engine

from core.files.store import FileStore
from core.submissions.commands.uploads import Upload, receive_file
from core.vocabulary.heading_look import Look


@dataclass(frozen=True)
class Arrival:
    """What a sender says of a file."""

    name: str  # as the sender calls it; any name is kept
    transpose: bool = False
    look: Look = Look.NEVER


def take_in(
    engine: Engine,
    store: FileStore,
    submission_id: int,
    arrival: Arrival,
    stream: IO[bytes],
    *,
    user_id: int | None,
) -> int:
    """Keeps all of ``stream`` and asks for its check; returns the file's id.

    Raises ``SubmissionLocked``; then nothing is kept.
    """
    # A key of its own for each file: two of the same name are two files.
    key = f"uploads/{submission_id}/{uuid.uuid4().hex}"
    stored = store.put(key, stream)
    upload = Upload(
        arrival.name,
        key,
        stored.size,
        stored.sha256,
        transpose=arrival.transpose,
        look=arrival.look,
    )
    try:
        with engine.begin() as connection:
            return receive_file(connection, submission_id, upload, user_id=user_id)
    except BaseException:
        store.delete(key)
        raise
