"""Csv files, and what is right for each."""

from __future__ import annotations

from tests.odd_files.odd_file import OddFile, in_full

FILES: tuple[OddFile, ...] = (
    OddFile(
        "91-ragged-last.csv",
        ((2, "bad-number"), (4, "ragged-row")),
        in_full("1002"),
    ),
    OddFile(
        "E0-formula-ids.csv",
        (),
        in_full("=1+1", "@SUM(1;2)", "+44", "-5"),
    ),
)
