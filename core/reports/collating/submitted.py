"""What was submitted for a month: the files, the run, and the user who requested it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from core.database import tables
from core.vocabulary.states.submissions import FileState


@dataclass(frozen=True)
class Submitted:
    """A month's run with its configuration, and the files that it was calculated from."""

    run: Row[Any]
    files: Sequence[Row[Any]]


def read_submitted(connection: Connection, run: Row[Any]) -> Submitted:
    """``run`` is one of ``runs_to_show``."""
    return Submitted(_run(connection, run.id), _files(connection, run.submission_id))


def _run(connection: Connection, run_id: int) -> Row[Any]:
    runs, users, configurations = tables.runs, tables.users, tables.configurations
    query = (
        sa.select(
            runs,
            users.c.name.label("asked_by"),
            configurations.c.title.label("tariff"),
            configurations.c.revision,
        )
        .outerjoin(users, users.c.id == runs.c.requested_by)
        .join(configurations, configurations.c.id == runs.c.configuration_id)
        .where(runs.c.id == run_id)
    )
    return connection.execute(query).one()


def _files(connection: Connection, submission_id: int) -> Sequence[Row[Any]]:
    files, users = tables.files, tables.users
    query = (
        sa.select(files, users.c.name.label("by"))
        .outerjoin(users, users.c.id == files.c.uploaded_by)
        .where(files.c.submission_id == submission_id, files.c.state == FileState.READY)
        .order_by(files.c.position)
    )
    return connection.execute(query).all()
