"""Workbooks, and what is right for each."""

from __future__ import annotations

from tests.odd_files.odd_file import OddFile, in_full

_WITHOUT_STIA = ("CYT additional", "T2 primary")

FILES: tuple[OddFile, ...] = (
    OddFile("15-html-style.xls", ((None, "wrong-file-type"),), None),
    OddFile("18-html-utf16.xls", ((None, "wrong-file-type"),), None),
    OddFile("50-second-sheet.xlsx", ((None, "data-on-another-sheet"),), None),
    OddFile("51-hidden-first-sheet.xlsx", ((None, "sheet-not-read"),), in_full("1001")),
    OddFile(
        "52-formula-no-cache.xlsx",
        ((3, "formula-without-value"), (4, "formula-without-value")),
        {**in_full("1001"), "1004": _WITHOUT_STIA},
    ),
    OddFile("57-date-cell-as-patient.xlsx", ((2, "not-text"), (3, "not-text")), in_full("MAR1")),
    OddFile("58-nul-escape.xlsx", ((2, "bad-encoding"),), {}),
    OddFile("60-err-no-address.xlsx", ((3, "unknown-code"),), in_full("1001")),
    OddFile(
        "61-new-errors.xlsx",
        ((2, "unknown-code"), (3, "unknown-code"), (4, "unknown-code")),  # the last has no name
        {},
    ),
    OddFile("65-zero-format-id.xlsx", (), in_full("0001001")),
    OddFile("68-merged.xlsx", ((3, "missing-value"),), in_full("1001")),
    OddFile("71-dup-cell.xlsx", ((2, "unknown-code"),), {}),
    OddFile(
        "80-xls-nul-padded.xls",
        ((2, "bad-encoding"),),
        {"1001": ("CYT primary", "STIA additional")},
    ),
    OddFile("94-formula-marked.xlsx", ((3, "unknown-code"),), in_full("1001")),
    OddFile("entity-in-strings.xlsx", ((None, "unreadable-file"),), None),
    OddFile("entity-unknown.xlsx", ((None, "unreadable-file"),), None),
)
