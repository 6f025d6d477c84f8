"""``grouper pathways``: pathways of the old service, and what their steps use up and cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from cli.services import print_document, running_services
from core.counting import counted
from core.user_errors import UserError

if TYPE_CHECKING:
    import datetime as dt

    from core.migration.pathways import Pathway, Price

on_option = click.option(
    "--on", "day", metavar="YYYY-MM-DD", help="With the prices of that day; by default of today."
)
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
def pathways() -> None:
    """Look at pathways that were taken over from the old service."""


@pathways.command("list")
@on_option
@as_json_option
def list_pathways(*, day: str | None, as_json: bool) -> int:
    """List the pathways with their minutes and what they use up costs."""
    found = _read(day)
    if as_json:
        print_document({"pathways": [_document(each) for each in found]})
        return 0
    for each in found:
        click.echo(f"{each.id:>5} {each.name:40} {each.minutes:>5} min {_money(each.cost)}")
    click.echo(counted(len(found), "pathway") if found else "No pathway has been taken over.")
    return 0


@pathways.command()
@click.argument("pathway")
@on_option
@as_json_option
def show(*, pathway: str, day: str | None, as_json: bool) -> int:
    """Show PATHWAY, by its number or name, step by step."""
    from core.migration.pathways import find_pathway

    found = find_pathway(_read(day), pathway)
    if as_json:
        print_document(_document(found))
        return 0
    click.echo("\n".join(_lines(found)))
    return 0


@pathways.command()
@as_json_option
def prices(*, as_json: bool) -> int:
    """List what consumables cost, version by version."""
    from core.migration.pathways import price_versions

    with running_services() as engine, engine.connect() as connection:
        found = price_versions(connection)
    if as_json:
        print_document({"prices": [_price(each) for each in found]})
        return 0
    for each in found:
        until = f"to {each.ends_on}" if each.ends_on else "on"
        click.echo(
            f"{each.consumable:40} {each.version:>3} {_money(each.price)} from {each.starts_on} "
            f"{until}"
        )
    click.echo(counted(len(found), "price") if found else "No price has been taken over.")
    return 0


def _read(day: str | None) -> list[Pathway]:
    from core.migration.pathways import read_pathways

    on = _day(day)
    with running_services() as engine, engine.connect() as connection:
        return read_pathways(connection, on)


def _day(text: str | None) -> dt.date:
    import datetime as dt

    from core.accounts.today import today

    try:
        return dt.date.fromisoformat(text) if text else today()
    except ValueError as error:
        raise UserError(f"{text!r} is no day; write it as YYYY-MM-DD") from error


def _money(pounds: object) -> str:
    return f"{'£' + format(pounds, ',.2f'):>10}"


def _lines(found: Pathway) -> Iterator[str]:
    yield f"{found.name}: {found.minutes} minutes, {_money(found.cost).strip()}"
    for step in found.steps:
        after = f" (after {step.after})" if step.after else ""
        minutes = f"{step.minutes} min" if step.minutes is not None else ""
        yield f"  {step.name + after:50} {minutes:>8} {_money(step.cost)}"
        for used in step.used:
            price = "no price on that day" if used.price is None else _money(used.price).strip()
            yield f"      {used.quantity.normalize():f} {used.unit or ''} {used.name}, {price}"


def _document(found: Pathway) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "minutes": found.minutes,
        "cost": f"{found.cost:.2f}",
        "unpriced": found.unpriced,
        "steps": [
            {
                "name": step.name,
                "after": step.after,
                "minutes": step.minutes,
                "cost": f"{step.cost:.2f}",
                "uses": [
                    {
                        "name": used.name,
                        "unit": used.unit,
                        "quantity": str(used.quantity),
                        "price": None if used.price is None else str(used.price),
                    }
                    for used in step.used
                ],
            }
            for step in found.steps
        ],
    }


def _price(found: Price) -> dict[str, Any]:
    return {
        "consumable": found.consumable,
        "unit": found.unit,
        "version": found.version,
        "price": str(found.price),
        "starts_on": found.starts_on.isoformat(),
        "ends_on": found.ends_on.isoformat() if found.ends_on else None,
    }
