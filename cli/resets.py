"""``grouper resets``: requests to open a submitted month again; grants or refuses them."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any

import click

from cli.services import print_document, running_services
from core.counting import counted

if TYPE_CHECKING:
    from core.submissions.reset_requests import Reset


@click.group()
def resets() -> None:
    """Show who asks for a submitted month to be opened again; grant it or refuse it.

    Host commissioners ask in the portal. A month that is granted is open again: its charges are
    withdrawn, and provider and commissioners are told.
    """


@resets.command("list")
@click.option("--all", "everything", is_flag=True, help="Also what was granted or refused.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_requests(*, everything: bool, as_json: bool) -> int:
    """List what waits for a decision, who waits longest first."""
    from core.access.scope import EVERYTHING
    from core.submissions.queries.reset_list import list_resets

    with running_services() as engine, engine.connect() as connection:
        found = list_resets(connection, EVERYTHING, everything=everything)
    if as_json:
        print_document({"resets": [_document(each) for each in found]})
        return 0
    for each in found:
        click.echo(_line(each))
    click.echo(counted(len(found), "request") if found else "Nobody asks for a month.")
    return 0


@resets.command()
@click.argument("number", type=int)
@click.option("--answer", default="", help="What to tell provider and host.")
def grant(*, number: int, answer: str) -> int:
    """Open the month again."""
    from core.submissions.commands.resets import grant_reset

    with running_services() as engine, engine.begin() as connection:
        asked = grant_reset(connection, number, answer=answer, user_id=None, by=_by())
    click.echo(f"{_month(asked)} is open again; its charges are withdrawn.")
    return 0


@resets.command()
@click.argument("number", type=int)
@click.option("--answer", required=True, help="Why the month stays as it is; they are told.")
def refuse(*, number: int, answer: str) -> int:
    """Leave the month as it was submitted."""
    from core.submissions.commands.resets import refuse_reset

    with running_services() as engine, engine.begin() as connection:
        asked = refuse_reset(connection, number, answer=answer, user_id=None, by=_by())
    click.echo(f"{_month(asked)} stays submitted.")
    return 0


def _by() -> str:
    """Who, for the audit: the command line knows no user of Grouper."""
    return f"by {getpass.getuser()} on the command line"


def _month(asked: Reset) -> str:
    return f"{asked.provider} {asked.month:%Y-%m}"


def _line(asked: Reset) -> str:
    answer = f" ({asked.answer})" if asked.answer else ""
    return (
        f"{asked.id:>5}  {asked.asked_at:%Y-%m-%d %H:%M}  {asked.decision:<9} {_month(asked)}, "
        f"asked by {asked.host_name}: {asked.reason}{answer}"
    )


def _document(asked: Reset) -> dict[str, Any]:
    return {**vars(asked), "month": f"{asked.month:%Y-%m}", "decision": asked.decision}
