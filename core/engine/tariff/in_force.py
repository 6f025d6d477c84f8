"""Which tariff serves a month: the one rule of the service and of ``grouper price``.

A tariff serves every month of which it covers a day (docs/decisions/0035). Where two meet within a
month, the one that covers the earlier day serves the whole of it; a shadow serves only where
nothing that charges does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from core.engine.tariff.configuration import Configuration, Status
from core.engine.tariff.months import Month


@dataclass(frozen=True)
class Holding:
    """The days on which a tariff, or a revision of one, holds for a provider and a data set."""

    tariff: int | str  # the number of the revision, or the name of the tariff
    status: Status
    first: dt.date
    last: dt.date  # inclusive

    @classmethod
    def of(cls, configuration: Configuration) -> Holding:
        """The whole of a tariff."""
        return cls(
            configuration.configuration,
            configuration.status,
            configuration.start,
            configuration.end,
        )


def holding_in_force(holdings: Iterable[Holding], month: dt.date) -> Holding | None:
    """Of what holds for one provider and one data set, what serves the month; never a draft."""
    whole = Month.of(month)
    serving = [
        each
        for each in holdings
        if each.status != Status.DRAFT and each.first <= whole.last and whole.first <= each.last
    ]
    return min(serving, key=lambda each: (each.status == Status.SHADOW, each.first), default=None)
