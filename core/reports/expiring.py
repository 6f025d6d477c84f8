"""Expires reports after their days of keeping: their files are deleted; they can be made again."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy import Engine

from core.database import tables
from core.files.store import FileStore
from core.submissions.transitions import move
from core.vocabulary.states.reports import REPORT_MACHINE, ReportState


def expire_reports(engine: Engine, store: FileStore, now: dt.datetime) -> int:
    """Expires the reports that are due and deletes their files; returns how many expired.

    The row of a file is deleted only after the file, so the next call deletes one left by a fault.
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
