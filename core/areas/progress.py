"""The progress of a crawl, level by level, and the results of crawls."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope
from core.database import tables
from core.engine.areas.kinds import KINDS
from core.vocabulary.permissions import Action
from core.vocabulary.states.areas import SpiderState

SUMMARY = ("new", "changed", "retired", "unchanged", "failed", "held")
"""The counts of a crawl, in the order in which people read them."""


@dataclass(frozen=True)
class Level:
    """The questions about areas of one kind, and the number of areas found."""

    kind: str
    known: int
    asked: int
    answered: int
    failed: int
    held: int
    children: int


@dataclass(frozen=True)
class Trouble:
    """A question that failed or is held, and why."""

    parent: str
    name: str
    held: bool
    reason: str


@dataclass(frozen=True)
class CrawlProgress:
    """A crawl as it is shown to people."""

    id: int
    state: SpiderState
    source: str
    within: str | None
    requested_at: dt.datetime
    finished_at: dt.datetime | None
    failure: str | None
    summary: dict[str, int] | None
    levels: tuple[Level, ...]
    troubles: tuple[Trouble, ...]

    @property
    def moving(self) -> bool:
        return self.state in (SpiderState.PLANNED, SpiderState.RUNNING)

    @property
    def known(self) -> int:
        return sum(level.known for level in self.levels)

    @property
    def answered(self) -> int:
        return sum(level.answered for level in self.levels)


def progress_of(connection: Connection, scope: Scope, run_id: int) -> CrawlProgress:
    """The progress of a crawl; for operators."""
    scope.require(Action.OPERATE)
    runs = tables.spider_runs
    row = connection.execute(sa.select(runs).where(runs.c.id == run_id)).one()
    return CrawlProgress(
        id=row.id,
        state=SpiderState(row.state),
        source=row.source,
        within=row.within,
        requested_at=row.requested_at,
        finished_at=row.finished_at,
        failure=row.failure,
        summary=row.summary and {name: row.summary[name] for name in SUMMARY},
        levels=_levels(connection, run_id),
        troubles=_troubles(connection, run_id),
    )


def newest_crawls(connection: Connection, scope: Scope, limit: int = 10) -> list[int]:
    """The ids of crawls, the newest first; for operators."""
    scope.require(Action.OPERATE)
    runs = tables.spider_runs.c
    return list(
        connection.execute(sa.select(runs.id).order_by(runs.id.desc()).limit(limit)).scalars()
    )


def _levels(connection: Connection, run_id: int) -> tuple[Level, ...]:
    questions = tables.spider_questions.c
    counts = [
        sa.func.count(column)
        for column in (
            questions.id,
            questions.asked_at,
            questions.answered_at,
            questions.failed_at,
            questions.held_at,
        )
    ]
    query = (
        sa.select(questions.kind, *counts, sa.func.sum(questions.children))
        .where(questions.run_id == run_id)
        .group_by(questions.kind)
    )
    levels = [Level(*row) for row in connection.execute(query)]
    return tuple(sorted(levels, key=lambda level: KINDS.index(level.kind)))


def _troubles(connection: Connection, run_id: int) -> tuple[Trouble, ...]:
    questions, areas = tables.spider_questions.c, tables.areas.c
    query = (
        sa.select(questions.parent, areas.name, questions.held_at, questions.failure)
        .join_from(tables.spider_questions, tables.areas, areas.code == questions.parent)
        .where(
            questions.run_id == run_id,
            sa.or_(questions.failed_at.is_not(None), questions.held_at.is_not(None)),
        )
        .order_by(questions.id)
    )
    return tuple(
        Trouble(row.parent, row.name, row.held_at is not None, row.failure or "")
        for row in connection.execute(query)
    )
