"""``grouper report``: asks for a report, waits for it and copies its files out."""

from __future__ import annotations

import datetime as dt
import getpass
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.check import directory
from cli.offline import keep_pandas_out
from cli.services import NOT_DONE, print_document, running_services, say_progress
from core.user_errors import UserError
from core.vocabulary.report_kinds import ReportKind

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from core.reports.report_list import ReportRow
    from core.reports.requests import ReportRequest


KINDS = click.Choice([kind.value for kind in ReportKind])


@click.command()
@click.option(
    "--kind", type=KINDS, default=ReportKind.BACKING_DATA.value, show_default=True, help="Which."
)
@click.option("--provider", metavar="CODE", help="The charges of this provider's activity.")
@click.option(
    "--commissioner",
    metavar="AREA",
    help="What this authority (area code) pays; with --provider, only what it pays of that.",
)
@click.option("--from", "first", metavar="YYYY-MM", help="First month.")
@click.option("--to", "last", metavar="YYYY-MM", help="Last month; default: the first.")
@click.option(
    "--year", metavar="YEAR", help="Instead of months: 2017-18 (April to March) or 2017 (calendar)."
)
@click.option("--dataset", metavar="NAME", help="Of this data set, where there are several.")
@click.option("--labels", is_flag=True, help="Codes in words (data-extract).")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Where the workbook (xlsx) goes.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def report(
    *,
    kind: str,
    provider: str | None,
    commissioner: str | None,
    first: str | None,
    last: str | None,
    year: str | None,
    dataset: str | None,
    labels: bool,
    out: Path,
    as_json: bool,
) -> int:
    """Make a report of a provider or of a commissioner as an Excel workbook.

    What goes beside it, such as the lines of an invoice as csv, is written next to it.

    Exit code 0: written; 1: it could not be made; 2: wrong use, or the services do not run.
    """
    from core.files.store import open_store
    from core.reports.following import copy_report
    from core.reports.requests import request_report

    if provider is None and commissioner is None:
        raise click.UsageError("say --provider or --commissioner")
    months = _months(first, last, year)
    directory(out.parent)
    with running_services() as engine:
        side = _provider(engine, provider) if provider else _commissioner(str(commissioner))
        only = (commissioner,) if provider and commissioner and _authority(commissioner) else ()
        chosen = {"kind": kind, "only": only, "labels": labels, **_dataset(engine, dataset)}
        request = _request({**side, **months, **chosen})
        with engine.begin() as connection:
            report_id = request_report(connection, request, user_id=None)
        made = _follow(engine, report_id, quiet=as_json)
        if made.state == "ready":
            copy_report(open_store(), made, out)
    _say(made, out, as_json=as_json)
    return 0 if made.state == "ready" else NOT_DONE


def _months(first: str | None, last: str | None, year: str | None) -> dict[str, dt.date]:
    from core.engine.tariff.months import parse_month
    from core.reports.requests import year_from

    if (first is None) == (year is None):
        raise click.UsageError("say either --from (and --to) or --year")
    if year is not None:
        begins = _year_begins(year)
        return {"first_month": begins, "last_month": year_from(begins)}
    first_month, last_month = parse_month(str(first)), parse_month(last or str(first))
    if last_month < first_month:
        raise click.UsageError(f"--to {last} is before --from {first}")
    return {"first_month": first_month, "last_month": last_month}


def _year_begins(text: str) -> dt.date:
    match = re.fullmatch(r"(\d{4})(?:[-/](\d{2}))?", text)
    if match is None or (match[2] and (int(match[1]) + 1) % 100 != int(match[2])):
        raise click.UsageError(f"--year {text}: write 2017-18 (April to March) or 2017")
    return dt.date(int(match[1]), 4 if match[2] else 1, 1)


def _provider(engine: Engine, code: str) -> dict[str, str]:
    from core.accounts.organisations import find_organisation

    with engine.connect() as connection:
        organisation = find_organisation(connection, "provider", code)
    return {
        "side": "provider",
        "organisation": organisation.code,
        "organisation_name": organisation.name,
    }


def _dataset(engine: Engine, name: str | None) -> dict[str, str]:
    from core.configurations.datasets import dataset_titles

    if name is None:
        return {}
    with engine.connect() as connection:
        titles = dataset_titles(connection)
    if name not in titles:
        raise UserError(f"There is no data set {name!r}: {', '.join(titles) or 'none'}.")
    return {"dataset": name, "service": titles[name] if len(titles) > 1 else ""}


def _commissioner(code: str) -> dict[str, str]:
    return {
        "side": "commissioner",
        "organisation": code,
        "organisation_name": _authority(code),
    }


def _request(values: dict[str, Any]) -> ReportRequest:
    from pydantic import ValidationError

    from core.reports.requests import ReportRequest

    try:
        return ReportRequest(**values, asked_by=f"{_user()}, on the command line")
    except ValidationError as error:
        problems = "; ".join(str(each["ctx"]["error"]) for each in error.errors())
        raise click.UsageError(problems) from error


def _authority(code: str) -> str:
    """Whoever lives somewhere has an authority that pays, whether it takes part or not."""
    keep_pandas_out()
    from core.engine.areas.register import AreaRegister

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

    for row in follow_report(engine, report_id):
        if row.moving:
            say_progress(f"{row.name}: {row.text}", quiet=quiet)
    return row


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
