"""``grouper migrate``: takes over the data of the old service, and shows the results."""

from __future__ import annotations

import getpass
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.row_number import ROW_NUMBER
from cli.services import NOT_DONE, print_document, running_services, say_progress
from core.counting import counted
from core.user_errors import UserError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from core.migration.progress import MigrationProgress

FORMAT = "{:<20} {:<21} {:>9} {:>8} {:>8} {:>6} {:>8}"
HEADING = FORMAT.format("table", "state", "there", "new", "changed", "gone", "in error")
POUNDS = "{:>14,.2f}"

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
def migrate() -> None:
    """Take over the data of the old service."""


@migrate.command()
@as_json_option
def plan(*, as_json: bool) -> int:
    """Show the tables in the order in which they are taken over, and where they go.

    Needs nothing that runs.
    """
    from core.migration.reading.mapping import shipped_mapping
    from core.migration.reading.planning import needs_of, plan_of

    mapping = shipped_mapping()
    needs = needs_of(mapping)
    rows: list[dict[str, Any]] = [
        {
            "table": name,
            "into": table.goes_to,
            "needs": needs[name],
            "refers_to_itself": table.self_reference(name) is not None,
        }
        for name in plan_of(mapping)
        for table in (mapping.tables[name],)
    ]
    if as_json:
        print_document({"tables": rows})
        return 0
    for number, row in enumerate(rows, start=1):
        own = ", and itself" if row["refers_to_itself"] else ""
        after = f"after {', '.join(row['needs'])}{own}" if row["needs"] else own.strip(", ")
        click.echo(f"{number:>3} {row['table']:<20} {row['into'] or 'kept as sent':<15} {after}")
    return 0


@migrate.command()
@click.option("--dry-run", is_flag=True, help="Write nothing; say what would be done.")
@click.option("--table", metavar="TABLE", help="Only that table of the old service.")
@click.option("--wait/--no-wait", default=True, help="Wait until it has ended (default).")
@as_json_option
def run(*, dry_run: bool, table: str | None, wait: bool, as_json: bool) -> int:
    """Take over what is new or changed; a migration that stopped goes on where it stopped.

    Exit code 0: complete (or, with --no-wait, asked for); 1: rows are in the error queue, something
    does not agree, or it stopped; 2: wrong use, or the services do not run.
    """
    with running_services() as engine:
        run_id = _request(engine, dry_run=dry_run, table=table)
        progress = _follow(engine, run_id, wait=wait, quiet=as_json)
    _say(progress, as_json=as_json)
    return 0 if progress.moving or progress.state == "complete" else NOT_DONE


@migrate.command()
@click.argument("migration", type=ROW_NUMBER, required=False)
@as_json_option
def status(*, migration: int | None, as_json: bool) -> int:
    """Show a migration table by table, by default the last."""
    with running_services() as engine:
        progress = _chosen(engine, migration)
    if progress is None:
        click.echo("There was no migration yet.")
        return 0
    _say(progress, as_json=as_json)
    return 0


@migrate.command()
@click.argument("migration", type=ROW_NUMBER, required=False)
@click.option("--out", type=click.Path(path_type=Path), help="Save the report as this workbook.")
@as_json_option
def verify(*, migration: int | None, out: Path | None, as_json: bool) -> int:
    """Show how what is here compares with the old service, by default after the last migration.

    Exit code 0: all agrees and nothing is in error; 1: not so.
    """
    with running_services() as engine:
        progress = _chosen(engine, migration)
        if progress is None or progress.summary is None:
            raise UserError("nothing was compared yet: `grouper migrate run` does it")
        if out is not None:
            _save(progress, out)
    if as_json:
        print_document(progress.summary)
    else:
        for line in _comparison(progress.summary):
            click.echo(line)
    return 0 if progress.summary["clean"] else NOT_DONE


@migrate.command("sign-off")
@click.argument("migration", type=ROW_NUMBER)
@click.option("--note", default="", help="What you want to say beside it.")
def sign(*, migration: int, note: str) -> int:
    """Confirm that what a migration took over is right."""
    from core.migration.runs import sign_off

    name = f"{getpass.getuser()} on the command line"
    with running_services() as engine, engine.begin() as connection:
        sign_off(connection, migration, user_id=None, name=name, note=note)
    click.echo(f"migration {migration} is signed by {name}")
    return 0


def _request(engine: Engine, *, dry_run: bool, table: str | None) -> int:
    from core.migration.reading.legacy import LegacyEndpoint
    from core.migration.runs import request_or_resume
    from core.settings import settings

    LegacyEndpoint.of(settings())
    reason = f"asked by {getpass.getuser()}"
    with engine.begin() as connection:
        return request_or_resume(
            connection, user_id=None, reason=reason, dry_run=dry_run, only_table=table
        )


def _follow(engine: Engine, run_id: int, *, wait: bool, quiet: bool) -> MigrationProgress:
    from core.access.scope import EVERYTHING
    from core.migration.progress import progress_of
    from core.support.polling import changes

    last_text = None
    for progress in changes(
        engine, lambda c: progress_of(c, EVERYTHING, run_id), what=f"migration {run_id}"
    ):
        if not wait or not progress.moving:
            return progress
        working = [each for each in progress.tables if each.state in ("fetching", "importing")]
        text = f"{progress.done} of {len(progress.tables)} tables"
        text += "".join(f", {each.table}: {each.rows_read:,} rows read" for each in working)
        if text != last_text:
            last_text = text
            say_progress(text, quiet=quiet)
    raise UserError(f"migration {run_id} is not to be seen any more")


def _chosen(engine: Engine, migration: int | None) -> MigrationProgress | None:
    from core.access.scope import EVERYTHING
    from core.migration.progress import newest_migrations, progress_of

    with engine.connect() as connection:
        newest = newest_migrations(connection, EVERYTHING, 1)
        if migration is None and not newest:
            return None
        return progress_of(connection, EVERYTHING, migration or newest[0])


def _say(progress: MigrationProgress, *, as_json: bool) -> None:
    if as_json:
        print_document(asdict(progress))
        return
    dry = ", a dry run: nothing was written" if progress.dry_run else ""
    click.echo(f"migration {progress.id}: {progress.state}{dry}")
    for line in _tables(progress):
        click.echo(line)
    if progress.failure:
        click.echo(progress.failure)
    if progress.summary:
        for line in _comparison(progress.summary):
            click.echo(line)
    if progress.signed_at:
        click.echo(f"signed by {progress.signed_name}, {progress.signed_at:%d %B %Y}")


def _tables(progress: MigrationProgress) -> Iterator[str]:
    rows: list[tuple[str, str, int | None, int, int, int, int]] = [
        (each.table, each.state, each.source_rows, each.new, each.changed, each.gone, each.failed)
        for each in progress.tables
    ]
    if not rows and progress.summary:
        rows = [
            (name, "tried", row["source_rows"], row["new"], row["changed"], row["gone"],
             row["failed"])
            for name, row in progress.summary["tables"].items()
        ]  # fmt: skip
    yield HEADING
    for name, state, *numbers in rows:
        yield FORMAT.format(name, state, *("" if n is None else f"{n:,}" for n in numbers))


def _comparison(summary: dict[str, Any]) -> Iterator[str]:
    if summary["disagreeing"]:
        yield f"not as in the old service: {', '.join(summary['disagreeing'])}"
    else:
        yield "rows, money and content agree with the old service"
    for row in summary["charges"]:
        there, here = (POUNDS.format(row[name] / 100) for name in ("legacy_pence", "here_pence"))
        charges, months = counted(row["charges"], "charge"), counted(row["months"], "month")
        yield f"{row['cause']:<24} {charges:>18} in {months}: {there} {here}"
    for row in summary["problems"]:
        where = f"{row['table']}.{row['column']}"
        yield f"{where:<32} {counted(row['rows'], 'row'):>10}: {row['reason']}"
    if summary["failed"]:
        yield "`grouper errors list` shows each row; they are tried again by every migration"


def _save(progress: MigrationProgress, out: Path) -> None:
    from core.files.store import open_store

    if progress.report_key is None:
        raise UserError(f"migration {progress.id} has no report: a dry run makes none")
    with open_store().local_path(progress.report_key) as path:
        try:
            shutil.copyfile(path, out)
        except OSError as error:
            raise UserError(f"{out}: cannot be written ({error.strerror})") from error
