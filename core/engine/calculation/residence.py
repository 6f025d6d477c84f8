"""The district of each episode's residence, today and in the month that is charged.

A charge goes to the authority of today, unless the configuration lists the authority of then; the
other is named in the reason (docs/decisions/0014).
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from core.engine.areas.register import AreaRegister
from core.engine.calculation.episodes import Merged
from core.engine.columns.coded import Coded
from core.engine.columns.joins import BLANK, Codes, all_blank, coded, distinct_rows
from core.engine.tariff.reasons import then_words


@dataclass(frozen=True)
class ResidenceDistricts:
    """For each episode its district, and a sentence about an earlier one; both may be blank."""

    district: Coded
    words: Coded


def residence_of(
    merged: Merged, register: AreaRegister, commissioners: Container[str]
) -> ResidenceDistricts:
    """The districts where the patients live; ``commissioners`` are those of the configuration."""
    rows = merged.episodes.num_rows
    if merged.residence is None:
        return ResidenceDistricts(all_blank(rows), all_blank(rows))
    lived = coded(merged.episodes[merged.residence])
    today = coded(register.district_of(lived.values))
    then = coded(register.formerly(lived.values))
    if not (then.codes >= 0).any():
        return ResidenceDistricts(_spread(today, lived.codes), all_blank(rows))
    kind, example = distinct_rows([today.codes, then.codes])
    rows = [_district_and_words(today, then, int(row), register, commissioners) for row in example]
    district, words = zip(*rows, strict=True)
    return ResidenceDistricts(
        _spread(_of_kind(kind, district), lived.codes), _spread(_of_kind(kind, words), lived.codes)
    )


def _district_and_words(
    today: Coded, then: Coded, row: int, register: AreaRegister, commissioners: Container[str]
) -> tuple[str | None, str | None]:
    """The district that counts for the LSOA of a row, and the sentence about it."""
    now, before = _at(today, row), _at(then, row)
    if before is None or now is None or register.day is None:
        return now, None
    words = then_words(
        f"{register.day:%B %Y}",
        before=(before, register.names.get(before, before)),
        today=(now, register.names.get(now, now)),
    )
    counts = before if before in commissioners and now not in commissioners else now
    return counts, words


def _at(column: Coded, row: int) -> str | None:
    code = int(column.codes[row])
    value: str | None = column.values[code].as_py() if code >= 0 else None
    return value


def _of_kind(kind: Codes, texts: tuple[str | None, ...]) -> Coded:
    """A text, or a blank, for each kind."""
    column = coded(pa.array(texts, pa.string()))
    return Coded(column.codes[kind], column.values)


def _spread(column: Coded, codes: Codes) -> Coded:
    """A column by value, spread over the rows that hold the values."""
    return Coded(np.append(column.codes, np.int32(BLANK))[codes], column.values)
