"""The clinics of a provider, and the authority that hosts each."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.access.scope import Scope, scope_of
from core.database import tables
from core.engine.areas.hosts import authority_code, resolved_host
from core.engine.areas.register import AreaRegister
from core.user_errors import UserError
from core.vocabulary.permissions import Action


def place_clinic(
    connection: Connection,
    provider_id: int,
    clinic_id: str,
    commissioner: str,
    *,
    register: AreaRegister,
    user_id: int | None,
) -> None:
    """Sets the authority that hosts a clinic, by its code in any case.

    Raises ``UserError`` where either is unknown, or several stand in the authority's place today.
    """
    scope = scope_of(connection, user_id)
    if not scope.may(Action.MANAGE_ACCOUNTS):
        scope.require(Action.UPLOAD, provider_id)
    commissioner = authority_code(commissioner, register)
    resolved_host(commissioner, register, ())
    clinics = tables.clinics
    another = clinics.c.commissioner.is_distinct_from(commissioner)
    placed = connection.execute(
        clinics.update()
        .where(clinics.c.provider_id == provider_id, clinics.c.clinic_id == clinic_id)
        .values(
            commissioner=commissioner,
            placed_at=sa.case((another, sa.func.now()), else_=clinics.c.placed_at),
        )
    )
    if not placed.rowcount:
        raise UserError(f"{clinic_id} is no clinic of this provider.")
    connection.execute(
        tables.audit.insert().values(
            user_id=user_id,
            action="clinic placed",
            subject=f"clinic:{provider_id}/{clinic_id}",
            detail={"commissioner": commissioner},
        )
    )


def add_or_place_clinic(
    connection: Connection,
    provider_id: int,
    clinic_id: str,
    commissioner: str,
    *,
    register: AreaRegister,
    user_id: int | None,
    name: str | None = None,
    address: str | None = None,
) -> None:
    """Sets the host of a clinic, which is added if it is new; with name and address if given."""
    if not clinic_id.strip():
        raise UserError("A clinic has an id, as its records name it.")
    details = {"name": name, "address": address}
    given_details = {key: text.strip() for key, text in details.items() if text is not None}
    values = {"provider_id": provider_id, "clinic_id": clinic_id.strip()}
    statement = insert(tables.clinics).values(**values, **given_details)
    if given_details:
        statement = statement.on_conflict_do_update(
            index_elements=["provider_id", "clinic_id"], set_=given_details
        )
    else:
        statement = statement.on_conflict_do_nothing()
    connection.execute(statement)
    place_clinic(
        connection, provider_id, clinic_id.strip(), commissioner, register=register, user_id=user_id
    )


@dataclass(frozen=True)
class ClinicRow:
    """A clinic as administrators see it."""

    provider: str  # its code
    provider_name: str
    clinic_id: str
    name: str | None
    address: str | None
    host: str | None  # area code; None: to be placed


def list_clinics(connection: Connection, scope: Scope, *, search: str = "") -> list[ClinicRow]:
    """All clinics, for managers of accounts; clinics without a host first."""
    scope.require(Action.MANAGE_ACCOUNTS)
    clinics, providers = tables.clinics, tables.organisations
    query = (
        sa.select(
            providers.c.code,
            providers.c.name.label("provider_name"),
            clinics.c.clinic_id,
            clinics.c.name,
            clinics.c.address,
            clinics.c.commissioner,
        )
        .join(providers, providers.c.id == clinics.c.provider_id)
        .order_by(clinics.c.commissioner.is_not(None), providers.c.code, clinics.c.clinic_id)
    )
    for word in search.split():
        text = sa.func.concat_ws(
            " ", providers.c.code, providers.c.name, clinics.c.clinic_id, clinics.c.name
        )
        query = query.where(text.icontains(word, autoescape=True))
    return [ClinicRow(*row) for row in connection.execute(query)]
