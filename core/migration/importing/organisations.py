"""Organisations that were renamed in the old service: their former names are kept."""

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
"""The former name with the time of the change, and the entry in the audit."""
