"""A large sheet is read in portions, to the same cells."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import openpyxl
import pytest

from core.engine.reading import package, portions, workbook
from core.engine.reading.package import RefusedError

CALAMINE = Path(__file__).parents[3] / "data/calamine"
READABLE = sorted({path.name for path in CALAMINE.glob("*.xlsx")} - {"pass_protected.xlsx"})


@pytest.fixture
def in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sheet is large, and a portion has three rows or little more."""
    monkeypatch.setattr(package, "CELLS_AT_ONCE", 0)
    monkeypatch.setattr(package, "_BLOCK", 200)
    monkeypatch.setattr(portions.portions_of, "__defaults__", (3,))


def many_rows(path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Clinic", "Date", "Code", "Note"])
    for number in range(40):
        day = dt.date(2017, 4, 1) + dt.timedelta(days=number)
        sheet.append([f"C{number % 3}", day, number % 5 or None, "=1+1" if number % 7 else None])
    for row in sheet.iter_rows():
        for cell in row:
            if cell.value == "=1+1":
                cell.data_type = "s"
    sheet["C9"], sheet["D50"] = "#REF!", "loose"
    sheet["C9"].data_type = "e"
    sheet.delete_rows(20, 2)
    book.save(path)
    return path


def test_portions_hold_the_cells_of_the_whole(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = many_rows(tmp_path / "many.xlsx")
    whole = workbook.read_cells(path)
    request.getfixturevalue("in_portions")
    assert len(list(portions.portions_of(path, tmp_path))) > 5
    assert workbook.read_cells(path) == whole
    assert len(whole) > 40


@pytest.mark.parametrize("name", READABLE)
def test_odd_workbooks_read_the_same_in_portions(name: str, request: pytest.FixtureRequest) -> None:
    path = CALAMINE / name
    addressed = package.inspect_package(path).addressed
    whole = workbook.read_cells(path)
    request.getfixturevalue("in_portions")
    if addressed:
        assert trimmed(workbook.read_cells(path)) == trimmed(whole)
    else:  # only a small sheet may leave its cells without an address
        with pytest.raises(RefusedError, match="rows of"):
            workbook.read_cells(path)


def trimmed(rows: list[list[workbook.Cell]]) -> list[list[workbook.Cell]]:
    """Without blank cells at the ends, which depend on what a file says of its size."""
    kept = [list(row) for row in rows]
    for row in kept:
        while row and row[-1] == "":
            row.pop()
    while kept and not kept[-1]:
        kept.pop()
    return kept
