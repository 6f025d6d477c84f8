"""``grouper organisations``: providers, commissioners and clinics."""

from __future__ import annotations

import click

from cli.accounts import as_json
from cli.services import print_document, running_services


@click.group()
def organisations() -> None:
    """Add, rename and merge organisations; place clinics.

    CODE is the ODS code of a provider or the area code of a commissioner.
    """


@organisations.command()
@click.argument("kind", type=click.Choice(("provider", "commissioner")))
@click.argument("code")
@click.argument("name")
@click.option("--address", help="For invoices; lines parted by |.")
@click.option("--part-of", metavar="CODE", help="The provider whose second contract this is.")
def add(kind: str, code: str, name: str, address: str | None, part_of: str | None) -> None:
    """Add a provider or a commissioner."""
    from core.accounts.organisations import add_organisation

    with running_services() as engine, engine.begin() as connection:
        add_organisation(
            connection,
            "provider" if kind == "provider" else "commissioner",
            code,
            name,
            address=address,
            part_of=part_of,
            user_id=None,
        )
    click.echo(f"{kind} {code}: {name}")


@organisations.command("list")
@click.argument("search", default="")
@as_json
def list_organisations(search: str, *, as_json: bool) -> None:
    """List organisations; SEARCH finds codes, names, and names of the past."""
    from core.access.scope import EVERYTHING
    from core.accounts.organisations import list_organisations as find

    with running_services() as engine, engine.connect() as connection:
        rows = find(connection, EVERYTHING, search=search)
    if as_json:
        print_document({"organisations": [vars(organisation) for organisation in rows]})
        return
    for organisation in rows:
        notes = [f"was {name}" for name in organisation.old_names]
        notes += [f"part of {organisation.part_of}"] if organisation.part_of else []
        notes += [f"merged into {organisation.merged_into}"] if organisation.merged_into else []
        suffix = f" ({'; '.join(notes)})" if notes else ""
        click.echo(f"{organisation.kind:12} {organisation.code:10} {organisation.name}{suffix}")


@organisations.command()
@click.argument("code")
@click.argument("name")
def rename(code: str, name: str) -> None:
    """Give an organisation another name; the old one stays findable."""
    from core.accounts.organisations import rename_organisation

    with running_services() as engine, engine.begin() as connection:
        rename_organisation(connection, code, name, user_id=None)
    click.echo(f"{code}: {name}")


@organisations.command()
@click.argument("gone", metavar="CODE")
@click.argument("kept", metavar="INTO")
def merge(gone: str, kept: str) -> None:
    """Make one organisation part of another. Months and charges stay under its own code."""
    from core.accounts.organisations import merge_organisations

    with running_services() as engine, engine.begin() as connection:
        merge_organisations(connection, gone, kept, user_id=None)
    click.echo(f"{gone} is part of {kept}; `grouper organisations part {gone}` undoes it")


@organisations.command()
@click.argument("code")
def part(code: str) -> None:
    """Undo a merge."""
    from core.accounts.organisations import undo_merge

    with running_services() as engine, engine.begin() as connection:
        undo_merge(connection, code, user_id=None)
    click.echo(f"{code} is an organisation of its own again")


@organisations.command()
@click.argument("code")
@click.argument("clinic_id")
@click.argument("host")
@click.option("--name", help="What the clinic is called.")
@click.option("--address", help="Where it is.")
def place(code: str, clinic_id: str, host: str, name: str | None, address: str | None) -> None:
    """Say which authority hosts a clinic of a provider; a new clinic is added."""
    from core.accounts.clinics import add_or_place_clinic
    from core.accounts.organisations import find_organisation
    from core.engine.areas.register import AreaRegister

    with running_services() as engine, engine.begin() as connection:
        provider = find_organisation(connection, "provider", code)
        add_or_place_clinic(
            connection,
            provider.id,
            clinic_id,
            host,
            name=name,
            address=address,
            register=AreaRegister.shipped(),
            user_id=None,
        )
    click.echo(f"{clinic_id} of {code} is hosted by {host}")
