"""``grouper users``: who may sign in."""

from __future__ import annotations

import click

from cli.accounts import as_json
from cli.services import print_document, running_services
from core.counting import counted


@click.group()
def users() -> None:
    """Add users, list them, end their access or their sign-ins.

    SUBJECT is what your OpenID provider calls a person, the claim `sub`. What they may do follows
    from their subscriptions.
    """


@users.command()
@click.argument("subject")
@click.argument("name")
@click.option("--email", help="Where they are written to.")
def add(subject: str, name: str, email: str | None) -> None:
    """Let a person sign in; without a subscription they see nothing yet."""
    from core.access.users import add_user

    with running_services() as engine, engine.begin() as connection:
        number = add_user(connection, subject, name, email, user_id=None)
    click.echo(f"user {number}: {name} ({subject})")


@users.command("list")
@click.argument("search", default="")
@as_json
def list_users(search: str, *, as_json: bool) -> None:
    """List users with their roles of today; SEARCH keeps to names that have it."""
    from core.access.scope import EVERYTHING
    from core.access.users import list_users as find

    with running_services() as engine, engine.connect() as connection:
        rows = find(connection, EVERYTHING, search=search)
    if as_json:
        print_document({"users": [vars(user) for user in rows]})
        return
    for user in rows:
        state = "" if user.active else ", access ended"
        roles = "; ".join(user.roles) or "no role today"
        click.echo(f"{user.id:5}  {user.name} ({user.subject}){state}: {roles}")


@users.command()
@click.argument("subject")
def end(subject: str) -> None:
    """End a person's access: at once, and until they are let in again."""
    from core.access.users import end_user, find_user

    with running_services() as engine, engine.begin() as connection:
        end_user(connection, find_user(connection, subject), user_id=None)
    click.echo(f"{subject} comes in no more")


@users.command("let-in")
@click.argument("subject")
def let_in(subject: str) -> None:
    """Let a person in again whose access was ended."""
    from core.access.users import find_user, reactivate_user

    with running_services() as engine, engine.begin() as connection:
        reactivate_user(connection, find_user(connection, subject), user_id=None)
    click.echo(f"{subject} may sign in again")


@users.command("sign-out")
@click.argument("subject")
def sign_out(subject: str) -> None:
    """End every sign-in of a person at once, in all browsers; they may sign in again."""
    from core.access.sessions import revoke_all
    from core.access.users import find_user

    with running_services() as engine, engine.begin() as connection:
        ended = revoke_all(connection, find_user(connection, subject), user_id=None)
    click.echo(f"{counted(ended, 'sign-in')} ended")
