"""``grouper queues``: what waits and runs on each queue; pauses and resumes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cli.services import print_document, running_services
from cli.since import span
from core.user_errors import UserError

if TYPE_CHECKING:
    from deployments.prefect_api import PrefectApi
    from deployments.queue_control import QueueState

HEADING = ("Queue", "Limit", "Waiting", "Running", "Oldest wait", "")


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def queues(context: click.Context, /, *, as_json: bool) -> None:
    """Show each queue: its limit, what waits and runs, and how long the first has waited."""
    if context.invoked_subcommand is None:
        _show(as_json)


@queues.command()
@click.argument("name")
def pause(name: str) -> None:
    """Stop a queue from handing out runs. What is at work goes on, and what comes waits."""
    _set(name, paused=True)
    click.echo(f"The queue {name} is paused. `grouper queues resume {name}` lets it go on.")


@queues.command()
@click.argument("name")
def resume(name: str) -> None:
    """Let a paused queue go on."""
    _set(name, paused=False)
    click.echo(f"The queue {name} goes on.")


def _show(as_json: bool) -> None:
    from deployments.queue_control import queue_states
    from deployments.queues import load_queues
    from deployments.rules import load_rules

    with running_services() as engine, _prefect() as api:
        states, _ = queue_states(engine, api, load_rules(), load_queues())
    if as_json:
        documents = [{**asdict(state), "oldest_wait": state.oldest_wait()} for state in states]
        print_document({"queues": documents})
    else:
        _print_table([HEADING, *(_line(state) for state in states)])


def _line(state: QueueState) -> tuple[str, ...]:
    wait = state.oldest_wait()
    return (
        state.name,
        "none" if state.limit is None else str(state.limit),
        f"{state.waiting:,}",
        f"{state.running:,}",
        "" if wait is None else span(wait),
        "paused" if state.paused else "",
    )


def _print_table(lines: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


def _set(name: str, *, paused: bool) -> None:
    from deployments.queue_control import pause as set_paused
    from deployments.queues import load_queues

    with running_services() as engine, _prefect() as api:
        set_paused(engine, api, load_queues(), name, paused=paused)


@contextmanager
def _prefect() -> Iterator[PrefectApi]:
    from core.settings import settings
    from deployments.prefect_api import PrefectApi, RefusedError, ServerAwayError

    try:
        with PrefectApi(settings()) as api:
            yield api
    except ServerAwayError as error:
        raise UserError(
            f"Prefect's server does not answer at {settings().api_url}: start the services with "
            "`grouper up`"
        ) from error
    except RefusedError as error:
        raise UserError(f"Prefect refused ({error}): run `grouper deploy` first") from error
