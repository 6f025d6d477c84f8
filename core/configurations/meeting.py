"""Tariffs that meet within a month: the earlier serves it whole, and whoever imports is told.

The rule is ``core.engine.tariff.in_force`` (docs/decisions/0035).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import sqlalchemy as sa
from sqlalchemy import Connection

from core.configurations.in_force import holdings_of
from core.database import tables
from core.engine.tariff.configuration import Status
from core.engine.tariff.in_force import Holding, holding_in_force
from core.engine.tariff.months import Month


def meetings(connection: Connection) -> list[str]:
    """A sentence for each month of a provider in which one tariff ends and another begins."""
    names = _names(connection)
    sentences = []
    for provider, charging in _charging(connection):
        for earlier, later in pairwise(charging):
            month = Month.of(later.first)
            if Month.of(earlier.last) == month and names[earlier.tariff] != names[later.tariff]:
                sentences.append(
                    f"{month.name} of {provider} is priced by {names[earlier.tariff]!r} whole, "
                    f"which ends on {earlier.last}; {names[later.tariff]!r} prices from "
                    f"{month.plus(1).name} on."
                )
    return sentences


def without_a_month(connection: Connection) -> list[str]:
    """A sentence for each tariff that would price no month of a provider, since others that begin
    earlier serve every month of which it covers a day."""
    names = _names(connection)
    sentences = []
    for provider, charging in _charging(connection):
        for each in charging:
            months = list(Month.of(each.first).through(Month.of(each.last)))
            serving = [holding_in_force(charging, month.first) for month in months]
            others = dict.fromkeys(
                names[other.tariff] for other in serving if other is not None and other != each
            )
            if each not in serving:
                sentences.append(
                    f"The tariff {names[each.tariff]!r} would price no month of {provider}: of "
                    f"{months[0].name} that is {', '.join(map(repr, others))}, which covers an "
                    "earlier day. Let the one end, or the other begin, with a month."
                )
    return sentences


def _charging(connection: Connection) -> Iterator[tuple[str, list[Holding]]]:
    """Of each provider and data set, what holds and charges, by first day."""
    for provider, by_dataset in holdings_of(connection).items():
        for held in by_dataset.values():
            charging = [each for each in held if each.status != Status.SHADOW]
            yield provider, sorted(charging, key=lambda each: each.first)


def _names(connection: Connection) -> dict[int | str, str]:
    configurations = tables.configurations
    query = sa.select(configurations.c.id, configurations.c.configuration)
    return {row[0]: row[1] for row in connection.execute(query)}
