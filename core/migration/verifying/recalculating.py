"""Recalculates months of the old service by our own rules and explains each difference."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import Connection

from core.areas.register_store import register_in_use
from core.database import tables
from core.database.copying import copy_table
from core.database.engine import driver_cursor
from core.engine.areas.register import AreaRegister
from core.engine.calculation.stages import Calculation, calculate
from core.submissions.commands.run_chunks import read_records
from core.submissions.commands.run_inputs import RunInputs, load_run
from core.submissions.months import get_submission
from core.user_errors import UserError

SAME = "same"
CAUSES = {
    SAME: "Both charge the same.",
    "in the error queue": "Our calculation has a charge whose row of the old service is in the "
    "error queue.",
    "missing episode": "The old service charged an episode of which no record is here.",
    "not charged there": "The old service charged nothing for an episode that we charge for.",
    "combination": "One charges a currency that the other replaced by an invalid combination.",
    "trigger": "One charges a currency that the codes of the episode do not fire for the other.",
    "charged twice": "The old service charged a currency of an episode more than once.",
    "primary or additional": "Another currency of the episode is charged at its primary rate.",
    "rate": "The rate is another.",
    "factor": "The factor is another.",
    "commissioner": "Another authority pays.",
    "amount": "Rate, factor and payer are the same; the amount is another (rounding).",
    "not calculated": "Our calculation refuses the month; its reason stands beside.",
}
"""Every cause of a difference with its explanation, in the order in which causes are tried."""

_KEYS = ("clinic_id", "patient_id", "attendance_date", "currency")
_COLUMNS = (*_KEYS, "rate_type", "rate", "factor", "amount", "commissioner")


def months_to_compare(connection: Connection) -> list[int]:
    """The ids of the months taken over whose charges are not compared yet."""
    submissions = connection.execute(
        sa.text(
            "SELECT s.id FROM submissions s JOIN legacy_rows r ON r.legacy_table = 'submissions' "
            "AND r.local_id = s.id JOIN runs ON runs.id = s.run_id "
            "WHERE runs.requested_by IS NULL AND runs.flow_run IS NULL "
            "AND runs.configuration_id IS NOT NULL AND NOT EXISTS (SELECT FROM "
            "migration_differences d WHERE d.submission_id = s.id) ORDER BY s.id"
        )
    )
    return list(submissions.scalars())


def compare_month(connection: Connection, submission_id: int) -> None:
    """Recalculates a month and writes how its charges differ from those of the old service."""
    run_id = get_submission(connection, submission_id).run_id
    if run_id is None:
        raise LookupError(f"submission {submission_id} has no run to compare")
    run = replace(load_run(connection, run_id), chunks=1)
    try:
        _store(connection, _calculated(connection, run, register_in_use(connection)))
    except UserError as refused:
        _write_refusal(connection, run, str(refused))
        return
    combining = {
        code for rule in run.configuration.combinations for code in (*rule.members, *rule.results)
    }
    connection.execute(
        _DIFFERENCES,
        {"submission": submission_id, "run": run.run_id, "combining": sorted(combining)},
    )


def _calculated(connection: Connection, run: RunInputs, register: AreaRegister) -> Calculation:
    if not run.files:
        raise UserError("no file of the month is here")
    terms = run.terms(register.as_of(run.submission.month))
    return calculate(read_records(connection, run, 0), terms)


def _store(connection: Connection, calculation: Calculation) -> None:
    """Stores our charges and episodes in temporary tables for the rest of the transaction."""
    connection.execute(_TEMPORARY)
    keys = [calculation.merged.episodes[name] for name in calculation.merged.key_columns]
    episodes = pa.table([key.cast(pa.string()) for key in keys], list(_KEYS[:3]))
    charges = calculation.charges.select(list(_COLUMNS))
    with driver_cursor(connection) as cursor:
        copy_table(cursor, "migration_charges", charges.column_names, charges)
        copy_table(cursor, "migration_episodes", episodes.column_names, episodes)


def _write_refusal(connection: Connection, run: RunInputs, reason: str) -> None:
    connection.execute(
        tables.migration_differences.insert().values(
            submission_id=run.submission.id,
            legacy_run_id=run.run_id,
            cause="not calculated",
            detail=reason.partition("\n")[0][:200],
        )
    )


_TEMPORARY = sa.text("""
    DROP TABLE IF EXISTS migration_charges, migration_episodes;
    CREATE TEMP TABLE migration_charges (clinic_id text, patient_id text, attendance_date date,
        currency text, rate_type text, rate integer, factor numeric, amount integer,
        commissioner text) ON COMMIT DROP;
    CREATE TEMP TABLE migration_episodes (clinic_id text, patient_id text, attendance_date date)
        ON COMMIT DROP
""")
_SAME_EPISODE = (
    "(clinic_id, patient_id, attendance_date) = (p.clinic_id, p.patient_id, p.attendance_date)"
)
_DIFFERENCES = sa.text(f"""
    WITH legacy AS (
        SELECT *, row_number() OVER (
            PARTITION BY clinic_id, patient_id, attendance_date, currency) AS turn
        FROM charges WHERE run_id = :run
    ), faulty AS (
        SELECT btrim(r.body ->> 'patientId') AS patient_id, btrim(u.body ->> 'code') AS currency
        FROM legacy_rows r
        JOIN legacy_rows s ON s.legacy_table = 'submissions' AND s.local_id = :submission
            AND r.body ->> 'submissionId' = CAST(s.legacy_id AS text)
        LEFT JOIN legacy_rows u ON u.legacy_table = 'currencies'
            AND r.body ->> 'currencyId' = CAST(u.legacy_id AS text)
        WHERE r.legacy_table = 'charges' AND r.problems IS NOT NULL AND r.gone_at IS NULL
    ), p AS (
        SELECT clinic_id, patient_id, attendance_date, currency, l.turn,
            l.run_id IS NOT NULL AS there, o.rate IS NOT NULL AS here,
            l.rate_type AS rate_type_there, o.rate_type, l.rate_pence, o.rate,
            l.factor AS factor_there, o.factor, l.commissioner AS payer_there, o.commissioner,
            coalesce(l.amount_pence, 0) AS amount_pence,
            CASE WHEN coalesce(l.turn, 1) = 1 THEN coalesce(o.amount, 0) ELSE 0 END AS amount
        FROM legacy l FULL JOIN migration_charges o
            USING (clinic_id, patient_id, attendance_date, currency)
    ), explained AS (
        SELECT p.*, CASE
            WHEN NOT there AND EXISTS (SELECT FROM faulty f WHERE f.patient_id = p.patient_id
                AND coalesce(f.currency, p.currency) = p.currency) THEN 'in the error queue'
            WHEN NOT here AND NOT EXISTS (SELECT FROM migration_episodes WHERE {_SAME_EPISODE})
                THEN 'missing episode'
            WHEN NOT there AND NOT EXISTS (SELECT FROM legacy WHERE {_SAME_EPISODE})
                THEN 'not charged there'
            WHEN NOT here OR NOT there THEN
                CASE WHEN currency = ANY (:combining) THEN 'combination' ELSE 'trigger' END
            WHEN turn > 1 THEN 'charged twice'
            WHEN rate_type_there <> rate_type THEN 'primary or additional'
            WHEN rate_pence <> rate THEN 'rate'
            WHEN factor_there <> factor THEN 'factor'
            WHEN payer_there IS DISTINCT FROM commissioner THEN 'commissioner'
            WHEN amount_pence <> amount THEN 'amount'
            ELSE 'same' END AS cause
        FROM p
    )
    INSERT INTO migration_differences
        (submission_id, legacy_run_id, cause, charges, legacy_pence, here_pence, detail)
    SELECT :submission, :run, cause, count(*), sum(amount_pence), sum(amount),
        CASE WHEN cause <> 'same' THEN
            left(string_agg(DISTINCT currency, ', ' ORDER BY currency), 200) END
    FROM explained GROUP BY cause
""")
