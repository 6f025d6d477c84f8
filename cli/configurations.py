"""``grouper configurations``: lists, shows, compares and exports the tariffs of the service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.datasets import print_or_write
from cli.services import print_document, running_services

if TYPE_CHECKING:
    from core.configurations.catalogue import Revision

NAMED = "NAME[@REVISION]"


@click.group()
def configurations() -> None:
    """List, show, compare and export the tariffs of the service, each in its revisions."""


@configurations.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_configurations(*, as_json: bool) -> None:
    """List every revision of every tariff."""
    from core.configurations.catalogue import all_revisions

    with running_services() as engine, engine.connect() as connection:
        revisions = all_revisions(connection)
    if as_json:
        print_document({"configurations": [_entry(revision) for revision in revisions]})
        return
    for revision in revisions:
        click.echo(_line(revision))
    if not revisions:
        click.echo("There is no tariff yet: `grouper import FILE` takes one in.")


@configurations.command()
@click.argument("name", metavar=NAMED)
def show(*, name: str) -> None:
    """Show a tariff in sentences: who takes part, what is charged, when and at which rate."""
    from core.configurations.catalogue import revision_named
    from core.engine.tariff.money import Money
    from core.engine.tariff.sentences import combination_sentence, currency_sentence

    with running_services() as engine, engine.connect() as connection:
        revision = revision_named(connection, name)
    tariff, specification = revision.configuration, revision.version.specification
    click.echo(_line(revision))
    click.echo(f"Data set: {tariff.dataset}. Providers: {', '.join(tariff.providers)}.")
    click.echo(f"Commissioners: {', '.join(tariff.commissioners) or 'none named'}.")
    for currency in tariff.currencies:
        rates = f"£{Money(currency.primary).plain} / £{Money(currency.additional).plain}"
        click.echo(f"  {currency.code} ({rates}): {currency_sentence(currency, specification)}")
    for combination in tariff.combinations:
        click.echo(f"  {combination_sentence(combination)}")


@configurations.command()
@click.argument("before", metavar=NAMED)
@click.argument("after", metavar=NAMED)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def compare(*, before: str, after: str, as_json: bool) -> None:
    """Say in words what AFTER changes: dates, rates, triggers, who takes part."""
    from core.configurations.catalogue import revision_named
    from core.configurations.tariff_differences import compare_configurations

    with running_services() as engine, engine.connect() as connection:
        revisions = [revision_named(connection, name) for name in (before, after)]
    sentences = compare_configurations(*(revision.configuration for revision in revisions))
    if as_json:
        print_document({"before": before, "after": after, "differences": sentences})
        return
    click.echo("\n".join(sentences) or "They are the same.")


@configurations.command()
@click.argument("name", metavar=NAMED)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def corrections(*, name: str, as_json: bool) -> None:
    """List what a revision changed in months that were calculated anew, by provider, month and
    commissioner."""
    from core.configurations.catalogue import revision_named
    from core.engine.tariff.money import Money
    from core.operations.reprocessing import corrections_by

    with running_services() as engine, engine.connect() as connection:
        lines = corrections_by(connection, revision_named(connection, name).id)
    if as_json:
        print_document({"corrections": [{**vars(line), "pence": line.pence} for line in lines]})
        return
    for line in lines:
        month = " ".join(filter(None, (f"{line.month:%Y-%m}", line.service)))
        click.echo(
            f"{line.provider} {month}, {line.commissioner or 'nobody'}: {Money(line.pence).text} "
            f"({Money(line.pence_before).text} before, {Money(line.pence_after).text} now)"
        )
    if not lines:
        click.echo("It changed no month that was submitted before.")


@configurations.command()
@click.argument("name", metavar=NAMED)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A file to write.")
def export(*, name: str, out: Path | None) -> None:
    """Print a tariff as YAML, as it was imported, or write it to a file."""
    from core.configurations.catalogue import revision_named

    with running_services() as engine, engine.connect() as connection:
        body = revision_named(connection, name).body
    print_or_write(body, out)


def _line(revision: Revision) -> str:
    tariff = revision.configuration
    until = revision.holds_until
    holds = f"{revision.holds_from} to {until}" if until else "for no month"
    made = f", by {revision.made_by}" if revision.made_by else ""
    why = f": {revision.why}" if revision.why else ""
    return f"{revision.name}@{revision.number} ({tariff.status}), {holds}{made}{why}"


def _entry(revision: Revision) -> dict[str, object]:
    tariff = revision.configuration
    return {
        "configuration": revision.name,
        "revision": revision.number,
        "title": tariff.title,
        "dataset": tariff.dataset,
        "status": tariff.status,
        "holds_from": f"{revision.holds_from}",
        "holds_until": f"{revision.holds_until}" if revision.holds_until else None,
        "why": revision.why,
        "made_by": revision.made_by,
        "providers": sorted(tariff.providers),
    }
