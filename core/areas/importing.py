"""Takes one answer into the register: the children of one parent, in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.areas.answers import Found, Page
from core.areas.asking import Answer, Kept
from core.areas.differences import Difference, Known, compare, merge
from core.areas.register_store import count_up
from core.areas.walks import Question, Walk, put_questions
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


def kept_of(connection: Connection, source: str, address: str) -> Kept | None:
    """What an earlier walk kept of an address."""
    answers = tables.area_answers
    row = connection.execute(
        sa.select(answers).where(answers.c.source == source, answers.c.address == address)
    ).first()
    if row is None:
        return None
    return Kept(row.etag, row.last_modified, Page.from_document(row.page))


def import_answers(
    connection: Connection,
    walk: Walk,
    question: Question,
    answers: Sequence[Answer],
    asks: Sequence[str],
) -> Difference | None:
    """Takes all pages of a question in, or holds them for a person; None if another did it.

    ``asks`` are the kinds whose areas are asked about in turn.
    """
    if not _lock(connection, question):
        return None
    pages = [answer.page for answer in answers]
    found = merge(pages if question.accepted is None else question.accepted)
    known = _known(connection, question.parent, list(found))
    ancestors = _ancestors(connection, question.parent)
    difference = compare(question.parent, found, known, ancestors, walk.day)
    if difference.shrinks and question.accepted is None:
        _hold(connection, walk, question, pages, difference)
        return difference
    difference = _apply(connection, walk, question, difference)
    children = [code for code in difference.children if kind_of(code) in asks]
    put_questions(connection, walk.id, children)
    _keep(connection, walk.source, answers)
    _end(connection, question, difference)
    _tell(connection, walk, question, difference)
    if difference.news:
        count_up(connection)
    return difference


def fail_question(connection: Connection, walk: Walk, question: Question, fault: Fault) -> str:
    """Gives a question up, to the error queue; gives the reference."""
    _lock(connection, question)
    values = {"failed_at": sa.func.now(), "failure": fault.reason}
    _change(connection, question, values)
    return _record(connection, walk, question, fault)


def is_known(connection: Connection, work: str, reason: str) -> bool:
    """Whether the error queue says the same of it already: it is not told of every month."""
    failures = tables.failures.c
    query = sa.select(failures.id).where(
        failures.work == work, failures.state.in_(OPEN), failures.reason == reason
    )
    return connection.execute(query).first() is not None


def work_of(parent: str) -> str:
    """What the error queue calls the question about an area."""
    return f"area/{parent}"


def _lock(connection: Connection, question: Question) -> bool:
    """Whether the question still waits; nobody else answers it from here on."""
    questions = tables.spider_questions
    row = connection.execute(
        sa.select(questions).where(questions.c.id == question.id).with_for_update()
    ).one()
    return row.answered_at is None and row.failed_at is None and row.held_at is None


def _known(connection: Connection, parent: str, codes: list[str]) -> dict[str, Known]:
    areas = tables.areas.c
    query = sa.select(*(areas[name] for name in _AREA)).where(
        sa.or_(areas.code.in_(codes), areas.parent == parent)
    )
    return {row.code: Known(**row._mapping) for row in connection.execute(query)}


def _ancestors(connection: Connection, code: str) -> set[str]:
    areas = tables.areas
    above = sa.select(areas.c.parent).where(areas.c.code == code).cte(recursive=True)
    above = above.union(sa.select(areas.c.parent).join(above, areas.c.code == above.c.parent))
    found = connection.execute(sa.select(above.c.parent)).scalars()
    return {each for each in found if each is not None}


def _apply(connection: Connection, walk: Walk, question: Question, found: Difference) -> Difference:
    """Writes what is new, and gives what it came to: another parent may have been quicker."""
    before = walk.day - dt.timedelta(days=1)
    keep_periods(connection, [each.code for each in found.changed if each.renames], before)
    for change in found.changed:
        update_area(connection, change.code, change.values)
    for area in found.retired:
        update_area(connection, area.code, {"ends": area.ends or before})
    if not found.new:
        return found
    written = _insert(connection, [_row(area, question.parent, before) for area in found.new])
    new = tuple(area for area in found.new if area.code in written)
    lost = tuple(area.code for area in found.new if area.code not in written)
    return replace(found, new=new, claimed=(*found.claimed, *lost))


def _insert(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> set[str]:
    """Adds areas; the codes of those that were not there. One statement whatever their number."""
    columns = dict(zip(_AREA, map(list, zip(*rows, strict=True)), strict=True))
    return set(connection.execute(_NEW_AREAS, columns).scalars())


def keep_periods(connection: Connection, codes: Sequence[str], until: dt.date) -> None:
    """Keeps name and parent of areas as they are, before one of them changes."""
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


def _row(area: Found, parent: str, before: dt.date) -> tuple[Any, ...]:
    ends = area.ends or (None if area.in_force else before)
    place = (area.longitude, area.latitude)
    return (area.code, area.name, area.name_welsh, parent, area.begins, ends, *place)


def _hold(
    connection: Connection,
    walk: Walk,
    question: Question,
    pages: Sequence[Page],
    found: Difference,
) -> None:
    lacks = ", ".join(found.missing[:LISTED])
    more = len(found.missing) - LISTED
    reason = HELD.format(
        children=len(found.children),
        name=question.name,
        known=found.known,
        missing=f"{lacks} and {more} more" if more > 0 else lacks,
    )
    documents = [page.as_document() for page in pages]
    values = {"held_at": sa.func.now(), "failure": reason, "held_pages": documents}
    _change(connection, question, values)
    event = event_catalogue.AreaHeld(
        run_id=walk.id, code=question.parent, area=question.name, reason=reason
    )
    raise_event(connection, event)


def _end(connection: Connection, question: Question, found: Difference) -> None:
    values = {
        "answered_at": sa.func.now(),
        "failure": None,
        "held_pages": None,
        "children": len(found.children),
        "new": len(found.new),
        "changed": len(found.changed),
        "retired": len(found.retired),
        "unchanged": found.unchanged,
        "missing": list(found.missing) or None,
        "claimed": list(found.claimed) or None,
        "contradictions": list(found.contradictions) or None,
    }
    _change(connection, question, values)


def _tell(connection: Connection, walk: Walk, question: Question, found: Difference) -> None:
    if found.contradictions:
        codes = ", ".join(found.contradictions[:LISTED])
        reason = WITHIN_ITSELF.format(codes=codes, name=question.name, code=question.parent)
        if not is_known(connection, work_of(question.parent), reason):
            _record(connection, walk, question, Fault(reason))
    else:
        mark_resolved(connection, work_of(question.parent), why="it was answered")
    if found.news:
        event = event_catalogue.AreaFound(
            run_id=walk.id,
            code=question.parent,
            area=question.name,
            new=len(found.new),
            changed=len(found.changed),
            retired=len(found.retired),
        )
        raise_event(connection, event)


def _record(connection: Connection, walk: Walk, question: Question, fault: Fault) -> str:
    return record_failure(
        connection,
        FailureKind.AREA,
        fault,
        subject=work_of(question.parent),
        title=f"areas within {question.name} ({question.parent})",
        payload={"run_id": walk.id, "question_id": question.id, "parent": question.parent},
    )


def _keep(connection: Connection, source: str, answers: Sequence[Answer]) -> None:
    """Remembers what the source said of a page, where it said anything new."""
    kept = [(answer.address, answer.kept) for answer in answers if answer.kept is not None]
    if not kept:
        return
    rows = [
        {
            "source": source,
            "address": address,
            "etag": each.etag,
            "last_modified": each.last_modified,
            "page": each.page.as_document(),
        }
        for address, each in kept
    ]
    statement = insert(tables.area_answers).values(rows)
    new = {name: statement.excluded[name] for name in ("etag", "last_modified", "page")}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["source", "address"], set_=new)
    )


def _change(connection: Connection, question: Question, values: Mapping[str, Any]) -> None:
    questions = tables.spider_questions
    connection.execute(questions.update().where(questions.c.id == question.id).values(dict(values)))
