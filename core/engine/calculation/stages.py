"""From episodes to charges, a stage at a time: fire, combine, price, allocate.

Episodes for which the same conditions hold share a *signature*; triggers, combinations
and rates are worked out once for each signature and spread over the episodes by index at the end.
The rules themselves stand in core/engine/tariff.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from core.engine.areas.hosts import Hosts, resolved_hosts
from core.engine.areas.register import AreaRegister
from core.engine.calculation.allocating import allocate
from core.engine.calculation.combining import Combined, combine
from core.engine.calculation.episodes import Merged, merge_records
from core.engine.calculation.pricing import Priced, price
from core.engine.calculation.schema import CHARGES_SCHEMA
from core.engine.calculation.triggering import Fired, fire
from core.engine.columns.joins import Codes
from core.engine.dataset.specification import Specification
from core.engine.tariff.configuration import Configuration, Status
from core.engine.tariff.in_force import Holding, holding_in_force
from core.user_errors import UserError

__all__ = [
    "CHARGES_SCHEMA",
    "STAGES",
    "Calculation",
    "ChunkValues",
    "Terms",
    "calculate",
    "require_in_force",
]


@dataclass(frozen=True)
class Terms:
    """What charges are calculated from, beside the records.

    ``hosts`` holds the authority that hosts each clinic, which may have ended; ``register`` is that
    of the month.
    """

    specification: Specification
    configuration: Configuration
    provider: str
    hosts: Mapping[str, str]
    register: AreaRegister

    @cached_property
    def placed(self) -> Hosts:
        """The hosts that count today."""
        return resolved_hosts(self.hosts, self.register, self.configuration.commissioners)


class ChunkValues:
    """The values that the stages of a chunk pass on; records in order of upload and row."""

    records: pa.Table
    merged: Merged
    fired: Fired
    combined: Combined
    priced: Priced
    charges: pa.Table  # CHARGES_SCHEMA

    def __init__(self, records: pa.Table) -> None:
        self.records = records


def merging(chunk: ChunkValues, terms: Terms) -> int:
    """Merges records into episodes; returns the number of episodes."""
    chunk.merged = merge_records(chunk.records, terms.specification)
    del chunk.records
    return int(chunk.merged.episodes.num_rows)


def triggering(chunk: ChunkValues, terms: Terms) -> int:
    """Fires the currencies of each episode; returns the number that fired."""
    chunk.fired = fire(chunk.merged, terms.configuration, terms.specification)
    return int(chunk.fired.counts[chunk.fired.signature].sum())


def combining(chunk: ChunkValues, terms: Terms) -> int:
    """Replaces invalid combinations; returns the number of currencies that are left."""
    chunk.combined = combine(chunk.fired, terms.configuration)
    del chunk.fired
    return int(chunk.combined.counts[chunk.combined.signature].sum())


def pricing(chunk: ChunkValues, terms: Terms) -> int:
    """Applies primary and additional rates and the factor; returns the number of charges."""
    chunk.priced = price(
        chunk.combined, terms.configuration, terms.provider, terms.placed.authorities
    )
    return len(chunk.priced.episode)


def allocating(chunk: ChunkValues, terms: Terms) -> int:
    """Finds the commissioner who pays each charge; returns the number of charges."""
    chunk.charges = allocate(chunk.priced, terms.configuration, terms.placed, terms.register)
    return int(chunk.charges.num_rows)


STAGES: Mapping[str, Callable[[ChunkValues, Terms], int]] = {
    "merging": merging,
    "triggering": triggering,
    "combining": combining,
    "pricing": pricing,
    "allocating": allocating,
}
"""The stages of a calculation in order, by the names of the states of a submission."""


@dataclass(frozen=True, eq=False)
class Calculation:
    """The result of a submission: its episodes, and its charges (``CHARGES_SCHEMA``).

    ``episode`` is the row in ``merged.episodes`` of each charge, ascending; ``combined`` says which
    of ``currencies`` (codes in the order of the configuration) each episode is charged for.
    """

    merged: Merged
    combined: Combined
    charges: pa.Table
    episode: Codes
    currencies: list[str]

    @property
    def episodes_charged(self) -> int:
        """Episodes with a charge."""
        return int(np.count_nonzero(np.diff(self.episode, prepend=-1)))


def calculate(records: pa.Table, terms: Terms) -> Calculation:
    """All stages over records without errors, in order of upload (see ``merge_records``).

    Raises ``UserError`` where a clinic has no host or the provider does not take part.
    """
    chunk = ChunkValues(records)
    for carry_out in STAGES.values():
        carry_out(chunk, terms)
    return Calculation(
        merged=chunk.merged,
        combined=chunk.combined,
        charges=chunk.charges,
        episode=chunk.priced.episode,
        currencies=[currency.code for currency in terms.configuration.currencies],
    )


def require_in_force(configuration: Configuration, provider: str, month: datetime.date) -> None:
    """Raises ``UserError`` where the configuration does not serve the provider's month."""
    name = configuration.configuration
    if configuration.status == Status.DRAFT:
        raise UserError(f"the configuration {name!r} is a draft; make it shadow or live first")
    if provider not in configuration.providers:
        known = ", ".join(configuration.providers) or "none"
        raise UserError(f"{provider!r} is not a provider of {name!r}; its providers are: {known}")
    if holding_in_force([Holding.of(configuration)], month) is None:
        raise UserError(
            f"{name!r} is in force from {configuration.start} to {configuration.end},"
            f" not in {month:%Y-%m}; give the configuration for that month"
        )
