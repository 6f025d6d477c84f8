"""Imports one answer into the register: the children of one parent, in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.areas.answers import FoundArea, Page
from core.areas.crawls import Crawl, Question, queue_questions
from core.areas.differences import Difference, RegisteredArea, compare, merge
from core.areas.register_store import increment_version
from core.areas.source_client import Answer, CachedAnswer
from core.database import tables
from core.engine.areas.kinds import kind_of
from core.events.failures import OPEN, mark_resolved, record_failure
from core.events.outbox import raise_event
from core.support.faults import Fault
from core.vocabulary import event_catalogue
from core.vocabulary.failure_kinds import FailureKind

HELD = (
    "The answer has {children} areas within {name} where the register has {known}, and lacks "
    "{missing}"
)
WITHIN_ITSELF = "The source says that {codes} lies within {name} ({code}), which lies within it"
LISTED = 5

_AREA = ("code", "name", "name_welsh", "parent", "begins", "ends", "longitude", "latitude")
_NEW_AREAS = sa.text("""
    INSERT INTO areas (code, name, name_welsh, parent, begins, ends, longitude, latitude)
    SELECT * FROM unnest(
        CAST(:code AS text[]), CAST(:name AS text[]), CAST(:name_welsh AS text[]),
        CAST(:parent AS text[]), CAST(:begins AS date[]), CAST(:ends AS date[]),
        CAST(:longitude AS double precision[]), CAST(:latitude AS double precision[])
    )
    ON CONFLICT DO NOTHING RETURNING code
""")


def cached_answer(connection: Connection, source: str, address: str) -> CachedAnswer | None:
    """The answer of an address that an earlier crawl stored."""
    answers = tables.area_answers
    row = connection.execute(
        sa.select(answers).where(answers.c.source == source, answers.c.address == address)
    ).first()
    if row is None:
        return None
    return CachedAnswer(row.etag, row.last_modified, Page.from_document(row.page))


def import_answers(
    connection: Connection,
    crawl: Crawl,
    question: Question,
    answers: Sequence[Answer],
    asks: Sequence[str],
) -> Difference | None:
    """Imports all pages of a question, or holds them for a person; None if it is answered already.

    ``asks`` are the kinds whose areas are asked about in turn.
    """
    if not _lock(connection, question):
        return None
    pages = [answer.page for answer in answers]
    areas = merge(pages if question.accepted is None else question.accepted)
    registered = _registered(connection, question.parent, list(areas))
    ancestors = _ancestors(connection, question.parent)
    difference = compare(question.parent, areas, registered, ancestors, crawl.day)
    if difference.needs_review and question.accepted is None:
        _hold(connection, crawl, question, pages, difference)
        return difference
    difference = _apply(connection, crawl, question, difference)
    children = [code for code in difference.children if kind_of(code) in asks]
    queue_questions(connection, crawl.id, children)
    _cache(connection, crawl.source, answers)
    _end(connection, question, difference)
    _raise_events(connection, crawl, question, difference)
    if difference.changes_register:
        increment_version(connection)
    return difference


def fail_question(connection: Connection, crawl: Crawl, question: Question, fault: Fault) -> str:
    """Fails a question and puts it into the error queue; returns the reference."""
    _lock(connection, question)
    values = {"failed_at": sa.func.now(), "failure": fault.reason}
    _change(connection, question, values)
    return _record(connection, crawl, question, fault)


def is_recorded(connection: Connection, work: str, reason: str) -> bool:
    """Whether the error queue has the same failure already, which is not reported every month."""
    failures = tables.failures.c
    query = sa.select(failures.id).where(
        failures.work == work, failures.state.in_(OPEN), failures.reason == reason
    )
    return connection.execute(query).first() is not None


def work_of(parent: str) -> str:
    """The name in the error queue of the question about an area."""
    return f"area/{parent}"


def _lock(connection: Connection, question: Question) -> bool:
    """Locks the question; returns whether it still waits."""
    questions = tables.spider_questions
    row = connection.execute(
        sa.select(questions).where(questions.c.id == question.id).with_for_update()
    ).one()
    return row.answered_at is None and row.failed_at is None and row.held_at is None


def _registered(connection: Connection, parent: str, codes: list[str]) -> dict[str, RegisteredArea]:
    areas = tables.areas.c
    query = sa.select(*(areas[name] for name in _AREA)).where(
        sa.or_(areas.code.in_(codes), areas.parent == parent)
    )
    return {row.code: RegisteredArea(**row._mapping) for row in connection.execute(query)}


def _ancestors(connection: Connection, code: str) -> set[str]:
    areas = tables.areas
    above = sa.select(areas.c.parent).where(areas.c.code == code).cte(recursive=True)
    above = above.union(sa.select(areas.c.parent).join(above, areas.c.code == above.c.parent))
    parents = connection.execute(sa.select(above.c.parent)).scalars()
    return {parent for parent in parents if parent is not None}


def _apply(
    connection: Connection, crawl: Crawl, question: Question, difference: Difference
) -> Difference:
    """Writes the changes; returns them without areas that another parent added first."""
    before = crawl.day - dt.timedelta(days=1)
    keep_periods(connection, [each.code for each in difference.changed if each.renames], before)
    for change in difference.changed:
        update_area(connection, change.code, change.values)
    for area in difference.retired:
        update_area(connection, area.code, {"ends": area.ends or before})
    if not difference.new:
        return difference
    written = _insert(connection, [_row(area, question.parent, before) for area in difference.new])
    new = tuple(area for area in difference.new if area.code in written)
    lost = tuple(area.code for area in difference.new if area.code not in written)
    return replace(difference, new=new, claimed=(*difference.claimed, *lost))


def _insert(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> set[str]:
    """Adds areas in one statement; returns the codes of those that did not exist."""
    columns = dict(zip(_AREA, map(list, zip(*rows, strict=True)), strict=True))
    return set(connection.execute(_NEW_AREAS, columns).scalars())


def keep_periods(connection: Connection, codes: Sequence[str], until: dt.date) -> None:
    """Records the current name and parent of areas as a period that ends at ``until``."""
    if not codes:
        return
    areas = tables.areas.c
    names = ["code", "name", "name_welsh", "parent", "since", "until"]
    now = sa.select(*(areas[name] for name in names[:-1]), sa.literal(until)).where(
        areas.code.in_(codes)
    )
    connection.execute(insert(tables.area_periods).from_select(names, now).on_conflict_do_nothing())


def update_area(connection: Connection, code: str, values: Mapping[str, Any]) -> None:
    """Changes one area."""
    areas = tables.areas
    connection.execute(areas.update().where(areas.c.code == code).values(dict(values)))


def _row(area: FoundArea, parent: str, before: dt.date) -> tuple[Any, ...]:
    ends = area.ends or (None if area.in_force else before)
    place = (area.longitude, area.latitude)
    return (area.code, area.name, area.name_welsh, parent, area.begins, ends, *place)


def _hold(
    connection: Connection,
    crawl: Crawl,
    question: Question,
    pages: Sequence[Page],
    difference: Difference,
) -> None:
    lacks = ", ".join(difference.missing[:LISTED])
    more = len(difference.missing) - LISTED
    reason = HELD.format(
        children=len(difference.children),
        name=question.name,
        known=difference.known,
        missing=f"{lacks} and {more} more" if more > 0 else lacks,
    )
    documents = [page.as_document() for page in pages]
    values = {"held_at": sa.func.now(), "failure": reason, "held_pages": documents}
    _change(connection, question, values)
    event = event_catalogue.AreaHeld(
        run_id=crawl.id, code=question.parent, area=question.name, reason=reason
    )
    raise_event(connection, event)


def _end(connection: Connection, question: Question, difference: Difference) -> None:
    values = {
        "answered_at": sa.func.now(),
        "failure": None,
        "held_pages": None,
        "children": len(difference.children),
        "new": len(difference.new),
        "changed": len(difference.changed),
        "retired": len(difference.retired),
        "unchanged": difference.unchanged,
        "missing": list(difference.missing) or None,
        "claimed": list(difference.claimed) or None,
        "contradictions": list(difference.contradictions) or None,
    }
    _change(connection, question, values)


def _raise_events(
    connection: Connection, crawl: Crawl, question: Question, difference: Difference
) -> None:
    if difference.contradictions:
        codes = ", ".join(difference.contradictions[:LISTED])
        reason = WITHIN_ITSELF.format(codes=codes, name=question.name, code=question.parent)
        if not is_recorded(connection, work_of(question.parent), reason):
            _record(connection, crawl, question, Fault(reason))
    else:
        mark_resolved(connection, work_of(question.parent), why="it was answered")
    if difference.changes_register:
        event = event_catalogue.AreaFound(
            run_id=crawl.id,
            code=question.parent,
            area=question.name,
            new=len(difference.new),
            changed=len(difference.changed),
            retired=len(difference.retired),
        )
        raise_event(connection, event)


def _record(connection: Connection, crawl: Crawl, question: Question, fault: Fault) -> str:
    return record_failure(
        connection,
        FailureKind.AREA,
        fault,
        subject=work_of(question.parent),
        title=f"areas within {question.name} ({question.parent})",
        payload={"run_id": crawl.id, "question_id": question.id, "parent": question.parent},
    )


def _cache(connection: Connection, source: str, answers: Sequence[Answer]) -> None:
    """Stores the pages that are new, with their validators."""
    new_answers = [
        (answer.address, answer.cached) for answer in answers if answer.cached is not None
    ]
    if not new_answers:
        return
    rows = [
        {
            "source": source,
            "address": address,
            "etag": cached.etag,
            "last_modified": cached.last_modified,
            "page": cached.page.as_document(),
        }
        for address, cached in new_answers
    ]
    statement = insert(tables.area_answers).values(rows)
    new = {name: statement.excluded[name] for name in ("etag", "last_modified", "page")}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["source", "address"], set_=new)
    )


def _change(connection: Connection, question: Question, values: Mapping[str, Any]) -> None:
    questions = tables.spider_questions
    connection.execute(questions.update().where(questions.c.id == question.id).values(dict(values)))
