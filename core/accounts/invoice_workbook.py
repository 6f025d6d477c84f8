"""An invoice as a workbook to send and to print."""

from __future__ import annotations

import io

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from core.accounts.invoice_list import Invoice
from core.settings import Settings

_WIDTHS = (58, 10, 14, 14)
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
DATE, MONEY = "d mmmm yyyy", "£#,##0.00"


def invoice_workbook(invoice: Invoice, settings: Settings) -> bytes:
    """The invoice or credit note on one page of A4; texts never become formulas."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, _OPTIONS) as book:
        sheet = book.add_worksheet(invoice.reference)
        _page(sheet)
        row = _head(book, sheet, invoice, settings)
        row = _lines(book, sheet, invoice, row)
        _foot(book, sheet, invoice, settings, row)
    return out.getvalue()


def _page(sheet: Worksheet) -> None:
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 1)
    sheet.hide_gridlines(2)


def _head(book: Workbook, sheet: Worksheet, invoice: Invoice, settings: Settings) -> int:
    title = book.add_format({"bold": True, "font_size": 20, "font_color": "#1D5C87"})
    label, date = (
        book.add_format({"bold": True}),
        book.add_format({"num_format": DATE, "align": "left"}),
    )
    sheet.write_string(0, 0, invoice.bill.capitalize(), title)
    row = _texts(sheet, 1, settings.invoice_from.split("|"))
    if settings.invoice_vat_number:
        sheet.write_string(row, 0, f"VAT number {settings.invoice_vat_number}")
        row += 1
    facts = [("Number", invoice.reference), ("Date", invoice.issued_on)]
    if invoice.bill == "invoice":
        facts.append(("To be paid by", invoice.due_on))
    else:
        facts.append(("Takes back", f"INV-{invoice.credits or 0:05d}"))
    for offset, (name, value) in enumerate(facts, 1):
        sheet.write_string(offset, 2, name, label)
        if isinstance(value, str):
            sheet.write_string(offset, 3, value)
        else:
            sheet.write_datetime(offset, 3, value, date)
    row = max(row, len(facts) + 1) + 1
    sheet.write_string(row, 0, "To", label)
    address = (invoice.billed_address or "").replace("|", "\n").splitlines()
    return _texts(sheet, row + 1, [invoice.billed_name, *address, f"For {invoice.contact}"]) + 1


def _lines(book: Workbook, sheet: Worksheet, invoice: Invoice, row: int) -> int:
    head = book.add_format({"bold": True, "bottom": 1})
    right = book.add_format({"bold": True, "bottom": 1, "align": "right"})
    money, text = book.add_format({"num_format": MONEY}), book.add_format({"text_wrap": True})
    for column, name in enumerate(("What", "Quantity", "Price", "Amount")):
        sheet.write_string(row, column, name, right if column else head)
    for line in invoice.lines:
        row += 1
        sheet.write_string(row, 0, line.text, text)
        sheet.write_number(row, 1, line.quantity)
        sheet.write_number(row, 2, float(line.unit_price), money)
        sheet.write_number(row, 3, float(line.net), money)
    return row + 2


def _foot(book: Workbook, sheet: Worksheet, invoice: Invoice, settings: Settings, row: int) -> None:
    plain = book.add_format({"num_format": MONEY})
    total = book.add_format({"num_format": MONEY, "bold": True, "top": 1})
    bold = book.add_format({"bold": True, "top": 1})
    sums: list[tuple[str, float, Format]] = [
        ("Net", float(invoice.net), plain),
        (f"VAT at {invoice.vat_percent.normalize():f} %", float(invoice.vat), plain),
        ("Total", float(invoice.total), total),
    ]
    for name, amount, format_ in sums:
        sheet.write_string(row, 2, name, bold if name == "Total" else None)
        sheet.write_number(row, 3, amount, format_)
        row += 1
    if settings.invoice_bank and invoice.bill == "invoice":
        paid_to = settings.invoice_bank.split("|")
        _texts(sheet, row + 1, [f"Please pay to, naming {invoice.reference}:", *paid_to])


def _texts(sheet: Worksheet, row: int, texts: list[str]) -> int:
    for text in texts:
        sheet.write_string(row, 0, text.strip())
        row += 1
    return row
