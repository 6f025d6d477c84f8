"""``grouper subscriptions``: who is in, for what, from when to when."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from cli.accounts import Day, Money, as_json, on_day
from cli.row_number import ROW_NUMBER
from cli.services import print_document, running_services
from core.accounts.today import today
from core.vocabulary.permissions import Kind

if TYPE_CHECKING:
    from core.accounts.subscription_list import SubscriptionRow


@click.group()
def subscriptions() -> None:
    """Quote, invoice, transfer, extend and end subscriptions.

    NUMBER is the number of a subscription, as `grouper subscriptions list` shows it.
    """


@subscriptions.command("list")
@click.option("--user", metavar="SUBJECT", help="Those of one person.")
@as_json
def list_subscriptions(user: str | None, *, as_json: bool) -> None:
    """List subscriptions, the newest first."""
    from core.access.scope import EVERYTHING
    from core.access.users import find_user
    from core.accounts.subscription_list import list_subscriptions as find

    with running_services() as engine, engine.connect() as connection:
        of_user = find_user(connection, user) if user else None
        rows = find(connection, EVERYTHING, today(), of_user=of_user)
    if as_json:
        print_document({"subscriptions": [vars(row) for row in rows]})
        return
    for row in rows:
        click.echo(_line(row))


def _line(row: SubscriptionRow) -> str:
    until = f"until {row.last_day}" if row.last_day else f"from {row.first_day} if accepted"
    return f"{row.id:5}  {row.title}: {row.holder}, {row.state}, {until}"


@subscriptions.command()
@click.argument("subject")
@click.argument("kind", type=click.Choice([kind.value for kind in Kind]))
@click.option("--organisation", metavar="CODE", help="Not for administrators and operators.")
@click.option("--from", "first_day", type=Day(), default="today", help="First day; today.")
@click.option("--price", type=Money(), help="Pounds before VAT, instead of the published price.")
@click.option("--invoice", "at_once", is_flag=True, help="Accepted already: invoice it today.")
def quote(
    subject: str,
    kind: str,
    *,
    organisation: str | None,
    first_day: dt.date,
    price: Decimal | None,
    at_once: bool,
) -> None:
    """Quote a subscription to a person; with --invoice it is in force from its first day."""
    from core.access.users import find_user
    from core.accounts.organisations import organisation_of
    from core.accounts.subscriptions import Quote
    from core.accounts.subscriptions import invoice as issue
    from core.accounts.subscriptions import quote as write

    with running_services() as engine, engine.begin() as connection:
        number = organisation_of(connection, organisation).id if organisation else None
        user = find_user(connection, subject)
        offer = Quote(Kind(kind), user, number, first_day, price)
        made = write(connection, offer, today=today(), user_id=None)
        if at_once:
            issue(connection, made, on=today(), user_id=None)
    click.echo(f"subscription {made}{' is invoiced' if at_once else ' is quoted'}")


@subscriptions.command()
@click.argument("number", type=ROW_NUMBER)
@on_day
def invoice(number: int, *, on: dt.date) -> None:
    """Invoice a quotation: the subscription is in force from its first day."""
    from core.access.scope import EVERYTHING
    from core.accounts.invoice_list import get_invoice
    from core.accounts.subscriptions import invoice as issue

    with running_services() as engine, engine.begin() as connection:
        made = get_invoice(connection, EVERYTHING, issue(connection, number, on=on, user_id=None))
    click.echo(f"{made.reference}: £{made.total:,.2f}, to be paid by {made.due_on}")


@subscriptions.command()
@click.argument("number", type=ROW_NUMBER)
@click.argument("subject")
@on_day
def transfer(number: int, subject: str, *, on: dt.date) -> None:
    """Give a subscription to another person, from a day on."""
    from core.access.users import find_user
    from core.accounts.subscriptions import transfer as give

    with running_services() as engine, engine.begin() as connection:
        user = find_user(connection, subject)
        give(connection, number, to_user=user, on=on, user_id=None, today=today())
    click.echo(f"subscription {number} is {subject}'s from {on}")


@subscriptions.command()
@click.argument("number", type=ROW_NUMBER)
@click.argument("code")
@click.option("--price", type=Money(), help="Pounds before VAT, instead of the published price.")
@on_day
def add(number: int, code: str, *, price: Decimal | None, on: dt.date) -> None:
    """Let a subscription hold for another organisation too, from a day on."""
    from core.accounts.organisations import organisation_of
    from core.accounts.subscriptions import add_organisation

    with running_services() as engine, engine.begin() as connection:
        organisation = organisation_of(connection, code)
        add_organisation(connection, number, organisation.id, on=on, price=price, user_id=None)
    click.echo(f"subscription {number} holds for {organisation.name} from {on}")


@subscriptions.command()
@click.argument("number", type=ROW_NUMBER)
@click.option("--reason", default="", help="For the audit.")
@on_day
def end(number: int, *, reason: str, on: dt.date) -> None:
    """End a subscription: it does not hold from the day on. Withdraws a quotation."""
    from core.accounts.subscriptions import end as stop

    with running_services() as engine, engine.begin() as connection:
        stop(connection, number, on=on, user_id=None, today=today(), reason=reason)
    click.echo(f"subscription {number} ends: it does not hold from {on}")


@subscriptions.command()
@on_day
def daily(*, on: dt.date) -> None:
    """Do what the daily flow does: begin, warn, end, quote renewals. Twice does no harm."""
    from core.accounts.daily import update_subscriptions

    with running_services() as engine, engine.begin() as connection:
        cared = update_subscriptions(connection, on)
    click.echo(f"{cared.moved} moved on, {cared.warned} warnings, {cared.renewals} renewals quoted")
