"""Decisions of a person about answers: accept one that is held, or ask about an area again."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import require
from core.areas.crawls import OPEN, request_crawl, resume
from core.areas.sources import Source
from core.database import tables
from core.database.moving import lock_row
from core.events.failures import Failure, mark_retried
from core.user_errors import UserError
from core.vocabulary.permissions import Action


def accept(connection: Connection, parent: str, *, user_id: int | None, by: str = "") -> int:
    """Accepts the answer that is held for an area; returns the id of its crawl.

    Raises ``UserError``.
    """
    return _release(connection, parent, user_id, f"accepted {by}".strip(), accepted=True)


def ask_again(connection: Connection, parent: str, *, user_id: int | None, by: str = "") -> int:
    """Discards the held answer and asks the source again; returns the id of its crawl.

    Raises ``UserError``.
    """
    return _release(connection, parent, user_id, f"asked again {by}".strip(), accepted=False)


def _release(
    connection: Connection, parent: str, user_id: int | None, action: str, *, accepted: bool
) -> int:
    require(connection, user_id, Action.OPERATE)
    questions = tables.spider_questions
    row = connection.execute(
        sa.select(questions.c.id, questions.c.run_id)
        .where(questions.c.parent == parent, questions.c.held_at.is_not(None))
        .order_by(questions.c.id.desc())
        .limit(1)
    ).first()
    if row is None:
        raise UserError(f"no answer is held for {parent}; `grouper spider show` lists those held")
    lock_row(connection, tables.spider_runs, row.run_id)
    values = {"held_at": None, "accepted": accepted, "accepted_by": user_id}
    if not accepted:
        values["held_pages"] = None
    connection.execute(questions.update().where(questions.c.id == row.id).values(values))
    connection.execute(
        tables.audit.insert().values(
            user_id=user_id, action=f"answer {action}", subject=f"area/{parent}"
        )
    )
    resume(connection, row.run_id, user_id=user_id, reason=f"the answer of {parent} was {action}")
    return int(row.run_id)


def retry_area(
    connection: Connection, failure: Failure, source: Source, user_id: int | None, reason: str
) -> None:
    """Asks about the area of a failure again: in its crawl if it is the last, else in a new one."""
    question_id = failure.payload.get("question_id")
    mark_retried(connection, failure.work, why=reason, user_id=user_id)
    questions = tables.spider_questions
    waiting = {"failed_at": None, "failure": None, "answered_at": None}
    reset = None
    if question_id is not None and _is_last(connection, failure.payload["run_id"]):
        again = questions.update().where(questions.c.id == question_id).values(waiting)
        reset = connection.execute(again.returning(questions.c.id)).scalar()
    if reset is None:
        within = failure.payload.get("parent")
        request_crawl(connection, source, within=within, user_id=user_id)
        return
    resume(connection, failure.payload["run_id"], user_id=user_id, reason=reason)


def _is_last(connection: Connection, run_id: int) -> bool:
    """Whether no other crawl came after, and this one can be resumed."""
    runs = tables.spider_runs
    last = connection.execute(
        sa.select(runs.c.id, runs.c.state).order_by(runs.c.id.desc()).limit(1)
    ).one()
    return bool(last.id == run_id and (last.state in OPEN or last.state != "complete"))
