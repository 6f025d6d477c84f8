"""The organisations and people of the demonstration; all are fictional."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.accounts.subscriptions import Quote, add_organisation, quote_and_invoice
from core.accounts.today import today
from core.database import tables
from core.vocabulary.permissions import Kind


@dataclass(frozen=True)
class DemoPerson:
    """Somebody who can sign in at the demonstration's own OpenID provider."""

    subject: str
    name: str
    kind: Kind
    organisation: str | None
    others: tuple[str, ...] = ()
    """Organisations that were added to the subscription."""

    @property
    def side(self) -> str:
        """The person's side: provider, commissioner, or the service."""
        if self.organisation is None:
            return "service"
        return "provider" if self.organisation in PROVIDERS else "commissioner"

    @property
    def claims(self) -> dict[str, str]:
        """The claims of the OpenID provider about the person."""
        return {"sub": self.subject, "name": self.name, "email": self.subject}


PROVIDERS = {
    "ZX1": "Lea Valley Sexual Health (fictional)",
    "ZX2": "Thames Reach Clinics (fictional)",
}

COMMISSIONERS = {
    "E09000030": "Tower Hamlets",
    "E09000012": "Hackney",
    "E09000025": "Newham",
    "E09000001": "City of London",
}

PEOPLE = (
    DemoPerson("amira@zx1.example", "Amira Okafor", Kind.PROVIDER_PLUS, "ZX1"),
    DemoPerson("ben@zx2.example", "Ben Whitlock", Kind.PROVIDER_PLUS, "ZX2"),
    DemoPerson("carys@towerhamlets.example", "Carys Morgan", Kind.COMMISSIONER, "E09000030"),
    DemoPerson("dev@grouper.example", "Dev Patel", Kind.OPERATOR, None),
    DemoPerson("erin@grouper.example", "Erin Lloyd", Kind.ADMINISTRATOR, None),
)
"""The people who act in the story, one for each organisation."""

ONLOOKERS = (
    DemoPerson("farah@zx2.example", "Farah Siddiqui", Kind.BASIC_PROVIDER, "ZX2"),
    DemoPerson("gwen@zx1.example", "Gwen Achebe", Kind.READ_ONLY, "ZX1"),
    DemoPerson(
        "hugo@london.example", "Hugo Lindqvist", Kind.CLUSTER_MANAGER, "E09000012", ("E09000001",)
    ),
    DemoPerson("iris@newham.example", "Iris Costa", Kind.READ_ONLY, "E09000025"),
)
"""People with the other kinds of subscription."""

EVERYBODY = PEOPLE + ONLOOKERS


def add_people(
    connection: Connection,
    clinics: Mapping[str, Iterable[tuple[str, str, str]]],
    people: Iterable[DemoPerson],
) -> None:
    """Writes organisations, people and clinics; idempotent.

    ``clinics``: for each provider the id, name and host authority of its clinics.
    """
    organisations = tables.organisations
    kinds = {"provider": PROVIDERS, "commissioner": COMMISSIONERS}
    ids: dict[str | None, int | None] = {None: None}
    for kind, names in kinds.items():
        for code, name in names.items():
            statement = (
                insert(organisations)
                .values(kind=kind, code=code, name=name)
                .on_conflict_do_update(index_elements=["code"], set_={"name": name})
                .returning(organisations.c.id)
            )
            ids[code] = connection.execute(statement).scalar_one()
    for person in people:
        _bring_in_person(connection, person, ids)
    for provider, places in clinics.items():
        for clinic_id, name, host in places:
            values = {"provider_id": ids[provider], "clinic_id": clinic_id, "name": name}
            connection.execute(
                insert(tables.clinics).values(commissioner=host, **values).on_conflict_do_nothing()
            )


def _bring_in_person(
    connection: Connection, person: DemoPerson, organisations: Mapping[str | None, int | None]
) -> None:
    users = tables.users
    user_id = connection.execute(
        insert(users)
        .values(subject=person.subject, email=person.subject, name=person.name)
        .on_conflict_do_update(index_elements=["subject"], set_={"name": person.name})
        .returning(users.c.id)
    ).scalar_one()
    held = tables.subscriptions
    if connection.execute(sa.select(held.c.id).where(held.c.user_id == user_id)).first() is None:
        day = today()
        offer = Quote(person.kind, user_id, organisations[person.organisation], first_day=day)
        number = quote_and_invoice(connection, offer, today=day, user_id=None)
        for code in person.others:
            added = cast("int", organisations[code])
            add_organisation(connection, number, added, on=day, user_id=None)
