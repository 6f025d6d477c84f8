"""A chunk of a run: its records read once, its charges written once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql
from sqlalchemy import Connection

from core.database import tables
from core.database.copying import copy_table, read_copy, with_ids
from core.database.engine import driver_cursor
from core.database.records import records_table
from core.engine.calculation.episodes import Merged
from core.engine.columns.coded import CODED
from core.engine.columns.joins import coded, distinct_rows
from core.submissions.commands.run_inputs import RunInputs

OVERWRITTEN = "A later record of the same episode has another code in this place; this one is lost."


@dataclass(frozen=True)
class ChunkTotals:
    """The totals of one chunk of a run."""

    records: int
    episodes: int
    episodes_charged: int
    charges: int
    warnings: int
    amount_pence: int


def read_records(
    connection: Connection, run: RunInputs, chunk: int, columns: list[str] | None = None
) -> pa.Table:
    """The records of the chunk's episodes, from all files, in order of upload and row.

    The table has ``file`` (int32, the order of upload), ``row``, and ``columns``; by default those
    on which a charge can depend.
    """
    columns = columns or run.needed_columns
    schema = pa.schema(
        [("file_id", pa.int32()), ("row", pa.int32()), *((column, CODED) for column in columns)]
    )
    first, last = run.bucket_range(chunk)
    with driver_cursor(connection) as cursor:
        # Just after an upload the planner lacks statistics of the new rows and might scan them all.
        cursor.execute("SET LOCAL enable_seqscan = off")
        records = read_copy(cursor, _query(run, columns, first, last), None, schema)
    order = np.lexsort((records["row"].to_numpy(), _position(records, run.files)))
    return _number_files(records.take(pa.array(order)), run.files)


def _query(run: RunInputs, columns: list[str], first: int, last: int) -> sql.Composable:
    """The query, with a part for each file, since the index finds one file at a time."""
    part = sql.SQL(
        "SELECT file_id, row, {columns} FROM {table} "
        "WHERE file_id = {file} AND bucket BETWEEN {first} AND {last}"
    )
    return sql.SQL(" UNION ALL ").join(
        part.format(
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            table=sql.Identifier(records_table(run.specification)),
            file=sql.Literal(file),
            first=sql.Literal(first),
            last=sql.Literal(last),
        )
        for file in run.files
    )


def _position(records: pa.Table, files: tuple[int, ...]) -> pa.ChunkedArray:
    """The place of each record's file in the order of upload."""
    return pc.index_in(records["file_id"], value_set=pa.array(files, type=pa.int32()))


def _number_files(records: pa.Table, files: tuple[int, ...]) -> pa.Table:
    position = _position(records, files)
    return records.drop_columns(["file_id"]).append_column("file", position)


def store_charges(
    connection: Connection,
    run: RunInputs,
    chunk: int,
    merged: Merged,
    charges: pa.Table,
    *,
    hosts: Mapping[str, str],
) -> ChunkTotals:
    """Writes charges, reasons, warnings and the mark of the chunk in the caller's transaction.

    ``hosts`` is the authority that counts as the host of each clinic.
    """
    totals = ChunkTotals(
        records=int(pc.sum(merged.episodes["records"]).as_py() or 0),
        episodes=merged.episodes.num_rows,
        episodes_charged=_episodes_of(charges),
        charges=charges.num_rows,
        warnings=merged.overwritten.num_rows,
        amount_pence=int(pc.sum(charges["amount"]).as_py() or 0),
    )
    with driver_cursor(connection) as cursor:
        for name, table in (
            ("charges", _charge_rows(charges)),
            ("charge_reasons", _reason_rows(charges)),
            ("run_warnings", _warning_rows(merged.overwritten, run.files)),
        ):
            rows = with_ids(table, run_id=run.run_id, chunk=chunk)
            copy_table(cursor, name, rows.column_names, rows)
        payers = with_ids(_payer_rows(charges, hosts), run_id=run.run_id)
        copy_table(cursor, "run_payers", payers.column_names, payers)
    connection.execute(
        tables.run_chunks.insert().values(run_id=run.run_id, chunk=chunk, **vars(totals))
    )
    return totals


def _episodes_of(charges: pa.Table) -> int:
    """How many episodes the charges are of."""
    keys = (coded(charges[name]).codes for name in ("clinic_id", "patient_id", "attendance_date"))
    return len(distinct_rows(keys)[1])


def _charge_rows(charges: pa.Table) -> pa.Table:
    columns = {
        "clinic_id": charges["clinic_id"],
        "patient_id": charges["patient_id"],
        "attendance_date": charges["attendance_date"],
        "currency": charges["currency"],
        "rate_type": charges["rate_type"],
        "rate_pence": charges["rate"],
        "factor": charges["factor"],
        "amount_pence": charges["amount"],
        "commissioner": charges["commissioner"],
        "basis": charges["basis"],
        "reason_id": charges["reason"].combine_chunks().indices,
    }
    return pa.table(columns)


def _payer_rows(charges: pa.Table, hosts: Mapping[str, str]) -> pa.Table:
    """The sums by clinic and commissioner, so that nobody must read every charge for them."""
    keys = [pc.cast(charges[name], pa.string()) for name in ("clinic_id", "commissioner")]
    table = pa.table([*keys, charges["amount"]], ["clinic_id", "commissioner", "amount"])
    grouped = table.group_by(["clinic_id", "commissioner"], use_threads=False)
    summed = grouped.aggregate([("amount", "count"), ("amount", "sum")])
    host = pa.array(map(hosts.get, summed["clinic_id"].to_pylist()), pa.string())
    names = ["clinic_id", "commissioner", "charges", "amount_pence"]
    return summed.rename_columns(names).append_column("host", host)


def _reason_rows(charges: pa.Table) -> pa.Table:
    """Each reason once; charges refer to it by its place in the dictionary."""
    reasons = charges["reason"].combine_chunks().dictionary
    return pa.table({"reason_id": np.arange(len(reasons), dtype=np.int32), "reason": reasons})


def _warning_rows(overwritten: pa.Table, files: tuple[int, ...]) -> pa.Table:
    rows = overwritten.num_rows
    ids = pa.array(files, type=pa.int32()).take(overwritten["file"].combine_chunks())
    return pa.table(
        {
            "file_id": ids,
            "row": overwritten["row"],
            "field": overwritten["field"],
            "value": overwritten["value"],
            "code": pa.repeat("code-overwritten", rows),
            "message": pa.repeat(OVERWRITTEN, rows),
        }
    )
