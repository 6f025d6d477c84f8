"""Rows that cannot be taken over, in the error queue: once each, with row, column and reason."""

from __future__ import annotations

import json
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from core.migration.problems import PROBLEMS
from core.vocabulary.failure_kinds import FailureKind

WORK = "legacy/"

_REASONS = """
    SELECT r.legacy_table, r.legacy_id,
        'legacy/' || r.legacy_table || '/' || r.legacy_id AS work,
        'row ' || CASE WHEN r.legacy_id < 0 THEN 'without an id' ELSE r.legacy_id::text END
            || ' of ' || r.legacy_table AS title,
        (SELECT string_agg((p.problem ->> 'column') || ': ' || replace(
            coalesce(t.sentences ->> (p.problem ->> 'code'), p.problem ->> 'code'),
            '{detail}', coalesce(p.problem ->> 'detail', 'another row')), '; ' ORDER BY p.place)
            FROM jsonb_array_elements(r.problems) WITH ORDINALITY AS p (problem, place)) AS reason
    FROM legacy_rows r, (SELECT CAST(:sentences AS jsonb) AS sentences) t
    WHERE r.legacy_table = ANY (:tables) AND r.problems IS NOT NULL AND r.gone_at IS NULL
"""
_RECORD = sa.text(f"""
    WITH faulty AS ({_REASONS})
    INSERT INTO failures AS f (reference, kind, work, subject, title, reason, payload)
    SELECT upper(left(replace(gen_random_uuid()::text, '-', ''), 8)), :kind, work,
        'legacy/' || legacy_table, title, reason,
        jsonb_build_object('table', legacy_table, 'row', legacy_id)
    FROM faulty WHERE NOT EXISTS (
        SELECT FROM failures d WHERE d.work = faulty.work AND (
            (d.state IN ('waiting', 'discarded') AND d.reason = faulty.reason)))
    ON CONFLICT (work) WHERE state IN ('waiting', 'retried') DO UPDATE SET state = 'waiting',
        reason = excluded.reason, attempts = f.attempts + 1, last_at = now()
    RETURNING f.id
""")
_RESOLVE = sa.text("""
    WITH resolved AS (
        UPDATE failures f SET state = 'resolved', resolved_at = now()
        FROM (SELECT f.id, f.state FROM failures f JOIN legacy_rows r
                ON f.work = 'legacy/' || r.legacy_table || '/' || r.legacy_id
            WHERE f.kind = :kind AND f.state IN ('waiting', 'retried')
                AND r.legacy_table = ANY (:tables)
                AND (r.problems IS NULL OR r.gone_at IS NOT NULL)) AS before
        WHERE f.id = before.id RETURNING f.id, before.state
    )
    INSERT INTO audit (action, subject, from_state, to_state, reason)
    SELECT 'failure resolved', 'failure:' || id, state, 'resolved', 'the row was taken over'
    FROM resolved
""")


def record_faulty_rows(connection: Connection, tables: Sequence[str]) -> int:
    """Updates the error queue to the current faults of rows; returns how many are new or changed.

    A discarded failure stays discarded while its reason is the same; a waiting one is not counted.
    """
    parameters = {"tables": list(tables), "kind": FailureKind.LEGACY_ROW}
    connection.execute(_RESOLVE, parameters)
    sentences = json.dumps(PROBLEMS)
    recorded = connection.execute(_RECORD, {**parameters, "sentences": sentences})
    return len(recorded.scalars().all())
