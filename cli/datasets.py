"""``grouper datasets``: lists, shows, compares and exports the data sets of the service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.services import print_document, running_services
from core.counting import counted

if TYPE_CHECKING:
    from core.configurations.datasets import Version

NAMED = "NAME[@VERSION]"


@click.group()
def datasets() -> None:
    """List, show, compare and export the data sets of the service, each in its versions."""


@datasets.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_datasets(*, as_json: bool) -> None:
    """List every version of every data set, the latest first."""
    from core.configurations.datasets import all_versions

    with running_services() as engine, engine.connect() as connection:
        versions = all_versions(connection)
    if as_json:
        print_document({"datasets": [_entry(version) for version in versions]})
        return
    for version in versions:
        click.echo(f"{_reference(version)}: {version.title}")
    if not versions:
        click.echo("There is no data set yet: `grouper import FILE` takes one in.")


@datasets.command()
@click.argument("name", metavar=NAMED)
def show(*, name: str) -> None:
    """Show the fields and code lists of a version."""
    from core.configurations.catalogue import version_named
    from core.engine.dataset.templates import about

    with running_services() as engine, engine.connect() as connection:
        version = version_named(connection, name)
    specification = version.specification
    click.echo(version.title)
    for field in specification.fields:
        click.echo(f"  {field.name}: {about(field).partition(': ')[2]}")
    for codes, labels in specification.code_lists.items():
        click.echo(f"  codes {codes}: {counted(len(labels), 'code')}")


@datasets.command()
@click.argument("before", metavar=NAMED)
@click.argument("after", metavar=NAMED)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def compare(*, before: str, after: str, as_json: bool) -> None:
    """Say in words what AFTER changes: fields, codes, checks."""
    from core.configurations.catalogue import version_named
    from core.configurations.dataset_differences import compare_specifications

    with running_services() as engine, engine.connect() as connection:
        versions = [version_named(connection, name) for name in (before, after)]
    sentences = compare_specifications(*(version.specification for version in versions))
    if as_json:
        print_document({"before": before, "after": after, "differences": sentences})
        return
    click.echo("\n".join(sentences) or "They are the same.")


@datasets.command()
@click.argument("name", metavar=NAMED)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A file to write.")
def export(*, name: str, out: Path | None) -> None:
    """Print a version as YAML, as it was imported, or write it to a file."""
    from core.configurations.catalogue import body_of_version, version_named

    with running_services() as engine, engine.connect() as connection:
        body = body_of_version(connection, version_named(connection, name))
    print_or_write(body, out)


def print_or_write(body: str, out: Path | None) -> None:
    """Prints a document, or writes it to a file."""
    if out is None:
        click.echo(body, nl=not body.endswith("\n"))
        return
    out.write_text(body, encoding="utf-8")
    click.echo(f"{out}: written")


def _reference(version: Version) -> str:
    return f"{version.specification.dataset}@{version.specification.version}"


def _entry(version: Version) -> dict[str, object]:
    specification = version.specification
    return {
        "dataset": specification.dataset,
        "version": specification.version,
        "title": specification.title,
        "start": f"{specification.start:%Y-%m}" if specification.start else None,
        "fields": len(specification.fields),
    }
