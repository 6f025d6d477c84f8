"""``grouper rerun``: makes a run again from the inputs that it kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.row_number import ROW_NUMBER
from cli.services import NOT_DONE, print_document, running_services

if TYPE_CHECKING:
    from core.operations.rerunning import Rerun


@click.command()
@click.argument("run", metavar="RUN", type=ROW_NUMBER)
@click.option("--compare", is_flag=True, help="Compare the charges with those of the run.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Where the charges that come now go, as csv.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def rerun(run: int, *, compare: bool, out: Path | None, as_json: bool) -> int:
    """Make RUN (its number in the database) again, from its files, corrections, headings, hosts,
    register, tariff and data set. Nothing of the service changes.

    Exit code 0: made, and with --compare the same byte for byte; 1: it differs; 2: it cannot be
    made again, and why, or the services do not run.
    """
    from core.files.store import open_store
    from core.operations.rerunning import rerun as make_again

    if not compare and out is None:
        raise click.UsageError("say --compare, or --out FILE, or both")
    with running_services() as engine:
        made = make_again(engine, open_store(), run)
    if out is not None:
        out.write_bytes(made.again)
    if as_json:
        print_document(_document(made))
    else:
        click.echo("\n".join(_lines(made, compare=compare)))
    return NOT_DONE if compare and not made.same else 0


def _document(made: Rerun) -> dict[str, object]:
    stored, again = made.digests
    return {
        "run": made.run_id,
        "same": made.same,
        "sha256": {"stored": stored, "again": again},
        "gone": made.gone,
        "new": made.new,
        "changed_rules": list(made.changed_rules),
    }


def _lines(made: Rerun, *, compare: bool) -> list[str]:
    from core.operations.rerunning import SHOWN

    stored, again = made.digests
    if not compare:
        return [f"Run {made.run_id} is made again: SHA-256 {again}."]
    if made.same:
        return [f"Run {made.run_id} is the same, byte for byte: SHA-256 {again}."]
    lines = [f"Run {made.run_id} differs: SHA-256 {stored}, now {again}."]
    for label, charges in (("no more", made.gone), ("now", made.new)):
        lines.append(f"{len(charges):,} charges {label}:")
        lines += [f"  {charge}" for charge in charges[:SHOWN]]
    lines += [f"Changed since: {change}" for change in made.changed_rules]
    return lines
