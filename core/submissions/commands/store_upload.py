"""Stores an uploaded file: its bytes in the store, its row and event in the database."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import IO

from sqlalchemy import Engine

from core.files.store import FileStore
from core.submissions.commands.uploads import Upload, receive_file
from core.vocabulary.heading_look import Look


@dataclass(frozen=True)
class UploadDetails:
    """What the sender states about a file."""

    name: str  # the sender's name of the file; any text
    transpose: bool = False
    look: Look = Look.NEVER
    sheet: str | None = None  # of a workbook; None: the first visible one


def store_upload(
    engine: Engine,
    store: FileStore,
    submission_id: int,
    details: UploadDetails,
    stream: IO[bytes],
    *,
    user_id: int | None,
) -> int:
    """Stores ``stream`` and requests its check; returns the file's id.

    Raises ``SubmissionLocked``; then nothing is stored.
    """
    # Each file has its own key: two of the same name are two files.
    key = f"uploads/{submission_id}/{uuid.uuid4().hex}"
    stored = store.put(key, stream)
    upload = Upload(
        details.name,
        key,
        stored.size,
        stored.sha256,
        transpose=details.transpose,
        look=details.look,
        sheet=details.sheet,
    )
    try:
        with engine.begin() as connection:
            return receive_file(connection, submission_id, upload, user_id=user_id)
    except BaseException:
        store.delete(key)
        raise
