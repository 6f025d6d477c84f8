"""Log groups: named, append-only, searched by time, subject and text."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.access.scope import Scope
from core.database.tables import log_posts
from core.vocabulary.permissions import Action

CHANNEL = "grouper_logs"
"""PostgreSQL tells its listeners here of each post, by its id."""

KEPT_FROM = "grouper.log_posts_kept_from"
"""What a transaction must say before the database lets it delete posts, and only older ones."""


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
    """What to look for; what is None is not looked at. ``text`` is a part of the text, in any
    case; ``subject`` is the whole subject, as file/12."""

    group: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    subject: str | None = None
    text: str | None = None


def post(
    connection: Connection, group: str, subject: str, text: str, *, event_id: UUID | None = None
) -> bool:
    """Writes a post in the caller's transaction; False if the group has one of that event."""
    values = {"log_group": group, "subject": subject, "text": text, "event_id": event_id}
    written = connection.execute(
        insert(log_posts).values(values).on_conflict_do_nothing().returning(log_posts.c.id)
    ).scalar_one_or_none()
    if written is None:
        return False
    connection.execute(sa.select(sa.func.pg_notify(CHANNEL, str(written))))
    return True


def search(connection: Connection, scope: Scope, wanted: LogSearch, *, limit: int) -> list[LogPost]:
    """The newest posts that fit, newest first; for operators, as all of these."""
    scope.require(Action.OPERATE)
    query = sa.select(log_posts).where(*_conditions(wanted))
    rows = connection.execute(
        query.order_by(log_posts.c.at.desc(), log_posts.c.id.desc()).limit(limit)
    )
    return [_log_post(row) for row in rows]


def posts_after(
    connection: Connection, scope: Scope, wanted: LogSearch, number: int
) -> list[LogPost]:
    """The posts after the one of that id that fit, oldest first."""
    scope.require(Action.OPERATE)
    query = sa.select(log_posts).where(log_posts.c.id > number, *_conditions(wanted))
    return [_log_post(row) for row in connection.execute(query.order_by(log_posts.c.id))]


def find_posts(
    connection: Connection, scope: Scope, wanted: LogSearch, numbers: list[int]
) -> list[LogPost]:
    """Those of the posts with these ids that fit, oldest first."""
    scope.require(Action.OPERATE)
    query = sa.select(log_posts).where(log_posts.c.id.in_(numbers), *_conditions(wanted))
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
    """Deletes the posts from before a moment; gives how many there were."""
    kept_from = sa.func.set_config(KEPT_FROM, before.isoformat(), True)
    connection.execute(sa.select(kept_from))
    return connection.execute(log_posts.delete().where(log_posts.c.at < before)).rowcount


def _conditions(wanted: LogSearch) -> list[sa.ColumnElement[bool]]:
    column = log_posts.c
    found: list[sa.ColumnElement[bool]] = []
    if wanted.group is not None:
        found.append(column.log_group == wanted.group)
    if wanted.since is not None:
        found.append(column.at >= wanted.since)
    if wanted.until is not None:
        found.append(column.at < wanted.until)
    if wanted.subject is not None:
        found.append(column.subject == wanted.subject)
    if wanted.text is not None:
        found.append(column.text.icontains(wanted.text, autoescape=True))
    return found


def _log_post(row: sa.Row[tuple[object, ...]]) -> LogPost:
    return LogPost(row.id, row.log_group, row.at, row.subject, row.text, row.event_id)
