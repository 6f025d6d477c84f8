"""How every workbook of the service looks: headings, money, dates, widths, notes.

Text that begins with ``=`` stays text, and memory stays constant however long a sheet is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import xlsxwriter

Kind = Literal["text", "whole", "money", "factor", "date", "month"]

ROWS_A_SHEET = 1_048_576
"""What Excel holds, heading included; more flows to a further sheet."""

_FORMATS: dict[Kind, dict[str, Any]] = {
    "text": {},
    "whole": {"num_format": "#,##0"},
    "money": {"num_format": "£#,##0.00"},
    "factor": {"num_format": "0.00###"},
    "date": {"num_format": "d mmm yyyy", "align": "left"},
    "month": {"num_format": "mmm yyyy", "align": "left"},
}
_NUMBERS: frozenset[Kind] = frozenset({"whole", "money", "factor"})


@dataclass(frozen=True)
class Column:
    """A column of a sheet: its heading, what it holds, how wide it is in characters."""

    heading: str
    kind: Kind = "text"
    width: int = 14


class Workbook:
    """An Excel file being written from top to bottom, in constant memory."""

    def __init__(self, path: Path, *, rows_a_sheet: int = ROWS_A_SHEET) -> None:
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_format_properties": {"font_name": "Arial", "font_size": 10},
        }
        self._book = xlsxwriter.Workbook(str(path), options)
        self._rows_a_sheet = rows_a_sheet
        self._formats = {kind: self._book.add_format(look) for kind, look in _FORMATS.items()}
        heading = {"bold": True, "bg_color": "#1F3A4D", "font_color": "#FFFFFF", "valign": "top"}
        self._heading = self._book.add_format({**heading, "text_wrap": True})
        self._heading_right = self._book.add_format(
            {**heading, "text_wrap": True, "align": "right"}
        )
        self._title = self._book.add_format({"bold": True, "font_size": 16})
        self._group = self._book.add_format({"bold": True, "font_size": 12})
        self._wrapped = self._book.add_format({"text_wrap": True, "valign": "top"})
        self._label = self._book.add_format({"bold": True, "valign": "top"})
        self._totals = {
            kind: self._book.add_format({**look, "bold": True, "top": 1})
            for kind, look in _FORMATS.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._book.close()

    def describe(self, title: str, subject: str) -> None:
        """The properties that the file shows in Excel."""
        self._book.set_properties({"title": title, "subject": subject, "company": "Grouper"})

    def notes(self, title: str, notes: Sequence[tuple[str, str]]) -> None:
        """A sheet of labels and sentences."""
        sheet = self._book.add_worksheet("Notes")
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 90)
        sheet.write_string(0, 0, title, self._title)
        for row, (label, text) in enumerate(notes, start=2):
            sheet.write_string(row, 0, label, self._label)
            sheet.write_string(row, 1, text, self._wrapped)

    def groups(self, name: str, title: str, groups: Sequence[Group]) -> None:
        """A sheet of short tables under each other, each with its total row."""
        sheet = self._book.add_worksheet(name)
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        widths = [max(widths) for widths in zip(*(group.widths for group in groups), strict=True)]
        for index, width in enumerate(widths):
            sheet.set_column(index, index, width)
        sheet.write_string(0, 0, title, self._title)
        row = 2
        for group in groups:
            row = self._write_group(sheet, row, group) + 2

    def _write_group(self, sheet: Any, row: int, group: Group) -> int:
        sheet.write_string(row, 0, group.title, self._group)
        self._write_headings(sheet, row + 1, group.columns)
        row += 2
        for values in group.rows:
            self._write_row(sheet, row, group.columns, values, self._formats)
            row += 1
        self._write_row(sheet, row, group.columns, group.total, self._totals)
        return row + 1

    def table(self, name: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> int:
        """A long sheet with frozen, filtered headings; returns the number of rows.

        What one sheet does not hold flows to ``name 2``, ``name 3`` …
        """
        count, sheet, at = 0, None, 0
        for values in rows:
            if sheet is None or at == self._rows_a_sheet:
                self._finish_table(sheet, at, columns)
                number = count // (self._rows_a_sheet - 1) + 1
                sheet = self._start_table(name if number == 1 else f"{name} {number}", columns)
                at = 1
            self._write_row(sheet, at, columns, values, self._formats)
            at += 1
            count += 1
        if sheet is None:
            sheet, at = self._start_table(name, columns), 1
        self._finish_table(sheet, at, columns)
        return count

    def _start_table(self, name: str, columns: Sequence[Column]) -> Any:
        sheet = self._book.add_worksheet(name)
        for index, column in enumerate(columns):
            sheet.set_column(index, index, column.width)
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.repeat_rows(0)
        sheet.fit_to_pages(1, 0)
        self._write_headings(sheet, 0, columns)
        return sheet

    def _finish_table(self, sheet: Any, rows: int, columns: Sequence[Column]) -> None:
        if sheet is not None:
            sheet.autofilter(0, 0, max(rows - 1, 1), len(columns) - 1)

    def _write_headings(self, sheet: Any, row: int, columns: Sequence[Column]) -> None:
        for index, column in enumerate(columns):
            look = self._heading_right if column.kind in _NUMBERS else self._heading
            sheet.write_string(row, index, column.heading, look)

    def _write_row(
        self,
        sheet: Any,
        row: int,
        columns: Sequence[Column],
        values: Sequence[Any],
        formats: dict[Kind, Any],
    ) -> None:
        for index, (column, value) in enumerate(zip(columns, values, strict=True)):
            if value is None or value == "":
                sheet.write_blank(row, index, None, formats[column.kind])
            else:
                _WRITERS[column.kind](sheet)(row, index, value, formats[column.kind])


@dataclass(frozen=True)
class Group:
    """A short table of a summary sheet."""

    title: str
    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]
    total: tuple[Any, ...]

    @property
    def widths(self) -> tuple[int, ...]:
        """Wide enough for the headings and for every value."""
        return tuple(
            max(column.width, *(len(str(row[index] or "")) + 2 for row in self.rows), 0)
            for index, column in enumerate(self.columns)
        )


_WRITERS: dict[Kind, Callable[[Any], Callable[..., Any]]] = {
    "text": lambda sheet: sheet.write_string,
    "whole": lambda sheet: sheet.write_number,
    "money": lambda sheet: sheet.write_number,
    "factor": lambda sheet: sheet.write_number,
    "date": lambda sheet: sheet.write_datetime,
    "month": lambda sheet: sheet.write_datetime,
}
