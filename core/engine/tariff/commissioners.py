"""Who pays: the table of docs/formats.md, rule 8."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from core.engine.tariff.configuration import Configuration, CrossCharge


class Residence(IntEnum):
    """What is known of where a patient lives."""

    PARTICIPATING = 0
    UNKNOWN = 1
    ELSEWHERE = 2


class Payer(IntEnum):
    RESIDENT = 0
    HOST = 1
    NOBODY = 2


BASIS = ("resident", "host", "none")
"""The word of charges.csv for each payer."""

_RESIDENT, _HOST, _NOBODY = Payer.RESIDENT, Payer.HOST, Payer.NOBODY

#                                participating, unknown,  elsewhere
TABLE: dict[CrossCharge, tuple[Payer, Payer, Payer]] = {
    "full": (_RESIDENT, _HOST, _RESIDENT),
    "local_unlimited": (_RESIDENT, _HOST, _NOBODY),
    "local_limited": (_RESIDENT, _NOBODY, _NOBODY),
    "none": (_HOST, _HOST, _HOST),
}


def payers(configuration: Configuration) -> npt.NDArray[np.int8]:
    """Who pays, by place of the currency (down) and residence (across)."""
    rows = [TABLE[currency.cross_charge] for currency in configuration.currencies]
    return np.array(rows, np.int8)
