"""``grouper events``: lists and follows events with their outcomes, and sends them again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from cli.services import print_document, running_services
from cli.since import Since, written
from core.counting import counted
from core.user_errors import UserError

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy import Engine

    from core.events.event_list import EventRow, EventSearch, RuleOutcome

Command = Callable[..., Any]
MOST = 10_000


def chosen_by(command: Command) -> Command:
    """The options by which events are chosen."""
    for option in (
        click.option("--name", metavar="NAME", help="As file.received, or submission.* for all."),
        click.option("--subject", metavar="SUBJECT", help="What it is about, as file/12."),
        click.option("--since", type=Since(), help="From then on: 2h, 7d, 2026-11-24T09:30."),
    ):
        command = option(command)
    return command


def shown_by(command: Command) -> Command:
    """The options of a list."""
    for option in (
        click.option("--limit", type=click.IntRange(1, MOST), default=50, help="At most so many."),
        click.option("--follow", is_flag=True, help="Print events as they come, until Ctrl-C."),
        click.option(
            "--json", "as_json", is_flag=True, help="Print JSON; with --follow, a line each."
        ),
    ):
        command = option(command)
    return chosen_by(command)


@click.group(invoke_without_command=True)
@shown_by
@click.pass_context
def events(context: click.Context, /, **options: Any) -> None:
    """List the newest events, with the rules that fired and their outcomes.

    `grouper events` is `grouper events list`; `grouper events resend` sends some again.
    """
    if context.invoked_subcommand is None:
        _list(**options)


@events.command("list")
@shown_by
def list_(**options: Any) -> None:
    """List the newest events, with the rules that fired and their outcomes."""
    _list(**options)


@events.command()
@click.argument("event_ids", nargs=-1, type=click.UUID, metavar="[EVENT_ID]…")
@chosen_by
@click.option("--again", is_flag=True, help="Do everything once more, also what was done.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def resend(
    *,
    event_ids: tuple[UUID, ...],
    name: str | None,
    subject: str | None,
    since: dt.datetime | None,
    again: bool,
    as_json: bool,
) -> None:
    """Send events again: those with these ids, or all since a moment.

    Rules whose effect exists are not repeated: only what failed, what Prefect has lost, and rules
    that are new. With --again each event is raised anew, under an id of its own, and every rule
    acts once more.
    """
    from core.access.scope import EVERYTHING
    from core.events.event_list import EventSearch, find_events, list_events

    if bool(event_ids) == (since is not None):
        raise click.UsageError("name the events by their ids, or say --since")
    criteria = EventSearch(name, subject, since)
    with running_services() as engine:
        with engine.connect() as connection:
            rows = (
                find_events(connection, EVERYTHING, criteria, event_ids)
                if event_ids
                else list_events(connection, EVERYTHING, criteria, limit=MOST)
            )
        _all_there(event_ids, rows)
        _say_sent(_send(engine, rows, again=again), as_json)


def _list(
    *,
    name: str | None,
    subject: str | None,
    since: dt.datetime | None,
    limit: int,
    follow: bool,
    as_json: bool,
) -> None:
    from core.access.scope import EVERYTHING
    from core.events.event_list import EventSearch, list_events

    criteria = EventSearch(name, subject, since)
    with running_services() as engine:
        if follow:
            _follow(engine, criteria, as_json)
            return
        with engine.connect() as connection:
            rows = list_events(connection, EVERYTHING, criteria, limit=limit)
    if as_json:
        print_document({"events": [_document(row) for row in rows]})
        return
    for row in reversed(rows):
        _print(row)
    if not rows:
        click.echo("No event fits.")


def _follow(engine: Engine, criteria: EventSearch, as_json: bool) -> None:
    from cli.following_events import changed_events

    for row in changed_events(engine, criteria):
        if as_json:
            import json

            click.echo(json.dumps(_document(row), ensure_ascii=False, default=str))
        else:
            _print(row)


def _send(engine: Engine, rows: list[EventRow], *, again: bool) -> dict[str, Any]:
    from core.operations.resending import flow_runs_of, raise_again, resend

    if again:
        with engine.begin() as connection:
            ids = raise_again(connection, list(reversed(rows)))
        return {"events": len(rows), "raised_as": [str(each) for each in ids]}
    gone = _gone(flow_runs_of(rows))
    with engine.begin() as connection:
        return {"events": len(rows), "rules": resend(connection, rows, gone=gone)}


def _gone(runs: set[UUID]) -> set[UUID]:
    """The runs that Prefect no longer has."""
    from core.settings import settings
    from deployments.prefect_api import PrefectApi, ServerAwayError

    if not runs:
        return set()
    try:
        with PrefectApi(settings()) as api:
            return runs - api.which_exist(sorted(runs))
    except ServerAwayError as error:
        raise UserError(
            "Prefect's server does not answer, so it cannot be said which runs exist: start the "
            "services with `grouper up`"
        ) from error


def _all_there(event_ids: tuple[UUID, ...], rows: list[EventRow]) -> None:
    missing = set(event_ids) - {row.event_id for row in rows}
    if missing:
        raise UserError(f"there is no event {', '.join(sorted(map(str, missing)))}")


def _say_sent(sent: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_document(sent)
    elif "raised_as" in sent:
        click.echo(f"{counted(sent['events'], 'event')} raised anew.")
        for event_id in sent["raised_as"]:
            click.echo(f"  {event_id}")
    else:
        click.echo(
            f"{counted(sent['events'], 'event')} sent again; "
            f"{counted(sent['rules'], 'rule')} without effect until now."
        )


def _print(row: EventRow) -> None:
    by = f", by {row.raised_by}" if row.raised_by else ""
    click.echo(f"{written(row.raised_at)}  {row.name}  {row.title}  ({row.subject}{by})")
    click.echo(f"    {row.event_id}")
    for rule in row.rules:
        click.echo(f"    {rule.rule}: {_came_of(rule)}")


def _came_of(rule: RuleOutcome) -> str:
    if rule.outcome == "failed":
        return f"failed after {counted(rule.attempts, 'attempt')}: {rule.failure}"
    if rule.outcome == "waiting":
        return f"waits ({rule.failure})" if rule.failure else "waits for its turn"
    return link_to_run(rule.flow_run) if rule.flow_run else rule.target


def link_to_run(flow_run: UUID) -> str:
    """The address of a run in Prefect's pages."""
    from core.settings import settings

    return f"{settings().prefect_url}/runs/flow-run/{flow_run}"


def _document(row: EventRow) -> dict[str, Any]:
    document = asdict(row)
    del document["id"], document["user_id"]
    for rule in document["rules"]:
        rule["link"] = link_to_run(rule["flow_run"]) if rule["flow_run"] else None
    return document
