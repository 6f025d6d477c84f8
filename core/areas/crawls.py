"""Crawls of the spider: requested, begun, resumed; and the questions they consist of.

A question is an area whose children are asked for. It waits until it is answered, fails, or is
held for a person; an answered question is not asked again, so a crawl resumes where it stopped.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.access.scope import require
from core.areas.answers import Page
from core.areas.register_store import ensure_register, name_of
from core.areas.sources import Source, askable_kinds
from core.database import tables
from core.database.locks import hold_until_end
from core.database.moving import change_state, lock_row
from core.engine.areas.kinds import kind_of
from core.events.failures import mark_resolved, mark_retried, record_failure
from core.events.outbox import raise_event
from core.support.faults import Fault
from core.user_errors import UserError
from core.vocabulary import event_catalogue
from core.vocabulary.failure_kinds import FailureKind
from core.vocabulary.permissions import Action
from core.vocabulary.states.areas import SPIDER_MACHINE, SpiderState

OPEN = (SpiderState.PLANNED, SpiderState.RUNNING)
LOCK = "walks"  # of two simultaneous requests the second is refused

FAILURE_TEXT = "The crawl stopped: {reason}. What was answered is kept. Reference {reference}."


@dataclass(frozen=True)
class Crawl:
    """A crawl of a source. ``day`` is the date of changes that the source does not date."""

    id: int
    state: SpiderState
    source: str
    within: str | None
    area: str  # in words
    day: dt.date


@dataclass(frozen=True)
class Question:
    """An area to be asked about; ``accepted`` are the pages of an answer that a person accepted."""

    id: int
    parent: str
    kind: str
    name: str
    accepted: tuple[Page, ...] | None = None


def request_crawl(
    connection: Connection, source: Source, *, within: str | None, user_id: int | None
) -> int:
    """Plans a crawl and requests its run; returns its id. Raises ``UserError``."""
    require(connection, user_id, Action.OPERATE)
    hold_until_end(connection, LOCK)
    refuse_if_running(connection)
    start = within or source.root
    name = name_of(connection, start)
    if kind_of(start) not in askable_kinds(source):
        raise UserError(
            f"{name} ({start}) is a {kind_of(start)}; {source.title} is asked about areas of the "
            f"kinds {', '.join(askable_kinds(source))}"
        )
    runs = tables.spider_runs
    values = {"source": source.name, "within": within, "requested_by": user_id}
    made = connection.execute(runs.insert().values(values).returning(runs.c.id))
    run_id = int(made.scalar_one())
    event = event_catalogue.SpiderRequested(run_id=run_id, area=f"{name} ({start})")
    raise_event(connection, event, user_id)
    return run_id


def load_crawl(connection: Connection, run_id: int, source: Source) -> Crawl:
    """A crawl in its current state."""
    runs = tables.spider_runs
    row = connection.execute(sa.select(runs).where(runs.c.id == run_id)).one()
    start = row.within or source.root
    day = (row.started_at or dt.datetime.now(dt.UTC)).astimezone(dt.UTC).date()
    area = f"{name_of(connection, start)} ({start})"
    return Crawl(row.id, SpiderState(row.state), row.source, row.within, area, day)


def source_of(connection: Connection, run_id: int) -> str:
    """The name of the source of a crawl; raises ``UserError`` for an unknown crawl."""
    runs = tables.spider_runs
    source = connection.execute(sa.select(runs.c.source).where(runs.c.id == run_id)).scalar()
    if source is None:
        raise UserError(f"there is no crawl {run_id}")
    return str(source)


def begin_crawl(
    connection: Connection, run_id: int, source: Source, *, flow_run: str | None
) -> None:
    """Moves a planned crawl to running and queues its first question; a running one continues."""
    runs = tables.spider_runs
    ensure_register(connection)
    if lock_row(connection, runs, run_id) == SpiderState.PLANNED:
        _move(connection, run_id, SpiderState.RUNNING, started_at=sa.func.now())
    connection.execute(runs.update().where(runs.c.id == run_id).values(flow_run=flow_run))
    within = connection.execute(sa.select(runs.c.within).where(runs.c.id == run_id)).scalar()
    queue_questions(connection, run_id, [within or source.root])


def queue_questions(connection: Connection, run_id: int, parents: list[str]) -> None:
    """Queues areas to be asked about, except those that the crawl has already."""
    if not parents:
        return
    rows = [
        {"run_id": run_id, "parent": parent, "kind": kind_of(parent)} for parent in sorted(parents)
    ]
    connection.execute(insert(tables.spider_questions).values(rows).on_conflict_do_nothing())


def waiting_questions(connection: Connection, run_id: int) -> list[Question]:
    """The questions that wait, in the order in which they were queued."""
    questions, areas = tables.spider_questions.c, tables.areas.c
    query = (
        sa.select(
            questions.id,
            questions.parent,
            questions.kind,
            areas.name,
            questions.accepted,
            questions.held_pages,
        )
        .join_from(tables.spider_questions, tables.areas, areas.code == questions.parent)
        .where(questions.run_id == run_id, is_waiting())
        .order_by(questions.id)
    )
    return [_question(row) for row in connection.execute(query)]


def is_waiting() -> sa.ColumnElement[bool]:
    """SQL: the question is neither answered, nor failed, nor held."""
    ends = tables.spider_questions.c
    return sa.func.num_nonnulls(ends.answered_at, ends.failed_at, ends.held_at) == 0


def mark_asked(connection: Connection, question: Question) -> None:
    """Records the time at which a question was first asked."""
    questions = tables.spider_questions
    first = sa.func.coalesce(questions.c.asked_at, sa.func.now())
    connection.execute(
        questions.update().where(questions.c.id == question.id).values(asked_at=first)
    )


def fail_crawl(connection: Connection, run_id: int, area: str, fault: Fault) -> str:
    """Stops a crawl, whose answers are kept; returns the reference. ``area`` is in words."""
    lock_row(connection, tables.spider_runs, run_id)
    reference = record_failure(
        connection,
        FailureKind.SPIDER,
        fault,
        subject=f"spider/{run_id}",
        title=f"areas of {area}",
        payload={"run_id": run_id},
    )
    text = FAILURE_TEXT.format(reason=fault.reason.rstrip("."), reference=reference)
    _move(connection, run_id, SpiderState.FAILED, reference, failure=text)
    raise_event(
        connection, event_catalogue.SpiderFailed(run_id=run_id, area=area, reason=reference)
    )
    return reference


def resume(connection: Connection, run_id: int, *, user_id: int | None, reason: str) -> None:
    """Resumes a crawl that stopped or ended with errors; raises ``UserError``.

    A running one needs nothing. One that stopped repeats the questions that failed.
    """
    hold_until_end(connection, LOCK)
    state = lock_row(connection, tables.spider_runs, run_id)
    if state in OPEN:
        return
    refuse_if_running(connection)
    if state == SpiderState.FAILED:
        questions = tables.spider_questions
        failed = sa.and_(questions.c.run_id == run_id, questions.c.failed_at.is_not(None))
        connection.execute(questions.update().where(failed).values(failed_at=None, failure=None))
    cleared = {"failure": None, "finished_at": None}
    _move(connection, run_id, SpiderState.RUNNING, reason, user_id=user_id, **cleared)
    mark_retried(connection, f"spider/{run_id}", why=reason, user_id=user_id)
    payload = connection.execute(
        sa.select(tables.events.c.payload)
        .where(
            tables.events.c.subject == f"spider/{run_id}",
            tables.events.c.name == event_catalogue.SpiderRequested.name,
        )
        .order_by(tables.events.c.id.desc())
        .limit(1)
    ).scalar_one()
    before = event_catalogue.SpiderRequested.model_validate(payload)
    again = before.model_copy(update={"again": before.again + 1})
    raise_event(connection, again, user_id)


def end_crawl(
    connection: Connection, crawl: Crawl, state: SpiderState, summary: dict[str, int]
) -> None:
    """Ends a crawl whose questions have all ended."""
    _move(
        connection,
        crawl.id,
        state,
        finished_at=sa.func.now(),
        summary=summary,
    )
    mark_resolved(connection, f"spider/{crawl.id}", why=f"the crawl is {state}")


def _move(
    connection: Connection, run_id: int, state: SpiderState, reason: str = "", **values: Any
) -> None:
    change_state(
        connection, tables.spider_runs, SPIDER_MACHINE, run_id, state, reason=reason, **values
    )


def refuse_if_running(connection: Connection) -> None:
    """Raises ``UserError`` while a crawl is under way."""
    runs = tables.spider_runs
    standing = connection.execute(sa.select(runs.c.id).where(runs.c.state.in_(OPEN))).scalar()
    if standing is not None:
        raise UserError(f"crawl {standing} is under way; ask again when it has ended")


def _question(row: sa.Row[Any]) -> Question:
    pages = row.held_pages if row.accepted else None
    accepted = None if pages is None else tuple(map(Page.from_document, pages))
    return Question(row.id, row.parent, row.kind, row.name, accepted)
