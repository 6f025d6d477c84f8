"""``grouper import``: takes data sets and tariff configurations into the service."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.check import FILE
from cli.services import NOT_DONE, print_document, running_services
from core.counting import counted
from core.user_errors import DocumentError, Problem

if TYPE_CHECKING:
    from core.documents import Document
    from core.engine.dataset.specification import Specification
    from core.engine.tariff.configuration import Configuration


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
@click.option("--dry-run", is_flag=True, help="Say what would change; take nothing in.")
@click.option("--from", "since", metavar="YYYY-MM", help="Of a changed tariff: where it begins.")
@click.option("--why", default="", metavar="TEXT", help="Of a changed tariff: why it changes.")
@click.option("--by", metavar="NAME", help="Who changes a tariff; default the user of the system.")
@click.option(
    "--leave-submitted", is_flag=True, help="Submitted months that it reaches stay as they are."
)
@click.option(
    "--reprocess", is_flag=True, help="Submitted months that it reaches are calculated anew."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def import_documents(
    files: tuple[Path, ...],
    *,
    dry_run: bool,
    since: str | None,
    why: str,
    by: str | None,
    leave_submitted: bool,
    reprocess: bool,
    as_json: bool,
) -> int:
    """Take data set specifications and tariff configurations (YAML) into the service.

    Which a FILE is, its content says. All are taken in as one, or none is. A tariff that is in
    force is never overwritten: a changed one becomes a revision that holds --from a month. What
    would change a submitted month, or break a tariff, is refused. Exit code 0: taken in, or with
    --dry-run it could be; 1: a file is refused, with the line of each problem; 2: wrong use, or the
    services do not run.
    """
    from core.configurations.importing import Change
    from core.engine.tariff.months import parse_month
    from core.operations.dataset_import import NamedText, import_together

    if leave_submitted and reprocess:
        raise click.UsageError("say either --leave-submitted or --reprocess")
    change = Change(
        since=parse_month(since) if since else None,
        why=why,
        by=by or getpass.getuser(),
        leave_submitted=leave_submitted,
        reprocess=reprocess,
    )
    try:
        documents = [_read(path) for path in files]
        texts = [
            NamedText(each.name, Path(each.name).read_text(encoding="utf-8-sig"))
            for each in documents
        ]
        with running_services() as engine, engine.connect() as connection:
            imported, consequences = import_together(connection, texts, change=change)
            if not dry_run:
                connection.commit()
    except DocumentError as refused:
        click.echo(str(refused), err=True)
        return NOT_DONE
    taken = [_entry(each) for each in imported]
    if as_json:
        print_document({"imported": taken, "dry_run": dry_run, "changes": consequences.sentences})
        return 0
    for entry in taken:
        click.echo(f"{'would take in' if dry_run else 'taken in'}: {_line(entry)}")
    for sentence in consequences.sentences:
        click.echo(f"  {sentence}")
    return 0


def _read(path: Path) -> Document:
    from core.documents import read_document

    document = read_document(path)
    if "configuration" not in document.data and "fields" not in document.data:
        text = "neither a data set (no `fields`) nor a tariff (no `configuration`)"
        raise DocumentError([Problem(f"{path}:1", text)])
    return document


def _entry(imported: Specification | Configuration) -> dict[str, Any]:
    from core.engine.tariff.configuration import Configuration

    if not isinstance(imported, Configuration):
        return {
            "dataset": imported.dataset,
            "version": imported.version,
            "start": f"{imported.start:%Y-%m}" if imported.start else None,
            "fields": len(imported.fields),
        }
    return {
        "configuration": imported.configuration,
        "status": imported.status,
        "start": f"{imported.start}",
        "end": f"{imported.end}",
        "providers": sorted(imported.providers),
        "currencies": len(imported.currencies),
    }


def _line(entry: dict[str, Any]) -> str:
    if "configuration" not in entry:
        fields = counted(entry["fields"], "field")
        since = f", from {entry['start']}" if entry["start"] else ""
        return f"data set {entry['dataset']}, version {entry['version']}{since}, {fields}"
    return (
        f"tariff {entry['configuration']} ({entry['status']}), {entry['start']} "
        f"to {entry['end']}, {entry['currencies']} currencies, for {', '.join(entry['providers'])}"
    )
