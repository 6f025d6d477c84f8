"""From episodes to charges, a stage at a time: fire, combine, price, allocate.

Episodes whose coded fields ask the statements alike share a *signature*; triggers, combinations
and rates are worked out once for each signature and spread over the episodes by index at the end.
The rules themselves stand in core/tariffs.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from core.engine.areas.register import AreaRegister
from core.engine.calculation.allocating import allocate
from core.engine.calculation.combining import Combined, combine
from core.engine.calculation.episodes import Merged, merge_records
from core.engine.calculation.pricing import Priced, price
from core.engine.calculation.schema import CHARGES_SCHEMA
from core.engine.calculation.triggering import Fired, fire
from core.engine.columns.joins import Codes
from core.engine.dataset.specification import Specification
from core.engine.tariff.configuration import Configuration
from core.user_errors import UserError

__all__ = [
    "CHARGES_SCHEMA",
    "Calculation",
    "Combined",
    "Fired",
    "Priced",
    "allocate",
    "calculate",
    "combine",
    "fire",
    "price",
    "require_in_force",
]


@dataclass(frozen=True, eq=False)
class Calculation:
    """What a submission came to: its episodes, and its charges (``CHARGES_SCHEMA``).

    ``episode`` is the row in ``merged.episodes`` of each charge, ascending; ``combined`` says which
    of ``currencies`` (codes in the order of the configuration) each episode is charged for.
    """

    merged: Merged
    combined: Combined
    charges: pa.Table
    episode: Codes
    currencies: list[str]


def calculate(
    records: pa.Table,
    specification: Specification,
    configuration: Configuration,
    *,
    provider: str,
    hosts: Mapping[str, str],
    register: AreaRegister,
) -> Calculation:
    """All stages over records without errors, in order of upload (see ``merge_records``).

    ``hosts`` gives the district that hosts each clinic. Raises ``UserError`` where a clinic has no
    host or the provider does not take part.
    """
    merged = merge_records(records, specification)
    combined = combine(fire(merged, configuration, specification), configuration)
    priced = price(combined, configuration, provider, hosts)
    return Calculation(
        merged=merged,
        combined=combined,
        charges=allocate(priced, configuration, hosts, register),
        episode=priced.episode,
        currencies=[currency.code for currency in configuration.currencies],
    )


def require_in_force(configuration: Configuration, provider: str, month: datetime.date) -> None:
    """Raises ``UserError`` where the configuration does not serve the provider's month."""
    name = configuration.configuration
    if configuration.status == "draft":
        raise UserError(f"the configuration {name!r} is a draft; make it shadow or live first")
    if provider not in configuration.providers:
        known = ", ".join(configuration.providers) or "none"
        raise UserError(f"{provider!r} is not a provider of {name!r}; its providers are: {known}")
    if not configuration.covers(month):
        raise UserError(
            f"{name!r} is in force from {configuration.start} to {configuration.end},"
            f" not in {month:%Y-%m}; give the configuration for that month"
        )
