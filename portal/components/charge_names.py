"""The names that a page on charges shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.configurations.role_labels import RoleLabels


@dataclass(frozen=True)
class ChargeNames:
    """Code to name of currencies and authorities, and the data set's words for an episode's key."""

    currencies: Mapping[str, str]
    areas: Mapping[str, str]
    labels: RoleLabels
