"""What is right for a file: what is found in it, and what is charged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.small_dataset import DATA

FOLDER = DATA / "odd-files"
APRIL = dt.date(2017, 4, 1)

T2_C4 = ("CYT additional", "STIA additional", "T2 primary")
"""What an episode with T2, C4 and a care activity 11 is charged."""

Charges = Mapping[str, tuple[str, ...]]
"""For each patient the currencies charged, each with its rate type, in alphabetical order."""


@dataclass(frozen=True)
class OddFile:
    """``found``: row and code of every finding, those of the file as a whole first.

    ``charges``: what the records without error are charged; None where the file is refused.
    """

    name: str
    found: tuple[tuple[int | None, str], ...]
    charges: Charges | None
    provider: str = "ZX1"
    month: dt.date = APRIL

    @property
    def path(self) -> Path:
        return FOLDER / self.name


def in_full(*patients: str) -> dict[str, tuple[str, ...]]:
    """The charges of patients who each had T2, C4 and a care activity 11."""
    return dict.fromkeys(patients, T2_C4)
