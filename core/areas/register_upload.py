"""Replaces the register by one that a user supplies as a file."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from core.areas.crawls import refuse_if_running
from core.areas.payers import MovedArea, report_changed_payers
from core.areas.register_store import fill_register, rows_in_use, version_in_use
from core.engine.areas.kinds import LSOA_PATTERN
from core.user_errors import UserError


@dataclass(frozen=True)
class RegisterChange:
    """The differences of a new register from the one that was in use."""

    areas: int
    new: int
    gone: int
    moved: int  # LSOAs whose district changed
    months: int  # open months whose payers change


def replace_register(
    connection: Connection, rows: pa.Table, *, accept_fewer: bool
) -> RegisterChange:
    """Replaces the register by the rows (``compact.SCHEMA``), in the caller's transaction.

    Raises ``UserError`` where areas in force would be lost, unless ``accept_fewer``.
    """
    refuse_if_running(connection)
    before = rows_in_use(connection)
    old, new = _in_force(before), _in_force(rows)
    lost = old.filter(pc.invert(pc.is_in(old, value_set=new)))
    if len(lost) and not accept_fewer:
        some = ", ".join(lost.slice(0, 5).to_pylist())
        raise UserError(
            f"{len(lost):,} areas that are in force are not in the file ({some} …); end them there,"
            " or say --accept-fewer"
        )
    moved = _moved(before, rows)
    fill_register(connection, rows, version=version_in_use(connection) + 1)
    return RegisterChange(
        areas=rows.filter(pc.is_null(rows["until"])).num_rows,
        new=len(new.filter(pc.invert(pc.is_in(new, value_set=old)))),
        gone=len(lost),
        moved=len(moved),
        months=report_changed_payers(connection, moved),
    )


def _in_force(rows: pa.Table) -> pa.Array:
    now = pc.and_(pc.is_null(rows["until"]), pc.is_null(rows["ends"]))
    return rows["code"].filter(now).combine_chunks()


def _moved(before: pa.Table, after: pa.Table) -> list[MovedArea]:
    """The LSOAs of both registers whose district changed."""
    old, new = _lsoas(before), _lsoas(after)
    place = pc.index_in(new["code"], value_set=old["code"].combine_chunks())
    former = old["parent"].cast(pa.string()).take(place)
    now = new["parent"].cast(pa.string())
    changed = pc.not_equal(former, now).fill_null(False)
    columns = (column.filter(changed).to_pylist() for column in (new["code"], former, now))
    return [MovedArea(*row) for row in zip(*columns, strict=True)]


def _lsoas(rows: pa.Table) -> pa.Table:
    now = pc.is_null(rows["until"])
    return rows.filter(pc.and_(now, pc.match_substring_regex(rows["code"], LSOA_PATTERN)))
