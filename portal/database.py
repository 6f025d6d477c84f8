"""The portal's access to the database: every transaction acts for the present person alone.

The portal connects as a role that row-level security binds: without a person it sees no rows.
"""

from __future__ import annotations

from contextvars import ContextVar

from sqlalchemy import Engine

from core.access.people import Person
from core.database import engine as database
from core.database.acting import acting_for

_HERE: ContextVar[Person | None] = ContextVar("who is here", default=None)


def act_as(person: Person | None) -> None:
    """Sets the person for whom the rest of this run of a page, or request, acts; None: nobody."""
    _HERE.set(person)


def engine() -> Engine:
    """The database, for the present person."""
    person = _HERE.get()
    if person is None:
        return database.engine()
    return acting_for(database.engine(), person.id, person.address)


def engine_of(user_id: int | None, address: str | None) -> Engine:
    """The database for a user who is signing in or is being refused."""
    return acting_for(database.engine(), user_id, address)
