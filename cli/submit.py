"""``grouper submit``: runs a provider's month as a draft or as final, and follows its stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.offline import keep_pandas_out
from cli.services import NOT_DONE, print_document, running_services, say_progress
from core.counting import counted

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy import Engine

    from core.submissions.commands.requests import Obstacle, RunKind
    from core.submissions.queries.following import RunProgress
    from core.submissions.queries.run_totals import RunSummary

Totals = list[tuple[str, str, int, int]]
"""Code, name, charges, pence."""


@click.command()
@click.option("--provider", required=True, metavar="CODE", help="Whose month this is.")
@click.option("--month", required=True, metavar="YYYY-MM", help="Month of the submission.")
@click.option("--dataset", metavar="NAME", help="Of this data set, where there are several.")
@click.option("--draft", is_flag=True, help="For the provider alone, as often as you like.")
@click.option("--final", is_flag=True, help="Release the charges to commissioners; lock the month.")
@click.option("--reason", metavar="TEXT", help="Why a month with records of others is right.")
@click.option("--wait/--no-wait", default=True, help="Wait until it is calculated (default).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def submit(
    *,
    provider: str,
    month: str,
    dataset: str | None,
    draft: bool,
    final: bool,
    reason: str | None,
    wait: bool,
    as_json: bool,
) -> int:
    """Run a provider's month, as a draft or as final, and print what it comes to.

    Exit code 0: calculated (or, with --no-wait, queued); 1: something stands in the way, all of it
    listed, or the calculation failed; 2: wrong use, or the services do not run.
    """
    from core.engine.tariff.months import parse_month
    from core.submissions.commands.requests import NotReady

    if draft == final:
        raise click.UsageError("say either --draft or --final")
    kind: RunKind = "final" if final else "draft"
    first_day = parse_month(month)
    about = {"provider": provider, "month": f"{first_day:%Y-%m}", "kind": kind}
    with running_services() as engine:
        try:
            run_id = _request(engine, provider, first_day, kind, dataset=dataset, reason=reason)
        except NotReady as refused:
            return _say_obstacles(about, refused.obstacles, as_json=as_json)
        progress = _follow(engine, run_id, wait=wait, quiet=as_json)
        if progress.moving or progress.state == "failed":
            return _say_state(about, progress, as_json=as_json)
        return _say_outcome(engine, about, run_id, as_json=as_json)


def _request(
    engine: Engine,
    provider: str,
    month: dt.date,
    kind: RunKind,
    *,
    dataset: str | None,
    reason: str | None,
) -> int:
    from core.accounts.organisations import find_organisation
    from core.submissions.commands.requests import request_run
    from core.submissions.months import open_submission

    with engine.begin() as connection:
        organisation = find_organisation(connection, "provider", provider)
        submission_id = open_submission(connection, organisation.id, month, dataset=dataset)
        return request_run(connection, submission_id, kind, user_id=None, reason=reason)


def _say_obstacles(about: dict[str, Any], obstacles: list[Obstacle], *, as_json: bool) -> int:
    if as_json:
        listed = [{"code": o.code, "subject": o.subject, "text": o.text} for o in obstacles]
        print_document({**about, "obstacles": listed})
    else:
        click.echo(f"{about['provider']} {about['month']} cannot be run yet:")
        for obstacle in obstacles:
            click.echo(f"- {obstacle.text}")
        if any(obstacle.about == "month" for obstacle in obstacles):
            click.echo('If it is right so: --reason "why".')
    return NOT_DONE


def _follow(engine: Engine, run_id: int, *, wait: bool, quiet: bool) -> RunProgress:
    from core.submissions.queries.following import follow_run
    from core.vocabulary.states.submissions import SUBMISSION_TEXTS

    last_stage = None
    steps = follow_run(engine, run_id)
    for progress in steps:
        if not wait:
            break
        if progress.moving and progress.stage != last_stage:
            last_stage = progress.stage
            say_progress(f"{progress.stage}: {SUBMISSION_TEXTS[progress.stage]}", quiet=quiet)
    return progress


def _say_state(about: dict[str, Any], progress: RunProgress, *, as_json: bool) -> int:
    text = progress.failure or "It is calculated as soon as its turn comes."
    if as_json:
        print_document({**about, "state": progress.stage, "text": text})
    else:
        click.echo(f"{about['provider']} {about['month']}: {text}")
    return 0 if progress.moving else NOT_DONE


def _say_outcome(engine: Engine, about: dict[str, Any], run_id: int, *, as_json: bool) -> int:
    keep_pandas_out()
    from core.access.scope import EVERYTHING
    from core.areas.register_store import register_in_use
    from core.submissions.queries.run_totals import run_summary

    with engine.connect() as connection:
        summary = run_summary(connection, EVERYTHING, run_id)
        areas = register_in_use(connection).names
    payers: Totals = [
        (code or "", areas.get(code, code) if code else "nobody is charged", charges, pence)
        for code, charges, pence in summary.by_commissioner
    ]
    currencies: Totals = [
        (code, summary.currency_names.get(code, code), charges, pence)
        for code, charges, pence in summary.by_currency
    ]
    if as_json:
        print_document({**about, **_document(summary, payers, currencies)})
    else:
        click.echo("\n".join(_lines(about, summary, payers, currencies)))
    return 0


def _document(summary: RunSummary, payers: Totals, currencies: Totals) -> dict[str, Any]:
    from core.engine.tariff.money import Money

    def listed(totals: Totals) -> list[dict[str, Any]]:
        return [
            {"code": code or None, "name": name, "charges": charges, "amount": Money(pence).plain}
            for code, name, charges, pence in totals
        ]

    return {
        "state": "submitted" if summary.kind == "final" else "draft",
        "run": summary.run_id,
        "number": summary.number,
        "records": summary.records,
        "episodes": summary.episodes,
        "charges": summary.charges,
        "amount": Money(summary.amount_pence).plain,
        "codes_overwritten": summary.overwritten,
        "tariff": summary.tariff.text if summary.tariff else None,
        "for_charging": summary.tariff is None or summary.tariff.charges,
        "by_commissioner": listed(payers),
        "by_currency": listed(currencies),
    }


def _lines(
    about: dict[str, Any], summary: RunSummary, payers: Totals, currencies: Totals
) -> list[str]:
    from core.engine.tariff.money import Money

    lines = [
        f"{about['provider']} {about['month']}, {summary.kind} run number {summary.number}: "
        f"{counted(summary.records, 'record')}, {counted(summary.episodes, 'episode')}, "
        f"{counted(summary.charges, 'charge')}, £{Money(summary.amount_pence).grouped}"
    ]
    if summary.tariff is not None and not summary.tariff.charges:
        lines.append(f"by {summary.tariff.text}: nobody owes these amounts")
    if summary.overwritten:
        lines.append(
            f"{counted(summary.overwritten, 'code')} overwritten by a later record of the same "
            "episode: they earn nothing."
        )
    for heading, totals in (("commissioner", payers), ("currency", currencies)):
        lines.append(f"by {heading}:")
        lines += [
            f"  {code:<10} {name:<44.44} {charges:>9,} {Money(pence).grouped:>16}"
            for code, name, charges, pence in totals
        ]
    return lines
