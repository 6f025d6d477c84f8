"""The portal's way to the database: every transaction acts for who is here, and for nobody else.

The portal connects as a role that row-level security binds. Nobody here: no rows.
"""

from __future__ import annotations

from contextvars import ContextVar

from sqlalchemy import Engine

from core.access.people import Person
from core.database import engine as database
from core.database.acting import acting_for

_HERE: ContextVar[Person | None] = ContextVar("who is here", default=None)


def act_as(person: Person | None) -> None:
    """From now on, in this run of a page or this request, the person acts; None: nobody."""
    _HERE.set(person)


def engine() -> Engine:
    """The database, for who is here."""
    person = _HERE.get()
    if person is None:
        return database.engine()
    return acting_for(database.engine(), person.id, person.address)


def engine_of(user_id: int | None, address: str | None) -> Engine:
    """The database while somebody comes in, or is refused."""
    return acting_for(database.engine(), user_id, address)
