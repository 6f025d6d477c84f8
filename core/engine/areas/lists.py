"""Reads the small csv lists that people keep by hand: clinics with their hosts, areas."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from core.engine.columns.as_read import text_as_read
from core.user_errors import UserError

Column = list[str]


def read_list(
    path: Path, required: Sequence[str], optional: Sequence[str] = ()
) -> tuple[list[int], dict[str, Column]]:
    """The spreadsheet row of every line, and its columns by name, as people read them.

    Headings match without regard to case; other columns are ignored and empty lines skipped.
    An optional column that is absent is blank throughout. Raises ``UserError`` with file and row.
    """
    row = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines, strict=True)
            first = next(reader, [])
            _refuse_odd(path, 1, first)
            headings = [text_as_read(heading).casefold() for heading in first]
            _headings_fit(path, headings, required, optional)
            rows = []
            row = 2
            for cells in reader:
                _refuse_odd(path, row, cells)
                if any(map(text_as_read, cells)):
                    rows.append((row, cells))
                row += 1
    except UnicodeDecodeError:
        refuse(path, None, "the file is not UTF-8 text; save it as “CSV UTF-8”")
    except csv.Error as error:
        refuse(path, row, f"the row is not readable csv ({error}); look for a stray double quote")
    except OSError as error:
        refuse(path, None, f"the file cannot be opened ({error.strerror})")
    for number, cells in rows:
        if len(cells) != len(headings):
            refuse(
                path, number, f"{len(cells)} values under {len(headings)} headings; fill the row"
            )
    numbers = [number for number, _ in rows]
    return numbers, {
        name: _column(rows, headings, name) if name in headings else [""] * len(rows)
        for name in (*required, *optional)
    }


def refuse(path: Path, row: int | None, text: str) -> NoReturn:
    place = f"{path}" if row is None else f"{path} row {row}"
    raise UserError(f"{place}: {text}")


def _refuse_odd(path: Path, row: int, cells: list[str]) -> None:
    """Refuses what a list never holds: a NUL, or lines that a stray double quote joined."""
    for cell in cells:
        if "\0" in cell:
            refuse(path, row, "holds a NUL character; save the file again as “CSV UTF-8”")
        if "," in cell and len(cell.strip().splitlines()) > 1:
            refuse(path, row, "a double quote joins the lines below to this one; take it out")


def _headings_fit(
    path: Path, headings: list[str], required: Iterable[str], optional: Iterable[str]
) -> None:
    missing = [name for name in required if name not in headings]
    if missing:
        there = ",".join(headings) or "nothing"
        refuse(path, 1, f"no column {', '.join(missing)} (the headings are: {there}); add it")
    for name in (*required, *optional):
        if headings.count(name) > 1:
            refuse(path, 1, f"the column {name} stands there twice; keep one")


def _column(rows: list[tuple[int, list[str]]], headings: list[str], name: str) -> Column:
    place = headings.index(name)
    return [text_as_read(row[place]) for _, row in rows]
