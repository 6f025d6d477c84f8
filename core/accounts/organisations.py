"""Providers and commissioners, by the codes that people know them by; renamed and merged.

Nothing is rewritten: an old name stays findable, a merged organisation keeps its months and its
charges, and who acts for what it became acts for it too.
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
    """An organisation as administrators see one."""

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
    """The organisation of that code; raises ``UserError`` that lists those there are."""
    known = organisations(connection, kind)
    for organisation in known:
        if organisation.code == code:
            return organisation
    listed = ", ".join(f"{each.code} ({each.name})" for each in known) or "none yet"
    raise UserError(f"there is no {kind} {code!r}; known: {listed}")


def organisation_of(connection: Connection, code: str) -> Organisation:
    """The organisation of that code, of either kind; raises ``UserError``."""
    found = tables.organisations
    query = sa.select(found.c.id, found.c.code, found.c.name).where(found.c.code == code)
    row = connection.execute(query).first()
    if row is None:
        raise UserError(f"there is no organisation {code!r}; `grouper organisations list`")
    return Organisation(*row)


def organisations(connection: Connection, kind: Kind) -> list[Organisation]:
    """All of a kind, by code."""
    found = tables.organisations
    query = (
        sa.select(found.c.id, found.c.code, found.c.name)
        .where(found.c.kind == kind)
        .order_by(found.c.code)
    )
    return [Organisation(*row) for row in connection.execute(query)]


def list_organisations(
    connection: Connection, scope: Scope, *, search: str = ""
) -> list[OrganisationRow]:
    """Organisations by kind and code; ``search`` finds codes, names, and names of the past."""
    scope.require(Action.MANAGE_ACCOUNTS)
    found = tables.organisations
    owner, heir = found.alias("owner"), found.alias("heir")
    names, clinics = tables.organisation_names, tables.clinics
    past = (
        sa.select(sa.func.coalesce(sa.func.array_agg(names.c.name), NO_NAMES))
        .where(names.c.organisation_id == found.c.id)
        .scalar_subquery()
    )
    places = sa.select(sa.func.count()).where(clinics.c.provider_id == found.c.id).scalar_subquery()
    query = (
        sa.select(
            found.c.id, found.c.kind, found.c.code, found.c.name, found.c.address,
            owner.c.code, heir.c.code, past, places,
        )
        .outerjoin(owner, owner.c.id == found.c.part_of_id)
        .outerjoin(heir, heir.c.id == found.c.merged_into_id)
        .order_by(found.c.kind.desc(), found.c.code)
    )  # fmt: skip
    for word in search.split():
        said = sa.func.concat_ws(
            " ", found.c.code, found.c.name, sa.func.array_to_string(past, " ")
        )
        query = query.where(said.icontains(word, autoescape=True))
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
    found = tables.organisations
    if connection.execute(sa.select(found.c.id).where(found.c.code == code)).first():
        raise UserError(f"there is an organisation {code} already")
    values = {
        "kind": kind,
        "code": code,
        "name": name,
        "address": (address or "").strip() or None,
        "part_of_id": find_organisation(connection, kind, part_of).id if part_of else None,
    }
    number = connection.execute(found.insert().values(values).returning(found.c.id)).scalar_one()
    note(connection, "organisation added", f"organisation:{code}", user_id=user_id, name=name)
    return int(number)


def rename_organisation(
    connection: Connection, code: str, name: str, *, user_id: int | None
) -> None:
    """Gives it another name; the old one is kept, with the day until which it held."""
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
    found = tables.organisations
    connection.execute(found.update().where(found.c.id == organisation.id).values(name=name))
    note(
        connection, "organisation renamed", f"organisation:{code}",
        user_id=user_id, old=organisation.name, new=name,
    )  # fmt: skip


def change_address(connection: Connection, code: str, address: str, *, user_id: int | None) -> None:
    """Where it is, for its invoices from now on."""
    require(connection, user_id, Action.MANAGE_ACCOUNTS)
    organisation, found = organisation_of(connection, code), tables.organisations
    kept = address.strip() or None
    connection.execute(found.update().where(found.c.id == organisation.id).values(address=kept))
    note(connection, "organisation moved", f"organisation:{code}", user_id=user_id, address=kept)


def merge_organisations(
    connection: Connection, gone: str, kept: str, *, user_id: int | None
) -> None:
    """One organisation becomes part of another, from now on.

    Its months, clinics, charges and subscriptions stay under its own code; who acts for one of the
    two acts for both. So it can be undone.
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
    """Makes it an organisation of its own again."""
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
    organisation, found = organisation_of(connection, code), tables.organisations
    query = sa.select(found).where(found.c.id == organisation.id).with_for_update()
    return connection.execute(query).one()


def _set_heir(connection: Connection, organisation_id: int, heir_id: int | None) -> None:
    found = tables.organisations
    connection.execute(
        found.update().where(found.c.id == organisation_id).values(merged_into_id=heir_id)
    )
