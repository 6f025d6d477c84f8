"""Months of the old service: their files are ready, their records written, their charges published.

Records and charges have no ids of their own here. If a record changes, all records of its file are
written again; if a charge changes, the month gets a new run, because a published run never changes.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy import Connection

from core.configurations.datasets import get_version
from core.configurations.in_force import version_of_submission
from core.database import tables
from core.database.copying import copy_table, read_copy
from core.database.engine import driver_cursor
from core.database.moving import change_state
from core.database.records import place_index, records_table, summarise
from core.engine.calculation.buckets import bucket_of
from core.engine.columns.coded import CODED
from core.engine.dataset.specification import Specification
from core.engine.reading.revision import TAKEN_OVER_READER
from core.kpis.episodes import delete_episodes
from core.kpis.views import episodes_table
from core.migration.importing.accounts import TAKEN_OVER
from core.migration.importing.dataset import records_taken_over, versions_taken_over
from core.migration.importing.indicators import MIGRATED_RUN, measure_months, write_figures
from core.migration.reading.mapping import shipped_mapping
from core.migration.reading.transforms import reading, text
from core.submissions.commands.runs import keep_versions
from core.submissions.month_doubts import note_days
from core.vocabulary.states.submissions import (
    FILE_MACHINE,
    RUN_MACHINE,
    SUBMISSION_MACHINE,
    FileState,
    RunState,
    SubmissionState,
)

REASON = "As the old service charged it."

DATASET_OF_MONTHS = """
    UPDATE submissions SET dataset = d.dataset FROM migration_work w
    JOIN legacy_rows r ON r.id = w.row_id
    JOIN legacy_rows c ON c.legacy_table = 'configurations'
        AND c.legacy_id = CAST(r.body ->> 'configurationId' AS bigint)
    JOIN configurations k ON k.id = c.local_id JOIN datasets d ON d.id = k.dataset_id
    WHERE submissions.id = w.local_id AND submissions.dataset = ''
"""
"""A month of the old service is of the data set of its configuration."""

_AFFECTED = """
    SELECT parent_id FROM migration_work w WHERE cardinality(w.problems) = 0
    UNION SELECT local_id FROM migration_work UNION SELECT local_id FROM migration_gone
"""
_MONTHS_RUN_HERE = """
    SELECT s.id FROM submissions s JOIN runs ON runs.id = s.run_id
    WHERE runs.requested_by IS NOT NULL OR runs.flow_run IS NOT NULL
"""
"""Months that were calculated here since: the old service can no longer change them."""


def ready_files(connection: Connection) -> None:
    """Moves new files to ready: the old service has accepted them.

    Their content is not here, so no later reader and no later version can check them again.
    """
    connection.execute(
        sa.text(
            "UPDATE files SET reader = :nobody FROM legacy_rows r WHERE r.legacy_table = 'files' "
            "AND r.local_id = files.id AND files.reader <> :nobody"
        ),
        {"nobody": TAKEN_OVER_READER},
    )
    files = connection.execute(
        sa.text(
            "SELECT f.id FROM files f JOIN migration_work w ON w.local_id = f.id "
            "WHERE f.state = 'received' AND cardinality(w.problems) = 0 ORDER BY f.id"
        )
    )
    numbers = files.scalars().all()
    _by_version(connection, list(numbers))
    for number in numbers:
        for state in (FileState.CHECKING, FileState.READY):
            change_state(connection, tables.files, FILE_MACHINE, number, state, reason=TAKEN_OVER)


def remove_gone_files(connection: Connection) -> None:
    """Removes files that are gone from the old service from their month."""
    files = connection.execute(
        sa.text(
            "SELECT f.id FROM files f JOIN migration_gone g ON g.local_id = f.id "
            "WHERE f.state = 'ready' ORDER BY f.id"
        )
    )
    for number in files.scalars().all():
        change_state(
            connection, tables.files, FILE_MACHINE, number, FileState.REMOVED, reason=TAKEN_OVER
        )


def write_records(connection: Connection) -> None:
    """Writes all records of every file in which a record is new, changed or gone."""
    files = _affected(connection)
    if not files:
        return
    for dataset_id, of_version in _by_version(connection, files).items():
        specification = get_version(connection, dataset_id).specification
        _write_records(connection, specification, of_version)
    summarise(connection, place_index(records_taken_over(connection)))
    _calculate_again(connection, "SELECT submission_id FROM files WHERE id = ANY (:ids)", files)
    _measure_again(connection, files)


def _by_version(connection: Connection, files: list[int]) -> dict[int, list[int]]:
    """The files by the version of the data set that their month follows, which they keep."""
    of_file, months = tables.files, tables.submissions
    connection.execute(
        of_file.update()
        .where(of_file.c.id.in_(files), months.c.id == of_file.c.submission_id)
        .values(dataset_id=version_of_submission())
    )
    query = sa.select(of_file.c.dataset_id, of_file.c.id).where(of_file.c.id.in_(files))
    by_version: dict[int, list[int]] = {}
    for dataset_id, file_id in connection.execute(query.order_by(of_file.c.id)):
        by_version.setdefault(dataset_id, []).append(file_id)
    return by_version


def _write_records(connection: Connection, specification: Specification, files: list[int]) -> None:
    name = records_table(specification)
    with driver_cursor(connection) as cursor:
        cursor.execute(
            sql.SQL("DELETE FROM {} WHERE file_id = ANY (%s)").format(sql.Identifier(name)),
            [files],
        )
        records = read_copy(
            cursor, _records_query(specification, files), None, _records_schema(specification)
        )
        rows = _ordered_for_runs(records, specification)
        copy_table(cursor, name, rows.column_names, rows)
        cursor.execute(
            sql.SQL(
                "UPDATE files SET records = n.records FROM (SELECT f.id, count(r.file_id) AS "
                "records FROM files f LEFT JOIN {} r ON r.file_id = f.id WHERE f.id = ANY (%s) "
                "GROUP BY f.id) n WHERE files.id = n.id AND files.records <> n.records"
            ).format(sql.Identifier(name)),
            [files],
        )


def _affected(connection: Connection) -> list[int]:
    parents = connection.execute(sa.text(_AFFECTED)).scalars()
    return sorted(parent for parent in parents if parent is not None)


def _calculate_again(connection: Connection, months: str, ids: list[int]) -> None:
    """Deletes earlier comparisons, so that the months are compared again."""
    connection.execute(
        sa.text(f"DELETE FROM migration_differences WHERE submission_id IN ({months})"),
        {"ids": ids},
    )


def _measure_again(connection: Connection, files: list[int]) -> None:
    """Measures months again whose records changed after their run."""
    run_ids = connection.execute(
        sa.text(
            "SELECT DISTINCT runs.id FROM files f JOIN submissions s ON s.id = f.submission_id "
            f"JOIN runs ON runs.id = s.run_id AND {MIGRATED_RUN} WHERE f.id = ANY (:files)"
        ),
        {"files": files},
    )
    runs = list(run_ids.scalars())
    [version, *_] = versions_taken_over(connection)
    delete_episodes(connection, episodes_table(version.specification), runs)
    measure_months(connection, runs)


def _records_query(specification: Specification, files: list[int]) -> sql.Composable:
    columns = [
        sql.SQL("{} AS {}").format(_record_value(field.role, name), sql.Identifier(name))
        for name, field in specification.columns.items()
    ]
    return sql.SQL(
        "SELECT r.local_id AS file_id, CAST(r.body ->> 'row' AS integer) AS row, {columns} "
        "FROM legacy_rows r JOIN legacy_rows c ON c.legacy_table = 'clinics' "
        "AND c.legacy_id = CAST(r.body ->> 'clinicId' AS bigint) "
        "JOIN clinics k ON k.id = c.local_id JOIN organisations o ON o.id = k.provider_id "
        "WHERE r.legacy_table = 'records' AND r.imported IS NOT NULL AND r.local_id = ANY ({files})"
    ).format(columns=sql.SQL(", ").join(columns), files=sql.Literal(files))


def _record_value(role: str | None, name: str) -> sql.Composable:
    """Where a row of the old service has a field: in a column of its own, or among the values."""
    columns = {
        "clinic": "k.clinic_id",
        "patient": text("patientId"),
        "date": text("attendanceDate"),
        "residence": text("lsoa"),
        "provider": "o.code",
    }
    if role in columns:
        return sql.SQL(columns[role])
    return sql.SQL("nullif(btrim(r.body -> 'values' ->> {}), '')").format(sql.Literal(name))


def _records_schema(specification: Specification) -> pa.Schema:
    return pa.schema(
        [
            ("file_id", pa.int32()),
            ("row", pa.int32()),
            *((column, CODED) for column in specification.columns),
        ]
    )


def _ordered_for_runs(records: pa.Table, specification: Specification) -> pa.Table:
    """The records with their technical columns, in the order in which runs read them."""
    bucket = bucket_of(records, specification)
    order = np.lexsort((records["row"].to_numpy(), bucket, records["file_id"].to_numpy()))
    rows = records.num_rows
    placed = records.append_column("bucket", pa.array(bucket, pa.int16()))
    placed = placed.append_column("chunk", pa.array(np.zeros(rows, np.int32)))
    placed = placed.append_column("in_error", pa.array(np.zeros(rows, np.bool_)))
    return placed.take(pa.array(order))


def publish_charges(connection: Connection) -> None:
    """Publishes a new run with the old charges for every month whose charges differ."""
    _plan_runs(connection, _affected(connection))
    for statement in _runs_of_old(connection):
        connection.execute(sa.text(statement), {"reason": REASON})
    new_runs = connection.execute(
        sa.text("SELECT submission_id, run_id, kind FROM migration_new_runs ORDER BY run_id")
    ).all()
    for row in new_runs:
        _publish(connection, row.submission_id, row.run_id, row.kind)
    if new_runs:
        summarise(connection, "ix_charges_run_id")
        for row in new_runs:
            if row.kind == "final":
                note_days(connection, row.run_id)
        months = [row.submission_id for row in new_runs]
        _calculate_again(connection, "SELECT unnest(CAST(:ids AS integer[]))", months)
        measure_months(connection, [row.run_id for row in new_runs])
        write_figures(connection)


def _plan_runs(connection: Connection, months: list[int]) -> None:
    connection.execute(sa.text("DROP TABLE IF EXISTS migration_new_runs"))
    kind = reading("status", shipped_mapping().tables["submissions"].columns["status"]).value
    connection.execute(
        sa.text(
            "CREATE TEMP TABLE migration_new_runs ON COMMIT DROP AS "
            "SELECT s.id AS submission_id, nextval(pg_get_serial_sequence('runs', 'id')) AS run_id,"
            f" {kind} AS kind, c.local_id AS configuration_id, d.id AS dataset_id, 1 + coalesce("
            "(SELECT max(number) FROM runs WHERE runs.submission_id = s.id), 0) AS number "
            "FROM submissions s JOIN legacy_rows r ON r.legacy_table = 'submissions' "
            "AND r.local_id = s.id AND r.imported IS NOT NULL "
            "JOIN legacy_rows c ON c.legacy_table = 'configurations' "
            "AND c.legacy_id = CAST(r.body ->> 'configurationId' AS bigint) "
            "CROSS JOIN LATERAL (SELECT id FROM datasets WHERE datasets.dataset = s.dataset AND "
            "coalesce(datasets.starts <= s.month, true) "
            "ORDER BY starts DESC NULLS LAST, id DESC LIMIT 1) d "
            "WHERE (s.id = ANY (:months) OR s.run_id IS NULL) "
            f"AND s.state IN ('open', 'draft', 'submitted') AND s.id NOT IN ({_MONTHS_RUN_HERE})"
        ),
        {"months": months},
    )


def _runs_of_old(connection: Connection) -> list[str]:
    """The statements that write the runs and everything that belongs to them."""
    charge = shipped_mapping().tables["charges"].columns
    value = {name: reading(name, charge[name]).value for name in charge}
    records = records_taken_over(connection)
    versions = versions_taken_over(connection)
    parts = zip(*(version.specification.key_columns for version in versions), strict=True)
    keys = ", ".join(
        f"coalesce({', '.join(_quoted(name) for name in dict.fromkeys(names))})" for names in parts
    )
    return [
        "INSERT INTO runs (id, submission_id, number, kind, configuration_id, dataset_id, chunks) "
        "SELECT run_id, submission_id, number, kind, configuration_id, dataset_id, 1 "
        "FROM migration_new_runs",
        "INSERT INTO charges (run_id, chunk, clinic_id, patient_id, attendance_date, currency, "
        "rate_type, rate_pence, factor, amount_pence, commissioner, basis, reason_id) "
        f"SELECT n.run_id, 0, k.clinic_id, {value['patientId']}, {value['attendanceDate']}, "
        f"btrim(u.body ->> 'code'), {value['rateType']}, CAST({value['rate']} * 100 AS integer), "
        f"{value['factor']}, CAST({value['amount']} * 100 AS integer), o.code, {value['basis']}, 0 "
        "FROM legacy_rows r JOIN migration_new_runs n ON n.submission_id = r.local_id "
        f"JOIN legacy_rows c ON c.legacy_table = 'clinics' AND c.legacy_id = {value['clinicId']} "
        "JOIN clinics k ON k.id = c.local_id "
        f"JOIN legacy_rows u ON u.legacy_table = 'currencies' "
        f"AND u.legacy_id = {value['currencyId']} "
        "LEFT JOIN legacy_rows p ON p.legacy_table = 'organisations' "
        f"AND p.legacy_id = {value['commissionerId']} "
        "LEFT JOIN organisations o ON o.id = p.local_id "
        "WHERE r.legacy_table = 'charges' AND r.imported IS NOT NULL "
        "ORDER BY n.run_id, r.legacy_id",
        "INSERT INTO charge_reasons (run_id, chunk, reason_id, reason) "
        "SELECT run_id, 0, 0, :reason FROM migration_new_runs",
        "INSERT INTO run_payers (run_id, clinic_id, commissioner, charges, amount_pence) "
        "SELECT run_id, clinic_id, commissioner, count(*), sum(amount_pence) FROM charges "
        "WHERE run_id IN (SELECT run_id FROM migration_new_runs) GROUP BY 1, 2, 3",
        "INSERT INTO run_chunks (run_id, chunk, records, episodes, charges, warnings, amount_pence)"
        " SELECT n.run_id, 0, coalesce(e.records, 0), coalesce(e.episodes, 0), "
        "coalesce(m.charges, 0), 0, coalesce(m.amount, 0) FROM migration_new_runs n LEFT JOIN ("
        f"SELECT f.submission_id, count(*) AS records, count(DISTINCT ({keys})) AS episodes "
        f"FROM files f JOIN {records} x ON x.file_id = f.id WHERE f.state = 'ready' "
        "AND f.submission_id IN (SELECT submission_id FROM migration_new_runs) GROUP BY 1) e "
        "ON e.submission_id = n.submission_id LEFT JOIN (SELECT run_id, count(*) AS charges, "
        "sum(amount_pence) AS amount FROM charges WHERE run_id IN (SELECT run_id FROM "
        "migration_new_runs) GROUP BY 1) m ON m.run_id = n.run_id",
        "UPDATE runs SET records = c.records, episodes = c.episodes, charges = c.charges, "
        "amount_pence = c.amount_pence, started_at = now(), finished_at = now() FROM run_chunks c "
        "WHERE runs.id = c.run_id AND c.run_id IN (SELECT run_id FROM migration_new_runs)",
    ]


def _quoted(name: str) -> str:
    """A column of the records as SQL names it."""
    doubled = name.replace('"', '""').replace(":", "\\:")
    return f'x."{doubled}"'


def _publish(connection: Connection, submission_id: int, run_id: int, kind: str) -> None:
    """Raises no event: nobody is notified of what was submitted years ago."""
    submissions, runs = tables.submissions, tables.runs
    before = connection.execute(
        sa.select(submissions.c.run_id, submissions.c.state).where(
            submissions.c.id == submission_id
        )
    ).one()
    if before.run_id is not None:
        change_state(
            connection, runs, RUN_MACHINE, before.run_id, RunState.REPLACED, reason=TAKEN_OVER
        )
    change_state(connection, runs, RUN_MACHINE, run_id, RunState.PUBLISHED, reason=TAKEN_OVER)
    connection.execute(
        submissions.update().where(submissions.c.id == submission_id).values(run_id=run_id)
    )
    final = kind == "final"
    if final:
        keep_versions(connection, run_id)
    if before.state == SubmissionState.OPEN:
        target = SubmissionState.SUBMITTED if final else SubmissionState.DRAFT
        change_state(
            connection, submissions, SUBMISSION_MACHINE, submission_id, target, reason=TAKEN_OVER
        )
