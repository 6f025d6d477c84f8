"""Invoices for an accounting package: the columns by which Xero imports sales invoices.

One row a line. Texts that a spreadsheet would calculate are made inert; dates are day/month/year. A
credit note is an invoice with negative amounts, as Xero expects it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from core.accounts.invoice_list import Invoice, InvoiceLine
from core.engine.columns.csv_injection import inert

COLUMNS = (
    "*ContactName", "EmailAddress", "POAddressLine1", "POAddressLine2", "POAddressLine3",
    "POAddressLine4", "POCity", "PORegion", "POPostalCode", "POCountry", "*InvoiceNumber",
    "Reference", "*InvoiceDate", "*DueDate", "InventoryItemCode", "*Description", "*Quantity",
    "*UnitAmount", "Discount", "*AccountCode", "*TaxType", "TrackingName1", "TrackingOption1",
    "TrackingName2", "TrackingOption2", "Currency", "BrandingTheme",
)  # fmt: skip
ADDRESS_LINES = COLUMNS[2:6]
NO_TAX, TAX = "No VAT", "{percent}% (VAT on Income)"


def invoices_csv(invoices: Iterable[Invoice], *, account_code: str) -> str:
    """The csv for import into Xero, oldest invoice first."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    for invoice in sorted(invoices, key=lambda each: (each.issued_on, each.id)):
        for row in _rows(invoice, account_code):
            writer.writerow(row)
    return out.getvalue()


def _rows(invoice: Invoice, account_code: str) -> Iterator[dict[str, str]]:
    address = (invoice.billed_address or "").replace("|", "\n").splitlines()
    sign = 1 if invoice.bill == "invoice" else -1
    reference = f"Subscription {invoice.subscription_id}"
    shared = {
        "*ContactName": inert(invoice.billed_name),
        "EmailAddress": inert(invoice.email or ""),
        **{name: inert(text.strip()) for name, text in zip(ADDRESS_LINES, address, strict=False)},
        "*InvoiceNumber": invoice.reference,
        "Reference": reference,
        "*InvoiceDate": f"{invoice.issued_on:%d/%m/%Y}",
        "*DueDate": f"{invoice.due_on:%d/%m/%Y}",
        "*AccountCode": account_code,
        "*TaxType": _tax_type(invoice),
        "Currency": "GBP",
    }
    for line in invoice.lines:
        yield {**shared, **_line(line, sign)}


def _line(line: InvoiceLine, sign: int) -> dict[str, str]:
    return {
        "*Description": inert(line.text),
        "*Quantity": str(line.quantity),
        "*UnitAmount": f"{sign * line.unit_price:.2f}",
    }


def _tax_type(invoice: Invoice) -> str:
    percent = invoice.vat_percent
    return TAX.format(percent=f"{percent.normalize():f}") if percent else NO_TAX
