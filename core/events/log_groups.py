"""Log groups: named, append-only, searched by time, subject and text."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.access.scope import Scope
from core.database.listening import notify_listeners
from core.database.tables import log_posts
from core.vocabulary.permissions import Action

CHANNEL = "grouper_logs"
"""The channel on which PostgreSQL notifies listeners of each post, by its id."""

KEPT_FROM = "grouper.log_posts_kept_from"
"""The setting that a transaction must make before the database lets it delete older posts."""


@dataclass(frozen=True)
class LogPost:
    """One line of a log group."""

    id: int
    group: str
    at: dt.datetime
    subject: str
    text: str
    event_id: UUID | None


@dataclass(frozen=True)
class LogGroup:
    """A log group that has posts."""

    name: str
    posts: int
    newest: dt.datetime


@dataclass(frozen=True)
class LogSearch:
    """Criteria; None matches everything. ``text`` is a part of the text, in any case; ``subject``
    is the whole subject, such as file/12."""

    group: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    subject: str | None = None
    text: str | None = None


def post(
    connection: Connection, group: str, subject: str, text: str, *, event_id: UUID | None = None
) -> bool:
    """Writes a post in the caller's transaction; False if the group has a post of that event."""
    values = {"log_group": group, "subject": subject, "text": text, "event_id": event_id}
    written = connection.execute(
        insert(log_posts).values(values).on_conflict_do_nothing().returning(log_posts.c.id)
    ).scalar_one_or_none()
    if written is None:
        return False
    notify_listeners(connection, CHANNEL, str(written))
    return True


def search(
    connection: Connection, scope: Scope, criteria: LogSearch, *, limit: int
) -> list[LogPost]:
    """The newest posts that match, newest first; for operators, like all functions here."""
    scope.require(Action.OPERATE)
    query = sa.select(log_posts).where(*_conditions(criteria))
    rows = connection.execute(
        query.order_by(log_posts.c.at.desc(), log_posts.c.id.desc()).limit(limit)
    )
    return [_log_post(row) for row in rows]


def posts_after(
    connection: Connection, scope: Scope, criteria: LogSearch, number: int
) -> list[LogPost]:
    """The posts after the one with this id that match, oldest first."""
    scope.require(Action.OPERATE)
    query = sa.select(log_posts).where(log_posts.c.id > number, *_conditions(criteria))
    return [_log_post(row) for row in connection.execute(query.order_by(log_posts.c.id))]


def find_posts(
    connection: Connection, scope: Scope, criteria: LogSearch, numbers: list[int]
) -> list[LogPost]:
    """The posts with these ids that match, oldest first."""
    scope.require(Action.OPERATE)
    query = sa.select(log_posts).where(log_posts.c.id.in_(numbers), *_conditions(criteria))
    return [_log_post(row) for row in connection.execute(query.order_by(log_posts.c.id))]


def newest_post(connection: Connection) -> int:
    """The id of the newest post, 0 if there is none."""
    return int(connection.execute(sa.select(sa.func.max(log_posts.c.id))).scalar() or 0)


def log_groups(connection: Connection, scope: Scope) -> list[LogGroup]:
    """Every group that has a post, by name."""
    scope.require(Action.OPERATE)
    name = log_posts.c.log_group
    query = sa.select(name, sa.func.count(), sa.func.max(log_posts.c.at)).group_by(name)
    return [LogGroup(*row) for row in connection.execute(query.order_by(name))]


def end_posts(connection: Connection, before: dt.datetime) -> int:
    """Deletes the posts before a moment; returns how many there were."""
    kept_from = sa.func.set_config(KEPT_FROM, before.isoformat(), True)
    connection.execute(sa.select(kept_from))
    return connection.execute(log_posts.delete().where(log_posts.c.at < before)).rowcount


def _conditions(criteria: LogSearch) -> list[sa.ColumnElement[bool]]:
    column = log_posts.c
    conditions: list[sa.ColumnElement[bool]] = []
    if criteria.group is not None:
        conditions.append(column.log_group == criteria.group)
    if criteria.since is not None:
        conditions.append(column.at >= criteria.since)
    if criteria.until is not None:
        conditions.append(column.at < criteria.until)
    if criteria.subject is not None:
        conditions.append(column.subject == criteria.subject)
    if criteria.text is not None:
        conditions.append(column.text.icontains(criteria.text, autoescape=True))
    return conditions


def _log_post(row: sa.Row[tuple[object, ...]]) -> LogPost:
    return LogPost(row.id, row.log_group, row.at, row.subject, row.text, row.event_id)
