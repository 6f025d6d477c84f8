"""The authority responsible for each episode's residence, today and in the month that is charged.

A charge goes to the authority of today, unless the configuration lists the authority of then and
not the one of today; the other is named in the reason (docs/decisions/0014). Which authority is
responsible for a district: ``core/engine/areas/responsible.py``.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from core.engine.areas.register import AreaRegister
from core.engine.areas.responsible import FOR_WHICH, responsible_authority, step_words
from core.engine.calculation.episodes import Merged
from core.engine.columns.coded import Coded
from core.engine.columns.joins import BLANK, Codes, all_blank, coded, distinct_rows
from core.engine.tariff.reasons import then_words


@dataclass(frozen=True)
class ResidenceAuthorities:
    """For each episode the authority responsible for its residence, blank where none is known.

    ``earlier`` is a sentence about the district of the month, ``step`` one about the county that
    commissions for the district; both are blank in most episodes.
    """

    authority: Coded
    earlier: Coded
    step: Coded


def residence_of(
    merged: Merged, register: AreaRegister, commissioners: Container[str]
) -> ResidenceAuthorities:
    """The authorities where the patients live; ``commissioners`` are those of the configuration."""
    rows = merged.episodes.num_rows
    if merged.residence is None:
        return ResidenceAuthorities(all_blank(rows), all_blank(rows), all_blank(rows))
    lived = coded(merged.episodes[merged.residence])
    today = coded(register.district_of(lived.values))
    then = coded(register.formerly(lived.values))
    kind, example = distinct_rows([today.codes, then.codes])
    authorities = [
        _authority_and_words(_at(today, int(row)), _at(then, int(row)), register, commissioners)
        for row in example
    ]
    columns = zip(*authorities, strict=True) if authorities else ((), (), ())
    return ResidenceAuthorities(*(_spread(_of_kind(kind, texts), lived.codes) for texts in columns))


Texts = tuple[str | None, str | None, str | None]


def _authority_and_words(
    today: str | None, then: str | None, register: AreaRegister, commissioners: Container[str]
) -> Texts:
    """The authority that counts for a district of today and one of then, and what is said of it."""
    if today is None:
        return None, None, None
    authority, district, earlier = (
        responsible_authority(today, register, commissioners),
        today,
        None,
    )
    if then is not None and register.day is not None:
        earlier = then_words(
            f"{register.day:%B %Y}",
            before=(then, register.names.get(then, then)),
            today=(today, register.names.get(today, today)),
        )
        of_then = responsible_authority(then, register, commissioners)
        if of_then in commissioners and authority not in commissioners:
            authority, district = of_then, then
    step = None if authority == district else step_words(FOR_WHICH, district, authority, register)
    return authority, earlier, step


def _at(column: Coded, row: int) -> str | None:
    code = int(column.codes[row])
    value: str | None = column.values[code].as_py() if code >= 0 else None
    return value


def _of_kind(kind: Codes, texts: Sequence[str | None]) -> Coded:
    """A text, or a blank, for each kind."""
    column = coded(pa.array(texts, pa.string()))
    return Coded(column.codes[kind], column.values)


def _spread(column: Coded, codes: Codes) -> Coded:
    """A column by value, spread over the rows that hold the values."""
    return Coded(np.append(column.codes, np.int32(BLANK))[codes], column.values)
