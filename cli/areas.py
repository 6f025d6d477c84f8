"""``grouper areas``: looks up areas, exports and imports the register."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.check import FILE
from cli.offline import keep_pandas_out
from cli.services import NOT_DONE, print_document, running_services
from core.counting import counted
from core.user_errors import UserError

if TYPE_CHECKING:
    import datetime as dt

    import pyarrow as pa

    from core.engine.areas.finding import Area, Place

LISTED = 20


@click.group()
def areas() -> None:
    """Look areas up: countries, regions, counties, districts and LSOAs; export and import them.

    Without running services, find and export use the register that ships with the product.
    """


@areas.command()
@click.argument("text")
@click.option("--on", "day", metavar="YYYY-MM-DD", help="Say what it lay in on that day.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def find(*, text: str, day: str | None, as_json: bool) -> int:
    """Find areas by code, or by a part of their name.

    One that is found alone is shown with all that is known of it. Exit code 1: nothing found.
    """
    from core.engine.areas.finding import Areas

    on = _day(day)
    register = Areas(_rows())
    places = register.search(text)
    alone = len(places) == 1 or any(place.code == text.strip().upper() for place in places)
    area = register.area(places[0].code) if alone else None
    if as_json:
        document = _document(area, on) if area else None
        print_document({"found": [_place(place) for place in places], "area": document})
    else:
        lines = _lines(area, on) if area else map(str, places)
        click.echo("\n".join(lines) if places else f"No area is called {text!r}.")
    return 0 if places else NOT_DONE


@areas.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(*, file: Path) -> int:
    """Write the register in use to FILE (csv; packed where it ends in .gz)."""
    from core.engine.areas.compact import write_register

    rows = _rows()
    try:
        write_register(file, rows)
    except OSError as error:
        raise UserError(f"{file} cannot be written ({error.strerror})") from error
    click.echo(f"{file}: {counted(rows.num_rows, 'row')}")
    return 0


@areas.command("import")
@click.argument("file", type=FILE)
@click.option("--accept-fewer", is_flag=True, help="Although areas in force are not in the file.")
def import_areas(*, file: Path, accept_fewer: bool) -> int:
    """Take FILE in as the register, in the place of the one in use, whole or not at all."""
    keep_pandas_out()
    from core.areas.register_upload import replace_register
    from core.engine.areas.compact import read_register

    rows = read_register(file)
    with running_services() as engine, engine.begin() as connection:
        brought = replace_register(connection, rows, accept_fewer=accept_fewer)
    click.echo(
        f"{counted(brought.areas, 'area')}: {brought.new:,} new, {brought.gone:,} gone, "
        f"{counted(brought.moved, 'LSOA')} in another district, which alters who pays in "
        f"{counted(brought.months, 'open month')}"
    )
    return 0


def _rows() -> pa.Table:
    """The register in use, or the shipped one where no services run."""
    keep_pandas_out()
    from core.areas.register_store import rows_in_use
    from core.engine.areas.compact import read_shipped

    try:
        with running_services() as engine, engine.connect() as connection:
            return rows_in_use(connection)
    except UserError:
        return read_shipped()


def _day(text: str | None) -> dt.date | None:
    import datetime as dt

    try:
        return None if text is None else dt.date.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(f"{text!r} is not a date; write it as YYYY-MM-DD") from error


def _lines(area: Area, day: dt.date | None) -> Iterator[str]:
    yield str(area.place)
    if area.name_welsh:
        yield f"in Welsh: {area.name_welsh}"
    if area.begins:
        yield f"since {area.begins}"
    yield from _above(area, day)
    for period in area.periods:
        yield f"until {period.until}: {period.name}, within {period.parent or 'nothing known'}"
    for place in area.successors:
        yield f"succeeded by {place}"
    for place in area.predecessors:
        yield f"in the place of {place}"
    for place in area.children[:LISTED]:
        yield f"has {place}"
    if len(area.children) > LISTED:
        yield f"and {counted(len(area.children) - LISTED, 'more area')}"


def _above(area: Area, day: dt.date | None) -> Iterator[str]:
    for each in area.ancestors:
        yield f"within {each}"
    if area.responsible:
        yield f"responsible authority: {area.responsible}"
    if day is not None:
        yield f"on {day} within {area.parent_on(day) or 'nothing known'}"


def _document(area: Area, day: dt.date | None) -> dict[str, Any]:
    on = area.parent_on(day) if day else None
    return {
        **_place(area.place),
        "name_welsh": area.name_welsh,
        "begins": area.begins,
        "within": [_place(place) for place in area.ancestors],
        "responsible": _place(area.responsible) if area.responsible else None,
        "within_on_day": _place(on) if on else None,
        "successors": [_place(place) for place in area.successors],
        "predecessors": [_place(place) for place in area.predecessors],
        "children": [_place(place) for place in area.children],
        "periods": [
            {
                "since": period.since,
                "until": period.until,
                "name": period.name,
                "within": _place(period.parent) if period.parent else None,
            }
            for period in area.periods
        ],
    }


def _place(place: Place) -> dict[str, Any]:
    return dict(vars(place))
