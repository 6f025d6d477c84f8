"""Organisations that were renamed in the old service: their old names are kept, as ours are."""

from __future__ import annotations

from core.migration.importing.changes import CHANGED_AT

_RENAMED = (
    "FROM migration_work w JOIN organisations t ON t.id = w.local_id "
    "JOIN legacy_rows r ON r.id = w.row_id WHERE {chosen} AND t.name <> w.name"
)

KEEP_NAMES = [
    "INSERT INTO organisation_names (organisation_id, name, until) "
    f"SELECT t.id, t.name, {CHANGED_AT} {_RENAMED}",
    "INSERT INTO audit (action, subject, reason, detail) SELECT 'organisation renamed', "
    "'organisation:' || t.code, 'taken over from the old service', "
    f"jsonb_build_object('old', t.name, 'new', w.name) {_RENAMED}",
]
"""The name until the old service changed it, and what the audit tells of it."""
