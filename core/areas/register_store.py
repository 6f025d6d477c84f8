"""The register in the database: copied when it is first needed, with a new version at each change.

Until something has changed, the shipped register is in use and no table is read.
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
    """The version of the register in the database; 0: the shipped register is in use."""
    return connection.execute(sa.select(tables.area_register.c.version)).scalar() or 0


def register_in_use(connection: Connection) -> AreaRegister:
    """The register that checks, charges and reports follow now; cached by version."""
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
    """The database, without its password, as part of the cache key."""
    return connection.engine.url.render_as_string()


@lru_cache(maxsize=1)
def _shipped() -> AreaRegister:
    return AreaRegister.shipped()


def read_rows(connection: Connection) -> pa.Table:
    """The whole register (``compact.SCHEMA``), including earlier names and parents."""
    with driver_cursor(connection) as cursor:
        return read_copy(cursor, _ROWS, None, SCHEMA)


def rows_in_use(connection: Connection) -> pa.Table:
    """The whole register in use (``compact.SCHEMA``), read once for each version."""
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
    """The name of an area; raises ``UserError`` for one that the register does not hold."""
    areas = tables.areas.c
    name = connection.execute(sa.select(areas.name).where(areas.code == code)).scalar()
    if name is None and not version_in_use(connection):
        rows = _shipped_rows()
        now = pc.and_(pc.equal(rows["code"], code), pc.is_null(rows["until"]))
        name = next(iter(rows["name"].filter(now).to_pylist()), None)
    if name is None:
        raise UserError(f"{code} is no area of the register; `grouper areas find` looks for one")
    return str(name)


def ensure_register(connection: Connection) -> bool:
    """Copies the shipped register into the database, unless it has one.

    True where it was copied, or where a newer product added areas.
    """
    stored_digest = connection.execute(sa.select(tables.area_register.c.shipped)).scalar()
    digest = shipped_digest()
    if stored_digest is None:
        fill_register(connection, read_shipped(), version=0)
        return True
    if stored_digest == digest:
        return False
    _add_missing(connection, read_shipped())
    connection.execute(tables.area_register.update().values(shipped=digest))
    increment_version(connection)
    return True


def fill_register(connection: Connection, rows: pa.Table, *, version: int) -> None:
    """Replaces the register by the rows, in the caller's transaction."""
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


def increment_version(connection: Connection) -> None:
    """Increments the version; call it last in a transaction, because it blocks others."""
    register = tables.area_register
    values = {"version": register.c.version + 1, "changed_at": sa.func.now()}
    connection.execute(register.update().values(values))


@lru_cache(maxsize=1)
def shipped_digest() -> str:
    """The SHA-256 of the shipped register."""
    return hashlib.sha256(SHIPPED.read_bytes()).hexdigest()


def _add_missing(connection: Connection, rows: pa.Table) -> None:
    codes = list(connection.execute(sa.select(tables.areas.c.code)).scalars())
    present = pc.is_in(rows["code"], value_set=pa.array(codes, pa.string()))
    _copy(connection, rows.filter(pc.invert(present)))


def _copy(connection: Connection, rows: pa.Table) -> None:
    now = pc.is_null(rows["until"])
    with driver_cursor(connection) as cursor:
        copy_table(cursor, "areas", TODAY, rows.filter(now))
        copy_table(cursor, "area_periods", EARLIER, rows.filter(pc.invert(now)))
