"""Ends a walk: what moved, what is gone, and whose payer that changes.

Only at the end is it known whether an area that its old parent no longer has stands elsewhere. So a
parent that claims an area of another, and areas that an answer lacks, wait until then.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.areas.importing import is_known, keep_periods, update_area, work_of
from core.areas.payers import Moved, tell_of_payers
from core.areas.register_store import count_up
from core.areas.walks import Walk, end_walk, waits
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
    """What is to be done at the end of a walk."""

    moves: dict[str, str] = field(default_factory=dict)  # code to its new parent
    retired: list[str] = field(default_factory=list)
    contradictions: dict[str, str] = field(default_factory=dict)  # code to a sentence


@dataclass(frozen=True)
class Answered:
    """What a question left to be settled."""

    done: bool
    missing: frozenset[str]


def finish_walk(connection: Connection, walk: Walk) -> event_catalogue.SpiderFinished | None:
    """Ends the walk in the caller's transaction; None while a question still waits."""
    lock_row(connection, tables.spider_runs, walk.id)
    questions = tables.spider_questions
    of_walk = questions.c.run_id == walk.id
    if connection.execute(sa.select(questions.c.id).where(of_walk, waits())).first():
        return None
    rows = connection.execute(sa.select(questions).where(of_walk).order_by(questions.c.id)).all()
    failed = sum(row.failed_at is not None for row in rows)
    held = sum(row.held_at is not None for row in rows)
    plan = _plan(connection, rows, whole=walk.within is None and not failed and not held)
    _carry_out(connection, walk, plan)
    _report(connection, walk, plan)
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
        run_id=walk.id, area=walk.area, state=_word(state), **summary
    )
    end_walk(connection, walk, state, summary)
    raise_event(connection, finished)
    _forget_earlier(connection, walk.id)
    return finished


def _word(state: SpiderState) -> Any:
    return str(state)


def _plan(connection: Connection, rows: Iterable[Any], *, whole: bool) -> Plan:
    plan = Plan()
    answered: dict[str, Answered] = {}
    claims = defaultdict[str, list[str]](list)
    for row in rows:
        done = row.answered_at is not None
        answered[row.parent] = Answered(done, frozenset(row.missing or ()))
        for code in row.claimed or ():
            claims[code].append(row.parent)
    parents = _parents(connection, claims)
    for code, claimants in sorted(claims.items()):
        _place(plan, code, parents[code], claimants, answered)
    if whole:
        missing = {code for each in answered.values() for code in each.missing}
        _retire(connection, plan, sorted(missing - set(claims)))
    return plan


def _place(
    plan: Plan,
    code: str,
    now: str | None,
    claimants: list[str],
    answered: Mapping[str, Answered],
) -> None:
    """Moves an area to the one parent that claims it, if its old one no longer does."""
    others = [each for each in claimants if each != now]
    if not others:
        return
    before = answered.get(now or "")
    still = before is not None and code not in before.missing
    if still and before is not None and not before.done:
        return  # failed, or held for a person: the walk is not over for it
    if len(others) > 1 or still:
        one, other = (str(now), others[0]) if still else (others[0], others[1])
        plan.contradictions[code] = TWICE.format(area=code, one=one, other=other)
        return
    plan.moves[code] = others[0]


def _parents(connection: Connection, codes: Iterable[str]) -> dict[str, str | None]:
    areas = tables.areas.c
    found = connection.execute(sa.select(areas.code, areas.parent).where(areas.code.in_([*codes])))
    return {row.code: row.parent for row in found}


def _retire(connection: Connection, plan: Plan, codes: list[str]) -> None:
    """Areas that are found nowhere, with those within them, unless LSOAs would be lost."""
    for code in codes:
        within = _in_force_within(connection, code)
        left = [each for each in within if each not in plan.moves]
        lost = [each for each in left if kind_of(each) == LSOA and each != code]
        if lost:
            plan.contradictions[code] = STILL_THERE.format(area=code, count=len(lost))
        else:
            plan.retired += left


def _in_force_within(connection: Connection, code: str) -> list[str]:
    """The area itself and all below it, those in force."""
    areas = tables.areas
    below = sa.select(areas.c.code).where(areas.c.code == code, areas.c.ends.is_(None))
    tree = below.cte(recursive=True)
    tree = tree.union(
        sa.select(areas.c.code)
        .join(tree, areas.c.parent == tree.c.code)
        .where(areas.c.ends.is_(None))
    )
    return list(connection.execute(sa.select(tree.c.code)).scalars())


def _carry_out(connection: Connection, walk: Walk, plan: Plan) -> None:
    if not plan.moves and not plan.retired:
        return
    before = walk.day - dt.timedelta(days=1)
    moved = _moved(connection, plan)
    keep_periods(connection, list(plan.moves), before)
    for code, parent in plan.moves.items():
        update_area(connection, code, {"parent": parent, "since": walk.day})
    heirs = _heirs(connection, moved)
    for code in plan.retired:
        after = " ".join(sorted(heirs.get(code, ()))) or None
        update_area(connection, code, {"ends": before, "successors": after})
    tell_of_payers(connection, [each for each in moved if kind_of(each.code) == LSOA])
    count_up(connection)


def _moved(connection: Connection, plan: Plan) -> list[Moved]:
    before = _parents(connection, plan.moves)
    return [Moved(code, before[code], after) for code, after in plan.moves.items()]


def _heirs(connection: Connection, moved: list[Moved]) -> dict[str, set[str]]:
    """Who took over what lay within an area, and within what that area lay in."""
    heirs = defaultdict[str, set[str]](set)
    for each in moved:
        if each.before is not None:
            heirs[each.before].add(each.after)
    for code, above in _parents(connection, list(heirs)).items():
        if above is not None:
            heirs[above] |= heirs[code]
    return heirs


def _report(connection: Connection, walk: Walk, plan: Plan) -> None:
    """Contradictions go to the error queue, one for each area."""
    for code, text in plan.contradictions.items():
        work = f"{work_of(code)}/place"
        if is_known(connection, work, text):
            continue
        record_failure(
            connection,
            FailureKind.AREA,
            Fault(text),
            subject=work_of(code),
            work=work,
            title=f"place of {code}",
            payload={"run_id": walk.id, "parent": walk.within},
        )
    for code in plan.moves:
        mark_resolved(connection, f"{work_of(code)}/place", why="it has one place")


def _forget_earlier(connection: Connection, run_id: int) -> None:
    """Questions of earlier walks go, but those that still want somebody and were not asked now."""
    questions = tables.spider_questions
    asked = sa.select(questions.c.parent).where(questions.c.run_id == run_id).scalar_subquery()
    connection.execute(
        questions.delete().where(
            questions.c.run_id < run_id,
            sa.or_(questions.c.answered_at.is_not(None), questions.c.parent.in_(asked)),
        )
    )
