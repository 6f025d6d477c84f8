"""``grouper secrets``: show how operators sign in to Prefect, and give secrets new values."""

from __future__ import annotations

import contextlib

import click

from cli.services import running_services
from core.settings import load_settings
from core.user_errors import UserError

NAMES = ("signing-key", "prefect-password", "hook-key", "database-roles")


@click.group()
def secrets() -> None:
    """Show and change the secrets that this installation made for itself (docs/security.md)."""


@secrets.command()
def show() -> None:
    """Print how operators sign in to Prefect's pages, as USER:PASSWORD.

    It is worth as much as the rights of the user that runs the services: keep it so.
    """
    login = load_settings().prefect_login()
    if login is None:
        raise UserError("somebody else runs Prefect's server: ask there, or set its password here")
    click.echo(login)


@secrets.command()
@click.argument("name", type=click.Choice(NAMES))
def rotate(name: str) -> None:
    """Give a secret a new value while everything runs."""
    from core.access.audit import note
    from deployments.secret_rotation import rotate as give_new

    secret = give_new(load_settings(), name)
    with contextlib.suppress(UserError), running_services() as engine, engine.begin() as connection:
        note(connection, "secret changed", f"secret:{name}", user_id=None)
    click.echo(f"{name} is new: {secret.effect}")
