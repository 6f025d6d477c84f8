"""``grouper import``: takes data sets and tariff configurations into the service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.check import FILE
from cli.services import NOT_DONE, print_document, running_services
from core.counting import counted
from core.user_errors import DocumentError, Problem

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from core.documents import Document


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def import_documents(files: tuple[Path, ...], *, as_json: bool) -> int:
    """Take data set specifications and tariff configurations (YAML) into the service.

    Which a FILE is, its content says. All are taken in, data sets first, or none is. Exit code 0:
    taken in; 1: a file is refused, with the line of each problem; 2: wrong use, or the services do
    not run.
    """
    try:
        documents = sorted((_read(path) for path in files), key=_is_configuration)
        with running_services() as engine, engine.begin() as connection:
            taken = [_take_in(connection, document) for document in documents]
    except DocumentError as refused:
        click.echo(str(refused), err=True)
        return NOT_DONE
    if as_json:
        print_document({"imported": taken})
    else:
        for document in taken:
            click.echo(_line(document))
    return 0


def _read(path: Path) -> Document:
    from core.documents import read_document

    document = read_document(path)
    if "configuration" not in document.data and "fields" not in document.data:
        text = "neither a data set (no `fields`) nor a tariff (no `configuration`)"
        raise DocumentError([Problem(f"{path}:1", text)])
    return document


def _is_configuration(document: Document) -> bool:
    return "configuration" in document.data


def _take_in(connection: Connection, document: Document) -> dict[str, Any]:
    from core.configurations.importing import import_configuration
    from core.operations.dataset_import import import_dataset

    body = Path(document.name).read_text(encoding="utf-8-sig")
    if not _is_configuration(document):
        dataset = import_dataset(connection, body, name=document.name)
        return {
            "file": document.name,
            "dataset": dataset.dataset,
            "version": dataset.version,
            "fields": len(dataset.fields),
        }
    tariff = import_configuration(connection, body, name=document.name)
    return {
        "file": document.name,
        "configuration": tariff.configuration,
        "status": tariff.status,
        "start": f"{tariff.start}",
        "end": f"{tariff.end}",
        "providers": sorted(tariff.providers),
        "currencies": len(tariff.currencies),
    }


def _line(entry: dict[str, Any]) -> str:
    if "configuration" not in entry:
        fields = counted(entry["fields"], "field")
        return f"{entry['file']}: data set {entry['dataset']}, version {entry['version']}, {fields}"
    return (
        f"{entry['file']}: tariff {entry['configuration']} ({entry['status']}), {entry['start']} "
        f"to {entry['end']}, {entry['currencies']} currencies, for {', '.join(entry['providers'])}"
    )
