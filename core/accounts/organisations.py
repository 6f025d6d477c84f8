"""Providers and commissioners, identified by their codes; renamed and merged.

Nothing is rewritten: former names can still be searched, and a merged organisation keeps its months
and charges; whoever acts for the organisation that it joined acts for it too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import ARRAY, array

from core.access.audit import note
from core.access.scope import Scope, require
from core.database import tables
from core.user_errors import UserError
from core.vocabulary.permissions import Action

Kind = Literal["provider", "commissioner"]
NO_NAMES: sa.ColumnElement[Any] = sa.cast(array([]), ARRAY(sa.Text))


@dataclass(frozen=True)
class Organisation:
    """A provider or a commissioner."""

    id: int
    code: str
    name: str


@dataclass(frozen=True)
class OrganisationRow:
    """An organisation as administrators see it."""

    id: int
    kind: str
    code: str
    name: str
    address: str | None
    part_of: str | None  # code of the organisation whose second contract it is
    merged_into: str | None
    old_names: list[str]
    clinics: int


def find_organisation(connection: Connection, kind: Kind, code: str) -> Organisation:
    """The organisation of a code; raises ``UserError`` that lists those that exist."""
    existing = organisations(connection, kind)
    for organisation in existing:
        if organisation.code == code:
            return organisation
    listed = ", ".join(f"{each.code} ({each.name})" for each in existing) or "none yet"
    raise UserError(f"there is no {kind} {code!r}; known: {listed}")


def organisation_of(connection: Connection, code: str) -> Organisation:
    """The organisation of a code, of either kind; raises ``UserError``."""
    table = tables.organisations
    query = sa.select(table.c.id, table.c.code, table.c.name).where(table.c.code == code)
    row = connection.execute(query).first()
    if row is None:
        raise UserError(f"there is no organisation {code!r}; `grouper organisations list`")
    return Organisation(*row)


def organisations(connection: Connection, kind: Kind) -> list[Organisation]:
    """All organisations of a kind, by code."""
    table = tables.organisations
    query = (
        sa.select(table.c.id, table.c.code, table.c.name)
        .where(table.c.kind == kind)
        .order_by(table.c.code)
    )
    return [Organisation(*row) for row in connection.execute(query)]


def list_organisations(
    connection: Connection, scope: Scope, *, search: str = ""
) -> list[OrganisationRow]:
    """Organisations by kind and code; ``search`` matches codes, names and former names."""
    scope.require(Action.MANAGE_ACCOUNTS)
    table = tables.organisations
    owner, heir = table.alias("owner"), table.alias("heir")
    names, clinics = tables.organisation_names, tables.clinics
    past = (
        sa.select(sa.func.coalesce(sa.func.array_agg(names.c.name), NO_NAMES))
        .where(names.c.organisation_id == table.c.id)
        .scalar_subquery()
    )
    places = sa.select(sa.func.count()).where(clinics.c.provider_id == table.c.id).scalar_subquery()
    query = (
        sa.select(
            table.c.id, table.c.kind, table.c.code, table.c.name, table.c.address,
            owner.c.code, heir.c.code, past, places,
        )
        .outerjoin(owner, owner.c.id == table.c.part_of_id)
        .outerjoin(heir, heir.c.id == table.c.merged_into_id)
        .order_by(table.c.kind.desc(), table.c.code)
    )  # fmt: skip
    for word in search.split():
        text = sa.func.concat_ws(
            " ", table.c.code, table.c.name, sa.func.array_to_string(past, " ")
        )
        query = query.where(text.icontains(word, autoescape=True))
    return [OrganisationRow(*row) for row in connection.execute(query)]


def add_organisation(
    connection: Connection,
    kind: Kind,
    code: str,
    name: str,
    *,
    user_id: int | None,
    address: str | None = None,
    part_of: str | None = None,
) -> int:
    """Adds a provider or commissioner; ``part_of``: the provider whose second contract it is."""
    require(connection, user_id, Action.MANAGE_ACCOUNTS)
    code, name = code.strip(), name.strip()
    if not code or not name:
        raise UserError("An organisation has a code and a name.")
    table = tables.organisations
    if connection.execute(sa.select(table.c.id).where(table.c.code == code)).first():
        raise UserError(f"there is an organisation {code} already")
    values = {
        "kind": kind,
        "code": code,
        "name": name,
        "address": (address or "").strip() or None,
        "part_of_id": find_organisation(connection, kind, part_of).id if part_of else None,
    }
    number = connection.execute(table.insert().values(values).returning(table.c.id)).scalar_one()
    note(connection, "organisation added", f"organisation:{code}", user_id=user_id, name=name)
    return int(number)


def rename_organisation(
    connection: Connection, code: str, name: str, *, user_id: int | None
) -> None:
    """Renames an organisation; the former name is kept with its last day."""
    require(connection, user_id, Action.MANAGE_ACCOUNTS)
    organisation = organisation_of(connection, code)
    name = name.strip()
    if not name or name == organisation.name:
        raise UserError("Give it a name, and another than it has.")
    connection.execute(
        tables.organisation_names.insert().values(
            organisation_id=organisation.id, name=organisation.name, changed_by=user_id
        )
    )
    table = tables.organisations
    connection.execute(table.update().where(table.c.id == organisation.id).values(name=name))
    note(
        connection, "organisation renamed", f"organisation:{code}",
        user_id=user_id, old=organisation.name, new=name,
    )  # fmt: skip


def change_address(connection: Connection, code: str, address: str, *, user_id: int | None) -> None:
    """Changes the address of an organisation, which later invoices show."""
    require(connection, user_id, Action.MANAGE_ACCOUNTS)
    organisation, table = organisation_of(connection, code), tables.organisations
    new_address = address.strip() or None
    connection.execute(
        table.update().where(table.c.id == organisation.id).values(address=new_address)
    )
    note(
        connection,
        "organisation moved",
        f"organisation:{code}",
        user_id=user_id,
        address=new_address,
    )


def merge_organisations(
    connection: Connection, gone: str, kept: str, *, user_id: int | None
) -> None:
    """Makes the organisation ``gone`` a part of ``kept``, from now on.

    Its months, clinics, charges and subscriptions stay under its own code, so the merge can be
    undone; whoever acts for one of the two acts for both.
    """
    require(connection, user_id, Action.MANAGE_ACCOUNTS)
    ending, staying = _row(connection, gone), _row(connection, kept)
    if ending.id == staying.id or ending.kind != staying.kind:
        raise UserError("Two organisations of the same kind are merged.")
    for row in (ending, staying):
        if row.merged_into_id is not None:
            raise UserError(f"{row.name} is part of another organisation already.")
    _set_heir(connection, ending.id, staying.id)
    values = {"gone_id": ending.id, "kept_id": staying.id, "merged_by": user_id}
    connection.execute(tables.organisation_merges.insert().values(values))
    subject = f"organisation:{gone}"
    note(connection, "organisation merged", subject, user_id=user_id, into=kept)


def undo_merge(connection: Connection, gone: str, *, user_id: int | None) -> None:
    """Undoes the merge of an organisation."""
    require(connection, user_id, Action.MANAGE_ACCOUNTS)
    row = _row(connection, gone)
    if row.merged_into_id is None:
        raise UserError(f"{row.name} is not part of another organisation.")
    _set_heir(connection, row.id, None)
    merges = tables.organisation_merges
    connection.execute(
        merges.update()
        .where(merges.c.gone_id == row.id, merges.c.undone_at.is_(None))
        .values(undone_at=sa.func.now(), undone_by=user_id)
    )
    note(connection, "merge of organisations undone", f"organisation:{gone}", user_id=user_id)


def _row(connection: Connection, code: str) -> sa.Row[Any]:
    organisation, table = organisation_of(connection, code), tables.organisations
    query = sa.select(table).where(table.c.id == organisation.id).with_for_update()
    return connection.execute(query).one()


def _set_heir(connection: Connection, organisation_id: int, heir_id: int | None) -> None:
    table = tables.organisations
    connection.execute(
        table.update().where(table.c.id == organisation_id).values(merged_into_id=heir_id)
    )
