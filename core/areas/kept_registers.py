"""The registers of areas that runs followed, kept as they were."""

from __future__ import annotations

import io
from functools import lru_cache

import pyarrow as pa
import sqlalchemy as sa
from pyarrow import feather
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.areas.register_store import (
    register_in_use,
    rows_in_use,
    shipped_digest,
    version_in_use,
)
from core.database import tables
from core.engine.areas.register import AreaRegister, authorities_of


def name_in_use(connection: Connection) -> str:
    """The name of the register in use: its version here, or the digest of the shipped one."""
    version = version_in_use(connection)
    return f"version {version}" if version else f"shipped {shipped_digest()}"


def keep_register(connection: Connection) -> str:
    """Keeps the register in use, unless it is kept already; gives its name."""
    kept, name = tables.kept_registers, name_in_use(connection)
    there = connection.execute(sa.select(kept.c.name).where(kept.c.name == name)).first()
    if there is None:
        content = _written(rows_in_use(connection))
        statement = insert(kept).values(name=name, content=content)
        connection.execute(statement.on_conflict_do_nothing())
    return name


def kept_register(connection: Connection, name: str | None) -> AreaRegister:
    """The register of that name; the one in use for a run that kept none."""
    if name is None or name == name_in_use(connection):
        return register_in_use(connection)
    kept = tables.kept_registers
    content = connection.execute(sa.select(kept.c.content).where(kept.c.name == name)).scalar()
    return register_in_use(connection) if content is None else _read(bytes(content))


def _written(rows: pa.Table) -> bytes:
    out = io.BytesIO()
    feather.write_feather(rows.unify_dictionaries().combine_chunks(), out, compression="zstd")
    return out.getvalue()


@lru_cache(maxsize=4)
def _read(content: bytes) -> AreaRegister:
    rows = feather.read_table(io.BytesIO(content))
    return AreaRegister.from_rows(rows, authorities_of(rows))
