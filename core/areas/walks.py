"""Walks of the spider: asked for, begun, taken up again; and the questions they consist of.

A question is an area whose children are asked for. It waits until it is answered, fails, or is
held for a person; what is answered is not asked again, so a walk goes on where it stopped.
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
from core.areas.sources import Source, asked_of
from core.database import tables
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
ADVISORY_LOCK = 0x737069646572  # two who ask for a walk at once: the second is refused

FAILURE_TEXT = "The walk stopped: {reason}. What was answered is kept. Reference {reference}."


@dataclass(frozen=True)
class Walk:
    """A walk down a source. ``day`` is the date of what it finds and the source does not date."""

    id: int
    state: SpiderState
    source: str
    within: str | None
    area: str  # in words
    day: dt.date


@dataclass(frozen=True)
class Question:
    """An area to be asked about; ``accepted`` is an answer that a person has looked at."""

    id: int
    parent: str
    kind: str
    name: str
    accepted: tuple[Page, ...] | None = None


def request_walk(
    connection: Connection, source: Source, *, within: str | None, user_id: int | None
) -> int:
    """Plans a walk and asks for its run; gives its id. Raises ``UserError``."""
    require(connection, user_id, Action.OPERATE)
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ADVISORY_LOCK)))
    refuse_second(connection)
    start = within or source.root
    name = name_of(connection, start)
    if kind_of(start) not in asked_of(source):
        raise UserError(
            f"{name} ({start}) is a {kind_of(start)}; {source.title} is asked about areas of the "
            f"kinds {', '.join(asked_of(source))}"
        )
    runs = tables.spider_runs
    values = {"source": source.name, "within": within, "requested_by": user_id}
    made = connection.execute(runs.insert().values(values).returning(runs.c.id))
    run_id = int(made.scalar_one())
    event = event_catalogue.SpiderRequested(run_id=run_id, area=f"{name} ({start})")
    raise_event(connection, event, user_id)
    return run_id


def load_walk(connection: Connection, run_id: int, source: Source) -> Walk:
    """A walk as it stands."""
    runs = tables.spider_runs
    row = connection.execute(sa.select(runs).where(runs.c.id == run_id)).one()
    start = row.within or source.root
    day = (row.started_at or dt.datetime.now(dt.UTC)).astimezone(dt.UTC).date()
    area = f"{name_of(connection, start)} ({start})"
    return Walk(row.id, SpiderState(row.state), row.source, row.within, area, day)


def source_of(connection: Connection, run_id: int) -> str:
    """The name of the source that a walk goes down; raises ``UserError`` for an unknown walk."""
    runs = tables.spider_runs
    found = connection.execute(sa.select(runs.c.source).where(runs.c.id == run_id)).scalar()
    if found is None:
        raise UserError(f"there is no walk {run_id}")
    return str(found)


def begin_walk(
    connection: Connection, run_id: int, source: Source, *, flow_run: str | None
) -> None:
    """Moves a planned walk on to running and puts its first question; one that runs goes on."""
    runs = tables.spider_runs
    ensure_register(connection)
    if lock_row(connection, runs, run_id) == SpiderState.PLANNED:
        _move(connection, run_id, SpiderState.RUNNING, started_at=sa.func.now())
    connection.execute(runs.update().where(runs.c.id == run_id).values(flow_run=flow_run))
    within = connection.execute(sa.select(runs.c.within).where(runs.c.id == run_id)).scalar()
    put_questions(connection, run_id, [within or source.root])


def put_questions(connection: Connection, run_id: int, parents: list[str]) -> None:
    """Queues areas to be asked about; those that the walk has already are passed over."""
    if not parents:
        return
    rows = [
        {"run_id": run_id, "parent": parent, "kind": kind_of(parent)} for parent in sorted(parents)
    ]
    connection.execute(insert(tables.spider_questions).values(rows).on_conflict_do_nothing())


def waiting_questions(connection: Connection, run_id: int) -> list[Question]:
    """What is still to be asked, in the order in which it was found."""
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
        .where(questions.run_id == run_id, waits())
        .order_by(questions.id)
    )
    return [_question(row) for row in connection.execute(query)]


def waits() -> sa.ColumnElement[bool]:
    """Whether a question is neither answered, nor failed, nor held."""
    ends = tables.spider_questions.c
    return sa.func.num_nonnulls(ends.answered_at, ends.failed_at, ends.held_at) == 0


def note_asked(connection: Connection, question: Question) -> None:
    """Marks the moment at which a question was first asked."""
    questions = tables.spider_questions
    first = sa.func.coalesce(questions.c.asked_at, sa.func.now())
    connection.execute(
        questions.update().where(questions.c.id == question.id).values(asked_at=first)
    )


def fail_walk(connection: Connection, run_id: int, area: str, fault: Fault) -> str:
    """Stops a walk, which keeps what it has; gives the reference. ``area`` is in words."""
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
    """Has a walk that stopped or ended with errors go on with what waits; raises ``UserError``.

    One that runs goes on by itself. One that stopped asks again what failed before it did.
    """
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ADVISORY_LOCK)))
    state = lock_row(connection, tables.spider_runs, run_id)
    if state in OPEN:
        return
    refuse_second(connection)
    if state == SpiderState.FAILED:
        questions = tables.spider_questions
        failed = sa.and_(questions.c.run_id == run_id, questions.c.failed_at.is_not(None))
        connection.execute(questions.update().where(failed).values(failed_at=None, failure=None))
    cleared = {"failure": None, "finished_at": None}
    _move(connection, run_id, SpiderState.RUNNING, reason, user_id=user_id, **cleared)
    mark_retried(connection, f"spider/{run_id}", why=reason, user_id=user_id)
    asked = connection.execute(
        sa.select(tables.events.c.payload)
        .where(
            tables.events.c.subject == f"spider/{run_id}",
            tables.events.c.name == event_catalogue.SpiderRequested.name,
        )
        .order_by(tables.events.c.id.desc())
        .limit(1)
    ).scalar_one()
    before = event_catalogue.SpiderRequested.model_validate(asked)
    again = before.model_copy(update={"again": before.again + 1})
    raise_event(connection, again, user_id)


def end_walk(
    connection: Connection, walk: Walk, state: SpiderState, summary: dict[str, int]
) -> None:
    """Ends a walk whose questions all have their end."""
    _move(
        connection,
        walk.id,
        state,
        finished_at=sa.func.now(),
        summary=summary,
    )
    mark_resolved(connection, f"spider/{walk.id}", why=f"the walk is {state}")


def _move(
    connection: Connection, run_id: int, state: SpiderState, reason: str = "", **values: Any
) -> None:
    change_state(
        connection, tables.spider_runs, SPIDER_MACHINE, run_id, state, reason=reason, **values
    )


def refuse_second(connection: Connection) -> None:
    """Raises ``UserError`` while a walk is under way."""
    runs = tables.spider_runs
    standing = connection.execute(sa.select(runs.c.id).where(runs.c.state.in_(OPEN))).scalar()
    if standing is not None:
        raise UserError(f"walk {standing} is under way; ask again when it has ended")


def _question(row: sa.Row[Any]) -> Question:
    pages = row.held_pages if row.accepted else None
    accepted = None if pages is None else tuple(map(Page.from_document, pages))
    return Question(row.id, row.parent, row.kind, row.name, accepted)
