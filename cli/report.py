"""``grouper report``: asks for Backing Data, waits for it and copies the workbook out."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.check import directory
from cli.offline import keep_pandas_out
from cli.services import NOT_DONE, print_document, running_services, say_progress
from core.user_errors import UserError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from core.reports.report_list import ReportRow
    from core.reports.requests import ReportRequest


@click.command()
@click.option("--provider", metavar="CODE", help="All charges of this provider.")
@click.option("--commissioner", metavar="AREA", help="What this authority (area code) pays.")
@click.option("--from", "first", required=True, metavar="YYYY-MM", help="First month.")
@click.option("--to", "last", metavar="YYYY-MM", help="Last month; default: the first.")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Where the workbook (xlsx) goes.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def report(
    *,
    provider: str | None,
    commissioner: str | None,
    first: str,
    last: str | None,
    out: Path,
    as_json: bool,
) -> int:
    """Make the Backing Data of a provider or of a commissioner as an Excel workbook.

    Exit code 0: written; 1: it could not be made; 2: wrong use, or the services do not run.
    """
    from core.files.store import open_store
    from core.reports.following import copy_out
    from core.reports.requests import request_report

    if (provider is None) == (commissioner is None):
        raise click.UsageError("say either --provider or --commissioner")
    directory(out.parent)
    with running_services() as engine:
        request = _request(engine, provider, commissioner, first, last or first)
        with engine.begin() as connection:
            report_id = request_report(connection, request, user_id=None)
        made = _follow(engine, report_id, quiet=as_json)
        if made.state == "ready":
            copy_out(open_store(), made, out)
    _say(made, out, as_json=as_json)
    return 0 if made.state == "ready" else NOT_DONE


def _request(
    engine: Engine, provider: str | None, commissioner: str | None, first: str, last: str
) -> ReportRequest:
    from core.accounts.organisations import find_organisation
    from core.reports.requests import ReportRequest
    from core.tariffs.months import parse_month

    first_month, last_month = parse_month(first), parse_month(last)
    if last_month < first_month:
        raise click.UsageError(f"--to {last} is before --from {first}")
    if commissioner is not None:
        code, name = commissioner, _authority(commissioner)
    else:
        with engine.connect() as connection:
            found = find_organisation(connection, "provider", str(provider))
        code, name = found.code, found.name
    return ReportRequest(
        side="provider" if commissioner is None else "commissioner",
        organisation=code,
        organisation_name=name,
        first_month=first_month,
        last_month=last_month,
        asked_by=f"{_user()}, on the command line",
    )


def _authority(code: str) -> str:
    """Whoever lives somewhere has an authority that pays, whether it takes part or not."""
    keep_pandas_out()
    from core.areas.register import AreaRegister

    name = AreaRegister.shipped().names.get(code)
    if name is None:
        raise UserError(f"{code!r} is no authority of the register; write its area code, E09000030")
    return name


def _user() -> str:
    """The name of the system's user; one without a name has a number only."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


def _follow(engine: Engine, report_id: int, *, quiet: bool) -> ReportRow:
    from core.reports.following import follow_report

    for found in follow_report(engine, report_id):
        if found.moving:
            say_progress(f"{found.name}: {found.text}", quiet=quiet)
    return found


def _say(made: ReportRow, out: Path, *, as_json: bool) -> None:
    written = made.state == "ready"
    if as_json:
        print_document(
            {
                "report": made.id,
                "name": made.name,
                "state": made.state,
                "text": made.text,
                "path": str(out) if written else None,
                "size": made.size,
            }
        )
    else:
        click.echo(f"{made.name} is in {out}" if written else made.text)
