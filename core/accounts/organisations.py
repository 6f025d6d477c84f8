"""Providers and commissioners, by the codes that people know them by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.user_errors import UserError

Kind = Literal["provider", "commissioner"]


@dataclass(frozen=True)
class Organisation:
    """A provider or a commissioner."""

    id: int
    code: str
    name: str


def find_organisation(connection: Connection, kind: Kind, code: str) -> Organisation:
    """The organisation of that code; raises ``UserError`` that lists those there are."""
    known = organisations(connection, kind)
    for organisation in known:
        if organisation.code == code:
            return organisation
    listed = ", ".join(f"{each.code} ({each.name})" for each in known) or "none yet"
    raise UserError(f"there is no {kind} {code!r}; known: {listed}")


def organisations(connection: Connection, kind: Kind) -> list[Organisation]:
    """All of a kind, by code."""
    found = tables.organisations
    query = (
        sa.select(found.c.id, found.c.code, found.c.name)
        .where(found.c.kind == kind)
        .order_by(found.c.code)
    )
    return [Organisation(*row) for row in connection.execute(query)]
