"""``grouper invoices``: what subscriptions cost, and what was paid."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import click

from cli.accounts import Money, as_json, on_day
from cli.services import print_document, running_services
from core.accounts.today import today
from core.counting import counted

OUT = click.Path(dir_okay=False, path_type=Path)


@click.group()
def invoices() -> None:
    """List invoices, record payments, write credit notes, export for accounting.

    REFERENCE is the number on the paper: INV-00012, or CN-00003 for a credit note.
    """


@invoices.command("list")
@as_json
def list_invoices(*, as_json: bool) -> None:
    """List invoices and credit notes, the newest first."""
    from core.access.scope import EVERYTHING
    from core.accounts.invoice_list import list_invoices as find

    with running_services() as engine, engine.connect() as connection:
        all_invoices = find(connection, EVERYTHING)
    if as_json:
        documents = [
            {"reference": invoice.reference, "state": invoice.state, **vars(invoice)}
            for invoice in all_invoices
        ]
        print_document({"invoices": documents})
        return
    for invoice in all_invoices:
        late = " (overdue)" if invoice.is_overdue(today()) else ""
        click.echo(
            f"{invoice.reference}  {invoice.issued_on}  £{invoice.total:>10,.2f}  "
            f"{invoice.state}{late}  {invoice.billed_name}"
        )


@invoices.command()
@click.argument("reference")
@click.argument("amount", type=Money())
@click.option("--reference", "said", metavar="TEXT", help="What the bank statement says.")
@on_day
def pay(reference: str, amount: Decimal, *, reference_text: str | None, on: dt.date) -> None:
    """Record a payment of AMOUNT pounds."""
    from core.access.scope import EVERYTHING
    from core.accounts.invoice_list import find_invoice
    from core.accounts.invoices import record_payment

    with running_services() as engine, engine.begin() as connection:
        number = find_invoice(connection, EVERYTHING, reference).id
        left = record_payment(
            connection, number, amount, on=on, user_id=None, today=today(), reference=reference_text
        )
    click.echo(f"{reference}: £{left:,.2f} open" if left else f"{reference} is paid")


@invoices.command()
@click.argument("reference")
@click.option("--reason", default="", help="Stands on the credit note.")
@on_day
def credit(reference: str, *, reason: str, on: dt.date) -> None:
    """Take a whole invoice back by a credit note."""
    from core.access.scope import EVERYTHING
    from core.accounts.invoice_list import find_invoice, get_invoice
    from core.accounts.invoices import credit as take_back

    with running_services() as engine, engine.begin() as connection:
        number = find_invoice(connection, EVERYTHING, reference).id
        made = take_back(connection, number, on=on, reason=reason, user_id=None)
        note = get_invoice(connection, EVERYTHING, made)
    click.echo(f"{note.reference} takes back {reference}: £{note.total:,.2f}")


@invoices.command()
@click.argument("reference")
@click.option("--out", type=OUT, help="Where to; by default beside you, under its number.")
def save(reference: str, out: Path | None) -> None:
    """Write one invoice as an Excel workbook."""
    from core.access.scope import EVERYTHING
    from core.accounts.invoice_list import find_invoice
    from core.accounts.invoice_workbook import invoice_workbook
    from core.settings import settings

    with running_services() as engine, engine.connect() as connection:
        invoice = find_invoice(connection, EVERYTHING, reference)
    path = out or Path(f"{invoice.reference}.xlsx")
    path.write_bytes(invoice_workbook(invoice, settings()))
    click.echo(str(path))


@invoices.command()
@click.option("--out", type=OUT, required=True, help="The csv to write.")
def export(out: Path) -> None:
    """Write all invoices as csv, by the columns of Xero's sales invoices."""
    from core.access.scope import EVERYTHING
    from core.accounts.invoice_csv import invoices_csv
    from core.accounts.invoice_list import list_invoices as find
    from core.settings import settings

    with running_services() as engine, engine.connect() as connection:
        all_invoices = find(connection, EVERYTHING)
    text = invoices_csv(all_invoices, account_code=settings().invoice_account_code)
    out.write_text(text, encoding="utf-8", newline="")
    click.echo(f"{counted(len(all_invoices), 'invoice')} in {out}")
