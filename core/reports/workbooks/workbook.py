"""The format of every workbook of the service: headings, money, dates, widths, notes.

Text that begins with ``=`` stays text, and memory is constant regardless of the length of a sheet.
"""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import xlsxwriter

Kind = Literal["text", "whole", "money", "tally", "spread", "factor", "figure", "date", "month"]
"""``tally`` and ``spread`` are whole numbers and money that show zero as a dash."""

ROWS_A_SHEET = 1_048_576
"""The limit of Excel, heading included; further rows continue on another sheet."""

READABLE, A3 = 20, 8
"""The number of columns readable on a printed page; wider sheets use A3 and more pages across."""

_FORMATS: dict[Kind, dict[str, Any]] = {
    "text": {},
    "whole": {"num_format": "#,##0", "align": "right"},
    "money": {"num_format": "£#,##0.00", "align": "right"},
    "tally": {"num_format": "#,##0;-#,##0;–", "align": "right"},
    "spread": {"num_format": "£#,##0.00;-£#,##0.00;–", "align": "right"},
    "factor": {"num_format": "0.00###"},
    "figure": {"num_format": "#,##0.0#", "align": "right"},
    "date": {"num_format": "d mmm yyyy", "align": "left"},
    "month": {"num_format": "mmm yyyy", "align": "left"},
}
_NUMBERS: frozenset[Kind] = frozenset({"whole", "money", "tally", "spread", "factor", "figure"})


NOTE, LINE = 90, 13.5
"""The width of notes in characters, and the height of a line in points."""


def _fit_row_height(sheet: Any, row: int, texts: Sequence[tuple[str, int]]) -> None:
    """Sets the height that the texts of a row need at the widths of their columns; call it first.

    Excel adjusts heights when it opens the file; programs that print it directly do not.
    """
    lines = max(len(textwrap.wrap(text, max(1, width - 1))) for text, width in texts)
    if lines > 1:
        sheet.set_row(row, LINE * lines)


@dataclass(frozen=True)
class Column:
    """A column of a sheet: heading, kind, width in characters, and meaning in words.

    Money is in pounds; a date is a date, or its serial number in Excel.
    """

    heading: str
    kind: Kind = "text"
    width: int = 14
    meaning: str = ""


FIRST_DAY = 25_569
"""The serial number of 1 January 1970 in Excel."""


def serial(day: dt.date) -> int:
    """The serial number of a date in Excel."""
    return day.toordinal() - dt.date(1970, 1, 1).toordinal() + FIRST_DAY


@dataclass(frozen=True)
class Chart:
    """A chart of rows of a sheet: their names, and a series for each column of values.

    ``rows`` are the first and the last, counted from 0; ``series`` has the column and name of each.
    It uses shades of one colour, with gaps, so that it is readable in grey.
    """

    title: str
    axis: str
    rows: tuple[int, int]
    names: int
    series: tuple[tuple[int, str], ...]
    lying: bool = False  # bars that lie, for long names
    of_months: bool = False


@dataclass(frozen=True)
class Trend:
    """A line chart of a row of ``sheet``, whose first row names the months, and of the row with the
    medians of others, if there is one."""

    title: str
    unit: str
    name: str
    sheet: str
    row: int
    others: int | None
    columns: tuple[int, int]


_GREYS = ("#1F3A4D", "#7FA3B8", "#C9D6DE")


class Workbook(AbstractContextManager["Workbook"]):
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

    def close(self) -> None:
        self._book.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def describe(self, title: str, subject: str) -> None:
        """The properties that the file shows in Excel."""
        self._book.set_properties({"title": title, "subject": subject, "company": "Grouper"})

    def notes(self, title: str, notes: Sequence[tuple[str, str]]) -> None:
        """A sheet of labels and sentences."""
        sheet = self._book.add_worksheet("Notes")
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, NOTE)
        sheet.fit_to_pages(1, 0)
        sheet.write_string(0, 0, title, self._title)
        for row, (label, text) in enumerate(notes, start=2):
            _fit_row_height(sheet, row, [(text, NOTE)])
            sheet.write_string(row, 0, label, self._label)
            sheet.write_string(row, 1, text, self._wrapped)

    def chart(self, sheet_name: str, cell: str, chart: Chart, *, money: bool = True) -> None:
        """Inserts a native chart at a cell."""
        kind = "bar" if chart.lying else "column"
        drawn = self._book.add_chart({"type": kind, "subtype": "stacked"})
        first, last = chart.rows
        for (column, name), colour in zip(chart.series, _GREYS, strict=False):
            drawn.add_series(
                {
                    "name": name,
                    "categories": [sheet_name, first, chart.names, last, chart.names],
                    "values": [sheet_name, first, column, last, column],
                    "fill": {"color": colour},
                    "border": {"color": "#FFFFFF"},
                    "gap": 40,
                }
            )
        drawn.set_title({"name": chart.title, "name_font": {"size": 12}, "overlay": False})
        values = {
            "name": chart.axis,
            "num_format": "£#,##0" if money else "#,##0",
            "major_gridlines": {"visible": True, "line": {"color": "#D9D9D9"}},
        }
        drawn.set_y_axis({"reverse": True} if chart.lying else values)
        names = {"date_axis": True, "num_format": "mmm yy"} if chart.of_months else {}
        drawn.set_x_axis(values if chart.lying else names)
        drawn.set_legend({"none": True} if len(chart.series) == 1 else {"position": "bottom"})
        height = 300 if not chart.lying else max(240, 90 + 24 * (last - first + 1))
        drawn.set_size({"width": 820, "height": height})
        self._book.get_worksheet_by_name(sheet_name).insert_chart(cell, drawn)

    def trend(self, sheet_name: str, cell: str, trend: Trend) -> None:
        """Inserts a line chart by month, with a dashed line for others."""
        drawn = self._book.add_chart({"type": "line"})
        first, last = trend.columns
        for row, name, dash in ((trend.row, trend.name, "solid"), (trend.others, "others", "dash")):
            if row is not None:
                drawn.add_series(
                    {
                        "name": name,
                        "categories": [trend.sheet, 0, first, 0, last],
                        "values": [trend.sheet, row, first, row, last],
                        "line": {"color": _GREYS[0], "width": 2, "dash_type": dash},
                        "marker": {"type": "circle", "size": 5, "fill": {"color": _GREYS[0]}},
                    }
                )
        drawn.set_title({"name": trend.title, "name_font": {"size": 11}, "overlay": False})
        lines = {"visible": True, "line": {"color": "#D9D9D9"}}
        drawn.set_y_axis({"name": trend.unit, "min": 0, "major_gridlines": lines})
        drawn.set_legend({"position": "bottom"})
        drawn.set_size({"width": 460, "height": 240})
        self._book.get_worksheet_by_name(sheet_name).insert_chart(cell, drawn)

    def canvas(self, name: str, title: str, *, page_rows: int) -> None:
        """An empty sheet with a title, for charts; a new page after each ``page_rows``."""
        sheet = self._book.add_worksheet(name)
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.set_h_pagebreaks([2 + page_rows * page for page in range(1, 30)])
        sheet.write_string(0, 0, title, self._title)

    def groups(self, name: str, title: str, groups: Sequence[Group]) -> list[tuple[int, int]]:
        """A sheet of short tables below each other, each with its total row.

        Returns the first and last row of each, counted from 0, for charts.
        """
        sheet = self._book.add_worksheet(name)
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        widths = [max(widths) for widths in zip(*(group.widths for group in groups), strict=True)]
        for index, width in enumerate(widths):
            sheet.set_column(index, index, width)
        sheet.write_string(0, 0, title, self._title)
        row, places = 2, []
        for group in groups:
            first = row + 2
            places.append((first, max(first, first + len(group.rows) - 1)))
            row = self._write_group(sheet, row, group) + 2
        return places

    def _write_group(self, sheet: Any, row: int, group: Group) -> int:
        sheet.write_string(row, 0, group.title, self._group)
        self._write_headings(sheet, row + 1, group.columns)
        row += 2
        for values in group.rows:
            self._write_row(sheet, row, group.columns, values, self._formats)
            row += 1
        self._write_row(sheet, row, group.columns, group.total, self._totals)
        return row + 1

    def table(
        self,
        name: str,
        columns: Sequence[Column],
        rows: Iterable[Sequence[Any]],
        *,
        total: Sequence[Any] | None = None,
    ) -> int:
        """A long sheet with frozen, filtered headings; returns the number of rows.

        Rows beyond the limit continue on ``name 2``, ``name 3`` … A ``total`` stands below the last
        row, outside the filter.
        """
        count, sheet, at = 0, None, 0
        places, looks = range(len(columns)), [self._formats[column.kind] for column in columns]
        writers: list[Callable[..., Any]] = []
        for values in rows:
            if sheet is None or at == self._rows_a_sheet:
                self._finish_table(sheet, at, columns)
                number = count // (self._rows_a_sheet - 1) + 1
                sheet = self._start_table(name if number == 1 else f"{name} {number}", columns)
                at = 1
                writers = [_WRITERS[column.kind](sheet) for column in columns]
            for index, write, value, look in zip(places, writers, values, looks, strict=True):
                if value is None or value == "":
                    continue  # an empty cell is not written
                write(at, index, value, look)
            at += 1
            count += 1
        if sheet is None:
            sheet, at = self._start_table(name, columns), 1
        self._finish_table(sheet, at, columns)
        if total is not None:
            self._write_row(sheet, at, columns, total, self._totals)
        return count

    def _start_table(self, name: str, columns: Sequence[Column]) -> Any:
        sheet = self._book.add_worksheet(name)
        for index, column in enumerate(columns):
            sheet.set_column(index, index, column.width)
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.repeat_rows(0)
        if len(columns) > READABLE:
            sheet.set_paper(A3)
        sheet.fit_to_pages(-(-len(columns) // READABLE), 0)
        self._write_headings(sheet, 0, columns)
        return sheet

    def _finish_table(self, sheet: Any, rows: int, columns: Sequence[Column]) -> None:
        if sheet is not None:
            sheet.autofilter(0, 0, max(rows - 1, 1), len(columns) - 1)

    def _write_headings(self, sheet: Any, row: int, columns: Sequence[Column]) -> None:
        _fit_row_height(sheet, row, [(column.heading, column.width) for column in columns])
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


def _of_number(sheet: Any) -> Callable[..., Any]:
    def write(row: int, column: int, value: float | str, look: Any) -> None:
        (sheet.write_string if isinstance(value, str) else sheet.write_number)(
            row, column, value, look
        )

    return write


def _of_text(sheet: Any) -> Callable[..., Any]:
    return sheet.write_string  # type: ignore[no-any-return]


def _of_date(sheet: Any) -> Callable[..., Any]:
    def write(row: int, column: int, value: int | dt.date | str, look: Any) -> None:
        if isinstance(value, str):  # "Total"
            sheet.write_string(row, column, value, look)
        else:
            sheet.write_number(
                row, column, value if isinstance(value, int) else serial(value), look
            )

    return write


_WRITERS: dict[Kind, Callable[[Any], Callable[..., Any]]] = {
    "text": _of_text,
    "whole": _of_number,
    "money": _of_number,
    "tally": _of_number,
    "spread": _of_number,
    "factor": _of_number,
    "figure": _of_number,
    "date": _of_date,
    "month": _of_date,
}
