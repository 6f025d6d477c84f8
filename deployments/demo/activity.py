"""The files of the demonstration, with a few errors of the kinds that clinics really make."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from core.engine.samples.activity import make_activity
from core.engine.samples.writing import write_activity

MONTH = dt.date(2017, 4, 1)


@dataclass(frozen=True)
class Slip:
    """The same slip in several rows: the wrong value and the right one."""

    column: str
    right: str
    wrong: str
    rows: int


@dataclass(frozen=True)
class DemoFile:
    """A provider's file for the month, and the right value for each wrong one in it."""

    provider: str
    path: Path
    right: dict[str, str]
    activity: pa.Table  # the intended records, without the slips


CSV_SLIPS = (
    Slip("SHHAPT 1", right="T4", wrong="T4A", rows=9),
    Slip("Gender", right="2", wrong="Female", rows=6),
    Slip("Location Type", right="E01", wrong="E1", rows=4),
)
XLSX_SLIPS = (
    Slip("Ethnicity", right="Z", wrong="Not stated", rows=7),
    Slip("SHHAPT 1", right="C4", wrong="C44", rows=3),
)


def make_files(folder: Path) -> list[DemoFile]:
    """Writes a csv file of one provider and an Excel file of the other."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _make(folder / "Lea Valley April 2017.csv", "ZX1", 6_000, CSV_SLIPS),
        _make(folder / "Thames Reach April 2017.xlsx", "ZX2", 2_500, XLSX_SLIPS),
    ]


def _make(path: Path, provider: str, rows: int, slips: tuple[Slip, ...]) -> DemoFile:
    meant = make_activity(rows, provider, MONTH, seed=2017)
    written = meant
    for slip in slips:
        written = with_slip(written, slip)
    write_activity(written, path)
    return DemoFile(provider, path, {slip.wrong: slip.right for slip in slips}, meant)


def with_slip(activity: pa.Table, slip: Slip) -> pa.Table:
    """Replaces the right value by the wrong one in some rows."""
    at = activity.column_names.index(slip.column)
    values = np.array(activity[slip.column].to_pylist(), dtype=object)
    values[np.flatnonzero(values == slip.right)[: slip.rows]] = slip.wrong
    return activity.set_column(at, slip.column, pa.array(values, type=pa.string()))
