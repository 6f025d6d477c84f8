"""Empty files to begin with: the headings of a data set, as csv or with drop-downs."""

from __future__ import annotations

import codecs
import io
from typing import Any

from core.engine.columns.csv_injection import heading_line
from core.engine.dataset.fields import Field
from core.engine.dataset.specification import Specification

ROWS = 5_000
"""Rows of the workbook that have drop-downs."""
LISTS = "Code lists"
_KINDS = {
    "text": "text",
    "integer": "a whole number",
    "date": "a date",
    "code": "a code of the list",
    "lsoa": "a lower layer super output area, or a pseudo code",
    "snomed": "a SNOMED CT code",
}


def csv_template(specification: Specification, layout: str | None = None) -> bytes:
    """The headings of a layout alone, as a spreadsheet opens them; without a name, of the first."""
    columns = _in_one_layout(specification, layout).columns
    return codecs.BOM_UTF8 + heading_line(columns)


def workbook_template(specification: Specification, layout: str | None = None) -> bytes:
    """Sheets for the records of a layout, with drop-downs and what each field holds, and for the
    code lists; without a name, of the first layout."""
    import xlsxwriter

    specification = _in_one_layout(specification, layout)

    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as workbook:
        records = workbook.add_worksheet("Activity")
        places = _write_lists(workbook, specification)
        looks = {
            "heading": workbook.add_format({"bold": True, "bg_color": "#E8EDF1"}),
            "date": workbook.add_format({"num_format": "dd/mm/yyyy"}),
            "text": workbook.add_format({"num_format": "@"}),
        }
        records.freeze_panes(1, 0)
        for column, (name, field) in enumerate(specification.columns.items()):
            records.write_string(0, column, name, looks["heading"])
            records.write_comment(0, column, about(field))
            look = looks["date" if field.type == "date" else "text"]
            records.set_column(column, column, max(12, len(name) + 2), look)
            rule = _rule(field, places)
            if rule is not None:
                records.data_validation(1, column, ROWS, column, rule)
    return out.getvalue()


def _in_one_layout(specification: Specification, layout: str | None) -> Specification:
    """A file has the columns of one layout: with those of several it would be refused."""
    return specification.in_layout(layout or next(iter(specification.by_layout), None))


def about(field: Field) -> str:
    """What a field holds, in a sentence."""
    kind = _KINDS[field.type]
    if field.type == "snomed" and field.codes:
        kind += ", or a code of the list"
    sentence = f"{field.in_full}: {kind}"
    if field.repeat:
        sentence += f", up to {field.repeat} of them"
    limits = [
        f"from {field.minimum}" if field.minimum is not None else "",
        f"to {field.maximum}" if field.maximum is not None else "",
        f"at most {field.max_length} characters" if field.max_length else "",
        f"one of the group {field.group}" if field.group else "",
        "required" if field.required else "may be blank",
    ]
    return ", ".join([sentence, *filter(None, limits)]) + "."


def _write_lists(workbook: Any, specification: Specification) -> dict[str, str]:
    """Writes every code list, two columns each; returns the cells of the codes by list."""
    from xlsxwriter.utility import xl_range_abs

    sheet = workbook.add_worksheet(LISTS)
    bold = workbook.add_format({"bold": True, "bg_color": "#E8EDF1"})
    places = {}
    for number, (name, codes) in enumerate(specification.code_lists.items()):
        column = 2 * number
        sheet.write_row(0, column, (name, "means"), bold)
        sheet.set_column(column + 1, column + 1, 30)
        for row, (code, label) in enumerate(codes.items(), start=1):
            sheet.write_string(row, column, code)
            sheet.write_string(row, column + 1, label)
        places[name] = f"='{LISTS}'!{xl_range_abs(1, column, len(codes), column)}"
    return places


def _rule(field: Field, places: dict[str, str]) -> dict[str, Any] | None:
    if field.type == "code" and field.codes is not None:
        return {
            "validate": "list",
            "source": places[field.codes],
            "error_title": field.name,
            "error_message": f"Choose a code of the list; the sheet {LISTS} says what each means.",
        }
    return None
