"""Writes sample activity to csv or xlsx: equal records make equal bytes."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from core.user_errors import UserError

XLSX_ROWS = 1_048_575  # below the heading
CREATED = datetime.datetime(2017, 4, 1)  # noqa: DTZ001 - workbooks know no time zones
DATE = "Attendance Date"


def write_activity(activity: pa.Table, path: Path, *, dates: Collection[str] = (DATE,)) -> None:
    """Writes csv or xlsx by the suffix of ``path``; raises ``UserError`` for any other suffix.

    ``dates``: the columns that become date cells in a workbook.
    """
    ending = path.suffix.casefold()
    if ending not in (".csv", ".xlsx"):
        raise UserError(f"{path}: name the file .csv or .xlsx")
    if ending == ".xlsx" and activity.num_rows > XLSX_ROWS:
        raise UserError(f"{path}: a worksheet holds {XLSX_ROWS:,} records; write .csv instead")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if ending == ".csv":
            _write_csv(activity, path)
        else:
            _write_xlsx(activity, path, dates)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error


def write_clinics(clinics: list[tuple[str, str, str]], path: Path) -> None:
    """The list that ``grouper price --clinics`` reads."""
    lines = ["clinic_id,commissioner", *(f"{clinic},{host}" for clinic, _, host in clinics)]
    try:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error


def _write_csv(activity: pa.Table, path: Path) -> None:
    heading = ",".join(activity.column_names) + "\n"
    options = pacsv.WriteOptions(include_header=False, quoting_style="none")
    with path.open("wb") as out:
        out.write(heading.encode())
        for start in range(0, activity.num_rows, 100_000):
            part = activity.slice(start, 100_000)
            texts = [column.cast(pa.string()).fill_null("") for column in part.columns]
            pacsv.write_csv(pa.table(texts, activity.column_names), out, options)


def _write_xlsx(activity: pa.Table, path: Path, dates: Collection[str]) -> None:
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as workbook:
        workbook.set_properties({"created": CREATED})
        sheet = workbook.add_worksheet("Activity")
        date_format = workbook.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, activity.column_names)
        date_at = {at for at, name in enumerate(activity.column_names) if name in dates}
        columns = [column.to_pylist() for column in activity.columns]
        for row, cells in enumerate(zip(*columns, strict=True), start=1):
            for at, text in enumerate(cells):
                if at in date_at and text and (day := _day(text)):
                    sheet.write_datetime(row, at, day, date_format)
                elif text is not None:
                    sheet.write_string(row, at, text)


def _day(text: str) -> datetime.datetime | None:
    """The date for a date cell; None for a value that was spoiled on purpose."""
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
