"""Csv files, and what is right for each."""

from __future__ import annotations

import csv
import datetime as dt

from core.engine.columns.as_read import text_as_read
from tests.odd_files.odd_file import FOLDER, OddFile, in_full

WITH_COMMENTS = (None, "unknown-column")


def odd_ids() -> list[str]:
    """The patients of the file of odd characters, as people read them."""
    with (FOLDER / "90-odd-characters.csv").open(encoding="utf-8", newline="") as lines:
        return [text_as_read(row["Patient ID"]) for row in csv.DictReader(lines)]


FILES: tuple[OddFile, ...] = (
    OddFile("01-zwsp-patient.csv", (), in_full("1001")),
    OddFile("03-sci-patient-id.csv", ((2, "bad-number"), (3, "bad-number")), {}),
    OddFile(
        "04-stray-quotes-swallow.csv",
        (WITH_COMMENTS, (3, "ragged-row"), (5, "ragged-row")),
        in_full("1001", "1003", "1005"),
    ),
    OddFile("05-equals-quoted-id.csv", (), in_full("0001001")),
    OddFile("08-zwsp-heading.csv", (), in_full("1001")),
    OddFile("09-ctrl-z.csv", (), in_full("1001")),
    OddFile("10-cr-cr-lf.csv", (), in_full("1001", "1002")),
    OddFile("11-sep-upper-bad-row.csv", ((3, "bad-encoding"),), None),
    OddFile("13-utf16-cr-only-bad-row.csv", ((4, "bad-encoding"),), None),
    OddFile("34-sep-cr-only.csv", (), in_full("1001")),
    OddFile(
        "90-odd-characters.csv", (), in_full(*odd_ids()), provider="ZX2", month=dt.date(2017, 7, 1)
    ),
    OddFile("91-ragged-last.csv", ((2, "bad-number"), (4, "ragged-row")), in_full("1002")),
    OddFile("B2-title-row.csv", ((2, "headings-elsewhere"),), None),
    OddFile("B3-two-header-rows.csv", ((2, "joined-file"),), in_full("1001")),
    OddFile("B6-slot-13.csv", ((2, "too-many-codes"),), {}),
    OddFile("B7-zero-slot.csv", (), in_full("1001")),
    OddFile("C1-bom-mid-file.csv", ((3, "joined-file"),), in_full("1001")),
    OddFile("C2-bom-patient.csv", (), in_full("1001")),
    OddFile("C7-utf32.csv", ((None, "bad-encoding"),), None),
    OddFile("D1-cp1252-called-mixed.csv", (WITH_COMMENTS,), in_full("1001", "1002")),
    OddFile("D2-space-before-quote.csv", (), in_full("1001")),
    OddFile("E0-formula-ids.csv", (), in_full("=1+1", "@SUM(1;2)", "+44", "-5")),
)
