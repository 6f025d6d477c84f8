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
    pathways_found = _read(day)
    if as_json:
        print_document({"pathways": [_document(pathway) for pathway in pathways_found]})
        return 0
    for pathway in pathways_found:
        click.echo(
            f"{pathway.id:>5} {pathway.name:40} {pathway.minutes:>5} min {_money(pathway.cost)}"
        )
    click.echo(
        counted(len(pathways_found), "pathway")
        if pathways_found
        else "No pathway has been taken over."
    )
    return 0


@pathways.command()
@click.argument("pathway")
@on_option
@as_json_option
def show(*, pathway: str, day: str | None, as_json: bool) -> int:
    """Show PATHWAY, by its number or name, step by step."""
    from core.migration.pathways import find_pathway

    chosen = find_pathway(_read(day), pathway)
    if as_json:
        print_document(_document(chosen))
        return 0
    click.echo("\n".join(_lines(chosen)))
    return 0


@pathways.command()
@as_json_option
def prices(*, as_json: bool) -> int:
    """List what consumables cost, version by version."""
    from core.migration.pathways import price_versions

    with running_services() as engine, engine.connect() as connection:
        versions = price_versions(connection)
    if as_json:
        print_document({"prices": [_price(price) for price in versions]})
        return 0
    for price in versions:
        until = f"to {price.ends_on}" if price.ends_on else "on"
        click.echo(
            f"{price.consumable:40} {price.version:>3} {_money(price.price)} "
            f"from {price.starts_on} {until}"
        )
    click.echo(counted(len(versions), "price") if versions else "No price has been taken over.")
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


def _lines(pathway: Pathway) -> Iterator[str]:
    yield f"{pathway.name}: {pathway.minutes} minutes, {_money(pathway.cost).strip()}"
    for step in pathway.steps:
        after = f" (after {step.after})" if step.after else ""
        minutes = f"{step.minutes} min" if step.minutes is not None else ""
        yield f"  {step.name + after:50} {minutes:>8} {_money(step.cost)}"
        for used in step.used:
            price = "no price on that day" if used.price is None else _money(used.price).strip()
            yield f"      {used.quantity.normalize():f} {used.unit or ''} {used.name}, {price}"


def _document(pathway: Pathway) -> dict[str, Any]:
    return {
        "id": pathway.id,
        "name": pathway.name,
        "minutes": pathway.minutes,
        "cost": f"{pathway.cost:.2f}",
        "unpriced": pathway.unpriced,
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
            for step in pathway.steps
        ],
    }


def _price(price: Price) -> dict[str, Any]:
    return {
        "consumable": price.consumable,
        "unit": price.unit,
        "version": price.version,
        "price": str(price.price),
        "starts_on": price.starts_on.isoformat(),
        "ends_on": price.ends_on.isoformat() if price.ends_on else None,
    }
