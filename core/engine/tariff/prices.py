"""Rates: which currency is primary, and which factor applies."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import numpy.typing as npt

from core.engine.tariff.configuration import Configuration

Ranks = npt.NDArray[np.int64]


def primary_ranks(configuration: Configuration) -> Ranks:
    """The rank of each currency (int64), 0 for the one preferred as primary: highest primary rate,
    first listed."""
    order = sorted(
        range(len(configuration.currencies)),
        key=lambda place: -configuration.currencies[place].primary,  # sorting keeps the listing
    )
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def factor_of(configuration: Configuration, provider: str, host: str) -> Decimal:
    """The provider's factor, else the weighting of the clinic's host, else 1.

    A factor of 0 counts as a factor; a host that does not take part has none.
    """
    factor = configuration.providers[provider].factor
    if factor is None and host in configuration.commissioners:
        factor = configuration.commissioners[host].geo_weighting
    return Decimal(1) if factor is None else factor
