"""The user for whom a transaction acts, which row-level security reads from the transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from psycopg import sql
from sqlalchemy import Connection, Engine, event

if TYPE_CHECKING:
    import psycopg

USER, ADDRESS = "grouper.user_id", "grouper.address"
"""Settings of the transaction: the user whose rows it may access, and the client's address."""


def act_for(connection: Connection, user_id: int) -> None:
    """Makes the rest of the transaction act for this user."""
    _set(connection, {USER: str(user_id)})


def acting_for(engine: Engine, user_id: int | None, address: str | None = None) -> Engine:
    """The engine, each of whose transactions acts for the user; it shares the pool."""
    return engine.execution_options(grouper_user=user_id, grouper_address=address)


def mark_transactions(engine: Engine) -> None:
    """Sets the user at the start of each transaction, until its end."""
    event.listen(engine, "begin", _mark)


def _mark(connection: Connection) -> None:
    options: dict[str, Any] = dict(connection.get_execution_options())
    user, address = options.get("grouper_user"), options.get("grouper_address")
    if user is None and address is None:
        return
    _set(connection, {USER: "" if user is None else str(user), ADDRESS: address or ""})


def _set(connection: Connection, values: dict[str, str]) -> None:
    """Sets by a statement: no query can contain one, and ``set_config`` is closed to the portal's
    role. The driver runs it, since SQLAlchemy's own transaction may not have begun yet."""
    change = sql.SQL("SET LOCAL {} = {}")
    statements = [
        change.format(sql.SQL(".").join(map(sql.Identifier, name.split("."))), sql.Literal(value))
        for name, value in values.items()
    ]
    with cast("psycopg.Cursor[Any]", connection.connection.cursor()) as cursor:
        cursor.execute(sql.SQL("; ").join(statements))
