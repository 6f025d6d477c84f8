"""For whom a transaction acts: row-level security reads it from the transaction itself."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event

USER, ADDRESS = "grouper.user_id", "grouper.address"
"""What the transaction carries: whose rows it may touch, and where the request came from."""

_SET = "SELECT set_config(%s, %s, true), set_config(%s, %s, true)"


def act_for(connection: Connection, user_id: int) -> None:
    """Makes the rest of the transaction one of this user."""
    connection.execute(sa.select(sa.func.set_config(USER, str(user_id), True)))


def acting_for(engine: Engine, user_id: int | None, address: str | None = None) -> Engine:
    """The engine, each of whose transactions acts for the user; it shares the pool."""
    return engine.execution_options(grouper_user=user_id, grouper_address=address)


def mark_transactions(engine: Engine) -> None:
    """The one place where it is set: at the start of each transaction, until its end."""
    event.listen(engine, "begin", _mark)


def _mark(connection: Connection) -> None:
    options: dict[str, Any] = dict(connection.get_execution_options())
    user, address = options.get("grouper_user"), options.get("grouper_address")
    if user is None and address is None:
        return
    # By the driver: SQLAlchemy's own transaction is not there yet.
    cursor = connection.connection.cursor()
    cursor.execute(_SET, (USER, "" if user is None else str(user), ADDRESS, address or ""))
    cursor.close()
