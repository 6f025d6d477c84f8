"""Puts errors of mixed kinds into a share of the rows of sample activity, one a row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from core.engine.columns.coded import Coded

FAULTS = (
    ("SHHAPT 1", "C99"),
    ("SHHAPT 1", "T44"),
    ("Attendance Date", "31/04/2017"),
    ("Attendance Date", "2017-02-30"),
    ("Patient ID", ""),
    ("LSOA", "E01999999"),
    ("LSOA", "E1 4NS"),
    ("Age", "abc"),
    ("Age", "250"),
    ("Gender", "F"),
    ("GP Practice Code", "G8"),
    ("Country of Birth", "United Kingdom"),
)
"""A column and a wrong value for it; the empty text is a blank where a value is required."""


def spoil(
    columns: dict[str, Coded],
    share: float,
    rng: np.random.Generator,
    faults: Sequence[tuple[str, str]] = FAULTS,
) -> dict[str, Coded]:
    """The columns with one fault in each of ``share`` of the rows."""
    rows = len(next(iter(columns.values())).codes)
    chosen = rng.choice(rows, round(rows * share), replace=False)
    kind = rng.integers(0, len(faults), len(chosen))
    spoiled = dict(columns)
    for number, (name, text) in enumerate(faults):
        spoiled[name] = _with(spoiled[name], chosen[kind == number], text)
    return spoiled


def _with(column: Coded, rows: np.ndarray[tuple[int], np.dtype[np.int64]], text: str) -> Coded:
    codes = column.codes.copy()
    if not text:
        codes[rows] = -1
        return Coded(codes, column.values)
    codes[rows] = len(column.values)
    return Coded(codes, pa.concat_arrays([column.values.cast(pa.string()), pa.array([text])]))
