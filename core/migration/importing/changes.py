"""The time at which the old service changed a row, as SQL."""

from __future__ import annotations

from core.migration.reading.mapping import Column
from core.migration.reading.transforms import reading

_CHANGED_AT = reading("changedAt", Column.model_validate({"is": "moment"})).value

CHANGED_AT = f"least(coalesce({_CHANGED_AT}, now()), now())"
"""Of the row ``r`` of ``legacy_rows``; now where the time is missing or lies in the future."""
