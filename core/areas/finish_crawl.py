"""Ends a crawl: moves areas, retires areas, and reports the months whose payers change.

Only at the end is it known whether an area that its former parent no longer has belongs to another.
Until then, claims to an area of another parent and areas that an answer lacks are only noted.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.areas.crawls import Crawl, end_crawl, is_waiting
from core.areas.importing import is_recorded, keep_periods, update_area, work_of
from core.areas.payers import MovedArea, report_changed_payers
from core.areas.register_store import increment_version
from core.database import tables
from core.database.moving import lock_row
from core.engine.areas.kinds import LSOA, kind_of
from core.events.failures import mark_resolved, record_failure
from core.events.outbox import raise_event
from core.support.faults import Fault
from core.vocabulary import event_catalogue
from core.vocabulary.failure_kinds import FailureKind
from core.vocabulary.states.areas import SpiderState

TWICE = "The source has {area} within {one} and within {other}"
STILL_THERE = "The source has {area} no more, but {count} LSOAs within it stand nowhere else"


@dataclass
class Plan:
    """The changes to make at the end of a crawl."""

    moves: dict[str, str] = field(default_factory=dict)  # code to its new parent
    retired: list[str] = field(default_factory=list)
    contradictions: dict[str, str] = field(default_factory=dict)  # code to a sentence


@dataclass(frozen=True)
class QuestionResult:
    """The result of a question that matters at the end."""

    done: bool
    missing: frozenset[str]


def finish_crawl(connection: Connection, crawl: Crawl) -> event_catalogue.SpiderFinished | None:
    """Ends the crawl in the caller's transaction; None while a question still waits."""
    lock_row(connection, tables.spider_runs, crawl.id)
    questions = tables.spider_questions
    of_crawl = questions.c.run_id == crawl.id
    if connection.execute(sa.select(questions.c.id).where(of_crawl, is_waiting())).first():
        return None
    rows = connection.execute(sa.select(questions).where(of_crawl).order_by(questions.c.id)).all()
    failed = sum(row.failed_at is not None for row in rows)
    held = sum(row.held_at is not None for row in rows)
    plan = _plan(connection, rows, complete=crawl.within is None and not failed and not held)
    _carry_out(connection, crawl, plan)
    _record_contradictions(connection, crawl, plan)
    contradictions = len(plan.contradictions) + sum(len(row.contradictions or ()) for row in rows)
    summary = {
        "new": sum(row.new for row in rows),
        "changed": sum(row.changed for row in rows) + len(plan.moves),
        "retired": sum(row.retired for row in rows) + len(plan.retired),
        "unchanged": max(0, sum(row.unchanged for row in rows) - len(plan.moves)),
        "failed": failed + contradictions,
        "held": held,
    }
    clean = not (failed or held or contradictions)
    state = SpiderState.COMPLETE if clean else SpiderState.INCOMPLETE
    finished = event_catalogue.SpiderFinished(
        run_id=crawl.id, area=crawl.area, state=_word(state), **summary
    )
    end_crawl(connection, crawl, state, summary)
    raise_event(connection, finished)
    _delete_earlier_questions(connection, crawl.id)
    return finished


def _word(state: SpiderState) -> Any:
    return str(state)


def _plan(connection: Connection, rows: Iterable[Any], *, complete: bool) -> Plan:
    plan = Plan()
    answered: dict[str, QuestionResult] = {}
    claims = defaultdict[str, list[str]](list)
    for row in rows:
        done = row.answered_at is not None
        answered[row.parent] = QuestionResult(done, frozenset(row.missing or ()))
        for code in row.claimed or ():
            claims[code].append(row.parent)
    parents = _parents(connection, claims)
    for code, claimants in sorted(claims.items()):
        _place(plan, code, parents[code], claimants, answered)
    if complete:
        missing = {code for each in answered.values() for code in each.missing}
        _retire(connection, plan, sorted(missing - set(claims)))
    return plan


def _place(
    plan: Plan,
    code: str,
    now: str | None,
    claimants: list[str],
    answered: Mapping[str, QuestionResult],
) -> None:
    """Moves an area to the only parent that claims it, if its former one no longer does."""
    new_parents = [each for each in claimants if each != now]
    if not new_parents:
        return
    before = answered.get(now or "")
    still = before is not None and code not in before.missing
    if still and before is not None and not before.done:
        return  # failed or held: its former parent has not answered
    if len(new_parents) > 1 or still:
        first, second = (str(now), new_parents[0]) if still else (new_parents[0], new_parents[1])
        plan.contradictions[code] = TWICE.format(area=code, one=first, other=second)
        return
    plan.moves[code] = new_parents[0]


def _parents(connection: Connection, codes: Iterable[str]) -> dict[str, str | None]:
    areas = tables.areas.c
    rows = connection.execute(sa.select(areas.code, areas.parent).where(areas.code.in_([*codes])))
    return {row.code: row.parent for row in rows}


def _retire(connection: Connection, plan: Plan, codes: list[str]) -> None:
    """Retires areas found nowhere, and those within them, unless LSOAs would be lost."""
    for code in codes:
        within = _in_force_within(connection, code)
        left = [each for each in within if each not in plan.moves]
        lost = [each for each in left if kind_of(each) == LSOA and each != code]
        if lost:
            plan.contradictions[code] = STILL_THERE.format(area=code, count=len(lost))
        else:
            plan.retired += left


def _in_force_within(connection: Connection, code: str) -> list[str]:
    """The codes of the area and of all below it that are in force."""
    areas = tables.areas
    below = sa.select(areas.c.code).where(areas.c.code == code, areas.c.ends.is_(None))
    tree = below.cte(recursive=True)
    tree = tree.union(
        sa.select(areas.c.code)
        .join(tree, areas.c.parent == tree.c.code)
        .where(areas.c.ends.is_(None))
    )
    return list(connection.execute(sa.select(tree.c.code)).scalars())


def _carry_out(connection: Connection, crawl: Crawl, plan: Plan) -> None:
    if not plan.moves and not plan.retired:
        return
    before = crawl.day - dt.timedelta(days=1)
    moved = _moved(connection, plan)
    keep_periods(connection, list(plan.moves), before)
    for code, parent in plan.moves.items():
        update_area(connection, code, {"parent": parent, "since": crawl.day})
    heirs = _heirs(connection, moved)
    for code in plan.retired:
        after = " ".join(sorted(heirs.get(code, ()))) or None
        update_area(connection, code, {"ends": before, "successors": after})
    report_changed_payers(connection, [each for each in moved if kind_of(each.code) == LSOA])
    increment_version(connection)


def _moved(connection: Connection, plan: Plan) -> list[MovedArea]:
    before = _parents(connection, plan.moves)
    return [MovedArea(code, before[code], after) for code, after in plan.moves.items()]


def _heirs(connection: Connection, moved: list[MovedArea]) -> dict[str, set[str]]:
    """The successors of areas that lost children: the new parents, also for the area above."""
    heirs = defaultdict[str, set[str]](set)
    for each in moved:
        if each.before is not None:
            heirs[each.before].add(each.after)
    for code, above in _parents(connection, list(heirs)).items():
        if above is not None:
            heirs[above] |= heirs[code]
    return heirs


def _record_contradictions(connection: Connection, crawl: Crawl, plan: Plan) -> None:
    """Puts contradictions into the error queue, one for each area."""
    for code, text in plan.contradictions.items():
        work = f"{work_of(code)}/place"
        if is_recorded(connection, work, text):
            continue
        record_failure(
            connection,
            FailureKind.AREA,
            Fault(text),
            subject=work_of(code),
            work=work,
            title=f"place of {code}",
            payload={"run_id": crawl.id, "parent": crawl.within},
        )
    for code in plan.moves:
        mark_resolved(connection, f"{work_of(code)}/place", why="it has one place")


def _delete_earlier_questions(connection: Connection, run_id: int) -> None:
    """Deletes questions of earlier crawls, except open ones that were not asked again."""
    questions = tables.spider_questions
    asked = sa.select(questions.c.parent).where(questions.c.run_id == run_id).scalar_subquery()
    connection.execute(
        questions.delete().where(
            questions.c.run_id < run_id,
            sa.or_(questions.c.answered_at.is_not(None), questions.c.parent.in_(asked)),
        )
    )
