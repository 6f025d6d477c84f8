"""The charges of one published run as columns: line by line, and summed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy import Connection

from core.database import tables
from core.database.copying import read_copy
from core.database.engine import driver_cursor
from core.engine.columns.coded import CODED

ORDER = ("clinic_id", "patient_id", "attendance_date", "currency")
"""The order of the lines of a run, as in charges.csv."""

_READ = pa.schema(
    [
        ("clinic_id", CODED),
        ("patient_id", CODED),
        ("attendance_date", pa.date32()),
        ("currency", CODED),
        ("rate_type", CODED),
        ("rate_pence", pa.int32()),
        ("factor", pa.float64()),
        ("amount_pence", pa.int32()),
        ("commissioner", CODED),
        ("basis", CODED),
        ("chunk", pa.int16()),
        ("reason_id", pa.int32()),
        ("before", CODED),
    ]
)
"""``before``: the months that had charged the same visit, in words; not a column of charges."""
_SUMS = pa.schema(
    [
        ("clinic_id", CODED),
        ("currency", CODED),
        ("commissioner", CODED),
        ("primary", pa.int64()),
        ("additional", pa.int64()),
        ("primary_pence", pa.int64()),
        ("additional_pence", pa.int64()),
    ]
)
_REASONS = pa.schema([("chunk", pa.int16()), ("reason_id", pa.int32()), ("reason", pa.string())])


def read_lines(connection: Connection, run_id: int, commissioners: Sequence[str]) -> pa.Table:
    """One row a charge, sorted by clinic, patient, date and currency; amounts in pence.

    ``commissioners`` limits the lines to the charges that these pay; empty: all.
    """
    with driver_cursor(connection) as cursor:
        lines = read_copy(cursor, _query(connection, run_id, commissioners), None, _READ)
    lines = lines.take(pa.array(_in_order(lines)))
    reasons = _reasons(connection, run_id, lines)
    return lines.drop_columns(["chunk", "reason_id"]).append_column("reason", reasons)


def _query(connection: Connection, run_id: int, commissioners: Sequence[str]) -> sql.Composable:
    columns = sql.SQL(", ").join(map(sql.Identifier, _READ.names[:-1]))
    chosen = _chosen(run_id, commissioners)
    visits = tables.visits_before.c.run_id
    if connection.execute(sa.select(sa.exists().where(visits == run_id))).scalar_one():
        return sql.SQL(
            "SELECT {columns}, before FROM charges LEFT JOIN ("
            "SELECT clinic_id, patient_id, attendance_date, string_agg("
            "to_char(before_month, 'FMMonth YYYY'), ', ' ORDER BY before_month) AS before "
            "FROM visits_before WHERE run_id = {run} GROUP BY 1, 2, 3"
            ") AS visits USING (clinic_id, patient_id, attendance_date) WHERE {chosen}"
        ).format(columns=columns, run=sql.Literal(run_id), chosen=chosen)
    return sql.SQL("SELECT {}, NULL FROM charges WHERE {}").format(columns, chosen)


def read_sums(connection: Connection, run_id: int, commissioners: Sequence[str]) -> pa.Table:
    """Counts and pence of each clinic, currency and commissioner, primary and additional."""
    query = sql.SQL(
        "SELECT clinic_id, currency, commissioner, {counts} FROM charges WHERE {chosen} "
        "GROUP BY clinic_id, currency, commissioner"
    ).format(counts=_counts(), chosen=_chosen(run_id, commissioners))
    with driver_cursor(connection) as cursor:
        return read_copy(cursor, query, None, _SUMS)


def _counts() -> sql.Composable:
    parts = [
        sql.SQL(text).format(sql.Literal(rate_type))
        for text in (
            "count(*) FILTER (WHERE rate_type = {})",
            "coalesce(sum(amount_pence) FILTER (WHERE rate_type = {}), 0)",
        )
        for rate_type in ("primary", "additional")
    ]
    return sql.SQL(", ").join(parts)


def _chosen(run_id: int, commissioners: Sequence[str]) -> sql.Composable:
    chosen: sql.Composable = sql.SQL("run_id = {}").format(sql.Literal(run_id))
    if commissioners:
        payers = sql.SQL(", ").join(map(sql.Literal, commissioners))
        chosen = sql.SQL("{} AND commissioner IN ({})").format(chosen, payers)
    return chosen


def _in_order(lines: pa.Table) -> npt.NDArray[np.int64]:
    return np.lexsort([_rank(lines[name]) for name in reversed(ORDER)])


def _rank(column: pa.ChunkedArray) -> npt.NDArray[np.int32]:
    """A number for each value that sorts like the value; each distinct text is compared once."""
    combined = column.combine_chunks()
    if not isinstance(combined, pa.DictionaryArray):
        return np.asarray(combined.cast(pa.int32()), np.int32)
    order = pc.sort_indices(combined.dictionary).to_numpy()
    ranks = np.empty(len(order), np.int32)
    ranks[order] = np.arange(len(order), dtype=np.int32)
    return ranks[np.asarray(combined.indices, np.int32)]


def _reasons(connection: Connection, run_id: int, lines: pa.Table) -> pa.Array:
    """The reason of each line, as a coded column: reasons are numbered within their chunk."""
    query = sql.SQL(
        "SELECT chunk, reason_id, reason FROM charge_reasons WHERE run_id = {} "
        "ORDER BY chunk, reason_id"
    ).format(sql.Literal(run_id))
    with driver_cursor(connection) as cursor:
        reasons = read_copy(cursor, query, None, _REASONS)
    at = np.searchsorted(_place(reasons), _place(lines)).astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(at), reasons["reason"].combine_chunks())


def _place(rows: pa.Table) -> npt.NDArray[np.int64]:
    chunk, reason = (np.asarray(rows[name], np.int64) for name in ("chunk", "reason_id"))
    return (chunk << 32) | reason


def clinic_names(connection: Connection, run_ids: Sequence[int]) -> Mapping[str, str]:
    """The names of the clinics of the runs' providers."""
    clinics, runs, submissions = tables.clinics, tables.runs, tables.submissions
    query = (
        sa.select(clinics.c.clinic_id, clinics.c.name)
        .join(submissions, submissions.c.provider_id == clinics.c.provider_id)
        .join(runs, runs.c.submission_id == submissions.c.id)
        .where(runs.c.id.in_(run_ids))
    )
    return {row.clinic_id: row.name or "" for row in connection.execute(query)}
