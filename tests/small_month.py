"""A small month of the first provider on the session's services, up to where a test begins."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from core.database import tables
from core.engine.samples.activity import make_activity
from core.engine.samples.writing import write_activity
from deployments.demo import story
from deployments.demo.activity import DemoFile

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from core.submissions.commands.requests import RunKind

PROVIDER, PERSON = "ZX1", "amira@zx1.example"


def small_month(
    engine: Engine, folder: Path, month: dt.date, kind: RunKind, *, rows: int = 300
) -> story.Month:
    """Uploads a file without errors, and runs the month."""
    activity = make_activity(rows, PROVIDER, month, seed=month.month)
    path = folder / f"{month:%B %Y}.csv"
    write_activity(activity, path)
    users = tables.users
    with engine.connect() as connection:
        wanted = sa.select(users.c.id).where(users.c.subject == PERSON)
        user = connection.execute(wanted).scalar_one()
    file = DemoFile(PROVIDER, path, {}, activity)
    uploaded = story.upload(engine, file, user, month=month)
    story.wait_for_check(engine, uploaded)
    run(engine, uploaded, kind)
    return uploaded


def run(engine: Engine, month: story.Month, kind: RunKind) -> int:
    """Runs a month and waits for its end; gives the run's id."""
    story.submit(engine, month, kind)
    return story.wait_for_run(engine, month, print).run_id
