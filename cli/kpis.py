"""``grouper kpis``: indicators and their figures; publishes a file of indicators."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.offline import keep_pandas_out
from cli.services import print_document, running_services
from core.counting import counted

if TYPE_CHECKING:
    from core.kpis.results import Result


@click.group()
def kpis() -> None:
    """List indicators, publish a file of them, show what they came to for a provider."""


@kpis.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_kpis(*, as_json: bool) -> int:
    """List the indicators, newest version first."""
    from core.access.scope import EVERYTHING
    from core.kpis.catalogue import all_kpis

    with running_services() as engine, engine.connect() as connection:
        versions = all_kpis(connection, EVERYTHING)
    if as_json:
        print_document({"kpis": [
            {"version": version.version, "state": version.state, "dataset": version.dataset,
             **version.definition.model_dump(mode="json")}
            for version in versions
        ]})  # fmt: skip
        return 0
    for version in versions:
        kpi = version.definition
        click.echo(
            f"{kpi.kpi:26} {version.version:3}  {version.state:10} {kpi.unit:10} {kpi.title}"
        )
    return 0


@kpis.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_file(*, file: Path) -> int:
    """Publish the indicators of FILE that are new or changed (docs/kpis.md)."""
    from core.documents import read_document
    from core.kpis.catalogue import import_library
    from core.kpis.definitions import library_from

    library = library_from(read_document(file))
    with running_services() as engine, engine.begin() as connection:
        names = import_library(connection, library)
    click.echo(f"Published {', '.join(names)}." if names else "Nothing is new or changed.")
    return 0


@kpis.command()
@click.argument("provider")
@click.option("--month", metavar="YYYY-MM", help="Only this month.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(*, provider: str, month: str | None, as_json: bool) -> int:
    """Show what the indicators came to for PROVIDER, by month."""
    keep_pandas_out()
    from core.access.scope import EVERYTHING
    from core.engine.tariff.months import parse_month
    from core.kpis.results import results_of

    only_month = parse_month(month) if month else None
    with running_services() as engine, engine.connect() as connection:
        results = [
            result
            for result in results_of(connection, EVERYTHING, [provider])
            if only_month in (None, result.month)
        ]
    if as_json:
        print_document({"results": [_document(result) for result in results]})
        return 0
    for result in results:
        click.echo(_line(result))
    click.echo(counted(len(results), "figure") if results else "Nothing is measured yet.")
    return 0


def _line(result: Result) -> str:
    from core.kpis.definitions import shown

    text = result.failure or shown(result.kpi.unit, result.value)
    text += ", as the old service measured it" if result.taken_over else ""
    return f"{result.month:%Y-%m} {result.run_kind:5}  {result.kpi.kpi:26} {text}"


def _document(result: Result) -> dict[str, Any]:
    return {
        "kpi": result.kpi.kpi,
        "provider": result.provider,
        "month": f"{result.month:%Y-%m}",
        "run": result.run_kind,
        "numerator": None if result.numerator is None else str(result.numerator),
        "denominator": None if result.denominator is None else str(result.denominator),
        "value": None if result.value is None else str(result.value),
        "unit": result.kpi.unit,
        "failure": result.failure,
        "taken_over": result.taken_over,
    }
