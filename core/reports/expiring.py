"""Reports are kept for so many days; then their files go, and they can be asked for again."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy import Engine

from core.database import tables
from core.files.store import FileStore
from core.submissions.transitions import move
from core.vocabulary.states.reports import REPORT_MACHINE, ReportState


def expire_reports(engine: Engine, store: FileStore, now: dt.datetime) -> int:
    """Ends the reports whose time is over and removes their files; gives how many ended.

    A file is forgotten only once it is removed, so that one left by a fault goes the next time.
    """
    reports = tables.reports
    with engine.begin() as connection:
        over = sa.select(reports.c.id).where(
            reports.c.state == ReportState.READY, reports.c.expires_at <= now
        )
        ended = connection.execute(over.with_for_update(skip_locked=True)).scalars().all()
        for report_id in ended:
            move(
                connection,
                reports,
                REPORT_MACHINE,
                report_id,
                ReportState.EXPIRED,
                reason="kept long enough",
                storage_key=None,
            )
    _remove_files(engine, store)
    return len(ended)


def _remove_files(engine: Engine, store: FileStore) -> None:
    files, reports = tables.report_files, tables.reports
    query = (
        sa.select(files.c.storage_key)
        .join(reports, reports.c.id == files.c.report_id)
        .where(reports.c.state == ReportState.EXPIRED)
    )
    with engine.connect() as connection:
        keys = connection.execute(query).scalars().all()
    for key in keys:
        store.delete(key)
        with engine.begin() as connection:
            connection.execute(files.delete().where(files.c.storage_key == key))
