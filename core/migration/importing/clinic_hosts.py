"""Clinics whose host changed in the old service: ``placed_at`` keeps the time of the change."""

from __future__ import annotations

from core.migration.importing.changes import CHANGED_AT

SINCE_WHEN = [
    f"UPDATE clinics t SET placed_at = {CHANGED_AT} "
    "FROM migration_work w JOIN legacy_rows r ON r.id = w.row_id "
    "WHERE t.id = w.local_id AND {chosen} AND t.commissioner IS DISTINCT FROM w.commissioner"
]
