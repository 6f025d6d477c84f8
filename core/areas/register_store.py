"""The register in the database: copied in when it is first needed, counted up with each change.

Until something has changed, what ships with the product is in use, and no table is read.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.database import tables
from core.database.copying import copy_table, read_copy
from core.database.engine import driver_cursor
from core.engine.areas.compact import SCHEMA, SHIPPED, read_shipped
from core.engine.areas.register import AreaRegister, authorities_of
from core.user_errors import UserError

TODAY = [name for name in SCHEMA.names if name != "until"]
EARLIER = ("code", "until", "name", "name_welsh", "parent", "since")

_ROWS = """
    SELECT code, name, name_welsh, parent, begins, ends, since, NULL AS until, successors,
        longitude, latitude FROM areas
    UNION ALL
    SELECT code, name, name_welsh, parent, NULL, NULL, since, until, NULL, NULL, NULL
        FROM area_periods
"""


def version_in_use(connection: Connection) -> int:
    """The version of the register in the database; 0: what ships with the product is in use."""
    return connection.execute(sa.select(tables.area_register.c.version)).scalar() or 0


def register_in_use(connection: Connection) -> AreaRegister:
    """The register that checks, charges and reports are to follow now, read in one piece."""
    version = version_in_use(connection)
    if not version:
        return _shipped()
    key = (_address(connection), version)
    if key not in _registers:
        rows = rows_in_use(connection)
        _registers.clear()
        _registers[key] = AreaRegister.from_rows(rows, authorities_of(rows))
    return _registers[key]


_registers: dict[tuple[str, int], AreaRegister] = {}


def _address(connection: Connection) -> str:
    """The database, without its password: versions of one are not those of another."""
    return connection.engine.url.render_as_string()


@lru_cache(maxsize=1)
def _shipped() -> AreaRegister:
    return AreaRegister.shipped()


def read_rows(connection: Connection) -> pa.Table:
    """The whole register (``compact.SCHEMA``), earlier names and parents among it."""
    with driver_cursor(connection) as cursor:
        return read_copy(cursor, _ROWS, None, SCHEMA)


def rows_in_use(connection: Connection) -> pa.Table:
    """The whole register in use, read once for each version of it."""
    version = version_in_use(connection)
    if not version:
        return _shipped_rows()
    key = (_address(connection), version)
    if key not in _rows:
        _rows.clear()
        _rows[key] = read_rows(connection)
    return _rows[key]


_rows: dict[tuple[str, int], pa.Table] = {}


@lru_cache(maxsize=1)
def _shipped_rows() -> pa.Table:
    return read_shipped()


def name_of(connection: Connection, code: str) -> str:
    """The name of an area; raises ``UserError`` where the register in use does not hold it."""
    areas = tables.areas.c
    found = connection.execute(sa.select(areas.name).where(areas.code == code)).scalar()
    if found is None and not version_in_use(connection):
        rows = _shipped_rows()
        now = pc.and_(pc.equal(rows["code"], code), pc.is_null(rows["until"]))
        found = next(iter(rows["name"].filter(now).to_pylist()), None)
    if found is None:
        raise UserError(f"{code} is no area of the register; `grouper areas find` looks for one")
    return str(found)


def ensure_register(connection: Connection) -> bool:
    """Copies what ships with the product into the database, unless a register is there.

    True where it was copied, or where a newer product brought areas that were not there.
    """
    known = connection.execute(sa.select(tables.area_register.c.shipped)).scalar()
    digest = shipped_digest()
    if known is None:
        fill_register(connection, read_shipped(), version=0)
        return True
    if known == digest:
        return False
    _add_missing(connection, read_shipped())
    connection.execute(tables.area_register.update().values(shipped=digest))
    count_up(connection)
    return True


def fill_register(connection: Connection, rows: pa.Table, *, version: int) -> None:
    """Makes the register what the rows say, in the caller's transaction."""
    connection.execute(sa.text("LOCK TABLE areas IN SHARE ROW EXCLUSIVE MODE"))
    connection.execute(tables.areas.delete())
    connection.execute(tables.area_periods.delete())
    _copy(connection, rows)
    values = {"version": version, "shipped": shipped_digest(), "changed_at": sa.func.now()}
    connection.execute(
        insert(tables.area_register)
        .values(id=1, **values)
        .on_conflict_do_update(index_elements=["id"], set_=values)
    )


def count_up(connection: Connection) -> None:
    """Says that the register changed; comes last in a transaction, since it holds others up."""
    register = tables.area_register
    values = {"version": register.c.version + 1, "changed_at": sa.func.now()}
    connection.execute(register.update().values(values))


@lru_cache(maxsize=1)
def shipped_digest() -> str:
    """What tells one shipped register from another."""
    return hashlib.sha256(SHIPPED.read_bytes()).hexdigest()


def _add_missing(connection: Connection, rows: pa.Table) -> None:
    codes = list(connection.execute(sa.select(tables.areas.c.code)).scalars())
    there = pc.is_in(rows["code"], value_set=pa.array(codes, pa.string()))
    _copy(connection, rows.filter(pc.invert(there)))


def _copy(connection: Connection, rows: pa.Table) -> None:
    now = pc.is_null(rows["until"])
    with driver_cursor(connection) as cursor:
        copy_table(cursor, "areas", TODAY, rows.filter(now))
        copy_table(cursor, "area_periods", EARLIER, rows.filter(pc.invert(now)))
