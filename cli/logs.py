"""``grouper logs``: reads, searches and follows the log groups."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from cli.services import print_document, running_services
from cli.since import Since, written
from core.user_errors import UserError

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy import Engine

    from core.events.log_groups import LogPost, LogSearch

LOOK_SECONDS = 5.0
AWAY_SECONDS = 1.0


@click.command()
@click.argument("group", required=False)
@click.option("--since", type=Since(), help="From then on: 2h, 7d, 2026-11-24T09:30.")
@click.option("--until", type=Since(), help="Before then.")
@click.option("--subject", metavar="SUBJECT", help="What it is about, as file/12.")
@click.option("--text", metavar="TEXT", help="A part of the text, in any case.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, help="At most so many.")
@click.option("--follow", is_flag=True, help="Print posts as they come, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; with --follow, a line each.")
def logs(
    *,
    group: str | None,
    since: dt.datetime | None,
    until: dt.datetime | None,
    subject: str | None,
    text: str | None,
    limit: int,
    follow: bool,
    as_json: bool,
) -> None:
    """Print the newest posts of a log GROUP, or of all of them."""
    from core.access.scope import EVERYTHING
    from core.events.log_groups import LogSearch, search

    criteria = LogSearch(group, since, until, subject, text)
    with running_services() as engine:
        if group is not None:
            _must_be_there(engine, group)
        if follow:
            for post in _posts(engine, criteria):
                _print(post, as_json)
            return
        with engine.connect() as connection:
            posts = search(connection, EVERYTHING, criteria, limit=limit)
    if as_json:
        print_document({"posts": [asdict(post) for post in posts]})
        return
    for post in reversed(posts):
        _print(post, as_json)
    if not posts:
        click.echo("No post fits.")


def _must_be_there(engine: Engine, group: str) -> None:
    """Refuses a group that no rule posts to and that has no post."""
    from core.access.scope import EVERYTHING
    from core.events.log_groups import log_groups
    from deployments.rules import load_rules

    with engine.connect() as connection:
        names = {found.name for found in log_groups(connection, EVERYTHING)}
    names |= load_rules().log_groups
    if group not in names:
        raise UserError(f"there is no log group {group!r}; there are {', '.join(sorted(names))}")


def _posts(engine: Engine, criteria: LogSearch) -> Iterator[LogPost]:
    """Posts that fit as they come, also after a restart of the database."""
    import psycopg
    from sqlalchemy.exc import OperationalError

    from core.access.scope import EVERYTHING
    from core.database.engine import database_url
    from core.database.listening import notifications
    from core.events.log_groups import CHANNEL, find_posts, newest_post, posts_after

    with engine.connect() as connection:
        last = 0 if criteria.since else newest_post(connection)
    while True:
        with suppress(psycopg.OperationalError, OperationalError):
            for heard in notifications(database_url(), CHANNEL, seconds=LOOK_SECONDS):
                with engine.connect() as connection:
                    posts = (
                        find_posts(connection, EVERYTHING, criteria, [int(each) for each in heard])
                        if heard
                        else posts_after(connection, EVERYTHING, criteria, last)
                    )
                yield from posts
                last = max([last, *(post.id for post in posts)])
        time.sleep(AWAY_SECONDS)


def _print(post: LogPost, as_json: bool) -> None:
    if as_json:
        document: dict[str, Any] = asdict(post)
        click.echo(json.dumps(document, ensure_ascii=False, default=str))
    else:
        click.echo(f"{written(post.at)}  {post.group}  {post.subject}  {post.text}")
