"""``grouper resets``: requests to open a submitted month again; grants or refuses them."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any

import click

from cli.row_number import ROW_NUMBER
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
        requests = list_resets(connection, EVERYTHING, everything=everything)
    if as_json:
        print_document({"resets": [_document(request) for request in requests]})
        return 0
    for request in requests:
        click.echo(_line(request))
    click.echo(counted(len(requests), "request") if requests else "Nobody asks for a month.")
    return 0


@resets.command()
@click.argument("number", type=ROW_NUMBER)
@click.option("--answer", default="", help="What to tell provider and host.")
def grant(*, number: int, answer: str) -> int:
    """Open the month again."""
    from core.submissions.commands.resets import grant_reset

    with running_services() as engine, engine.begin() as connection:
        request = grant_reset(connection, number, answer=answer, user_id=None, by=_by())
    click.echo(f"{_month(request)} is open again; its charges are withdrawn.")
    return 0


@resets.command()
@click.argument("number", type=ROW_NUMBER)
@click.option("--answer", required=True, help="Why the month stays as it is; they are told.")
def refuse(*, number: int, answer: str) -> int:
    """Leave the month as it was submitted."""
    from core.submissions.commands.resets import refuse_reset

    with running_services() as engine, engine.begin() as connection:
        request = refuse_reset(connection, number, answer=answer, user_id=None, by=_by())
    click.echo(f"{_month(request)} stays submitted.")
    return 0


def _by() -> str:
    """Who, for the audit: the command line knows no user of Grouper."""
    return f"by {getpass.getuser()} on the command line"


def _month(request: Reset) -> str:
    return f"{request.provider} {request.month:%Y-%m}"


def _line(request: Reset) -> str:
    answer = f" ({request.answer})" if request.answer else ""
    return (
        f"{request.id:>5}  {request.asked_at:%Y-%m-%d %H:%M}  {request.decision:<9} "
        f"{_month(request)}, asked by {request.host_name}: {request.reason}{answer}"
    )


def _document(request: Reset) -> dict[str, Any]:
    return {**vars(request), "month": f"{request.month:%Y-%m}", "decision": request.decision}
