"""``grouper errors``: what failed after its retries; tries it again or sets it aside."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any

import click

from cli.services import print_document, running_services
from core.counting import counted

if TYPE_CHECKING:
    from core.events.failures import Failure


@click.group()
def errors() -> None:
    """Show the error queue, try again what failed, or set it aside.

    What waits here was retried by itself as often as it made sense. Everything has the reference
    that its user was told.
    """


@errors.command("list")
@click.option("--all", "everything", is_flag=True, help="Also what was resolved or set aside.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_errors(*, everything: bool, as_json: bool) -> int:
    """List what waits, the last to fail first."""
    from core.access.scope import EVERYTHING
    from core.events.failures import OPEN, list_failures
    from core.vocabulary.states.events import FailureState

    with running_services() as engine, engine.connect() as connection:
        failures = list_failures(
            connection, EVERYTHING, tuple(FailureState) if everything else OPEN
        )
    if as_json:
        print_document({"failures": [_document(failure) for failure in failures]})
        return 0
    for failure in failures:
        click.echo(_line(failure))
    click.echo(counted(len(failures), "failure") if failures else "Nothing failed.")
    return 0


@errors.command()
@click.argument("reference")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(*, reference: str, as_json: bool) -> int:
    """Show one failure: why, how often, and where in the program."""
    from core.access.scope import EVERYTHING
    from core.events.failures import show_failure

    with running_services() as engine, engine.connect() as connection:
        failure = show_failure(connection, EVERYTHING, reference)
    if as_json:
        print_document(_document(failure))
        return 0
    click.echo(_line(failure))
    click.echo(f"first {failure.first_at:%Y-%m-%d %H:%M:%S}, {failure.state.text}")
    if failure.flow_run:
        click.echo(f"flow run {failure.flow_run}")
    click.echo(", ".join(f"{name} {value}" for name, value in failure.payload.items()))
    if failure.detail:
        click.echo(failure.detail)
    return 0


@errors.command()
@click.argument("reference")
def retry(*, reference: str) -> int:
    """Try a failure again: what it had finished is kept."""
    from core.operations.retrying import retry as try_again

    with running_services() as engine, engine.begin() as connection:
        failure = try_again(connection, reference, note=_by())
    click.echo(f"{failure.reference} is tried again: {failure.kind} of {failure.title}")
    return 0


@errors.command()
@click.argument("reference")
@click.option("--reason", default="", help="Why, for the audit.")
def discard(*, reference: str, reason: str) -> int:
    """Set a failure aside; what it is about stays as it is."""
    from core.events.failures import discard as set_aside

    with running_services() as engine, engine.begin() as connection:
        failure = set_aside(connection, reference, reason=" ".join((reason, _by())).strip())
    click.echo(f"{failure.reference} is set aside: {failure.kind} of {failure.title}")
    return 0


def _by() -> str:
    """The system's user for the audit: the command line has no user of Grouper."""
    return f"by {getpass.getuser()} on the command line"


def _line(failure: Failure) -> str:
    return (
        f"{failure.reference}  {failure.last_at:%Y-%m-%d %H:%M}  {failure.state:<9} "
        f"{failure.kind} of {failure.title} ({failure.subject}): {failure.reason} "
        f"({counted(failure.attempts, 'attempt')})"
    )


def _document(failure: Failure) -> dict[str, Any]:
    return {name: value for name, value in vars(failure).items() if name not in ("id", "work")}
