"""Who sees which clinics, with the host of each and since when."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa

from core.access.scope import EVERYTHING, NOTHING, scope_of
from core.accounts.clinic_places import may_place, visible_clinics
from core.accounts.clinics import place_clinic
from core.database import tables
from core.database.acting import acting_for
from tests.service.month import REGISTER

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.service.month import Service

HACKNEY = "E09000012"


def seen(engine: Engine, user: int) -> dict[str, str | None]:
    with acting_for(engine, user, None).connect() as connection:
        found = visible_clinics(connection, scope_of(connection, user))
    return {each.clinic_id: each.host for each in found}


def test_each_sees_the_clinics_of_their_scope(service: Service, portal_engine: Engine) -> None:
    with service.engine.connect() as connection:
        every = {each.clinic_id: each.host for each in visible_clinics(connection, EVERYTHING)}
        assert visible_clinics(connection, NOTHING) == []
    assert seen(portal_engine, service.person("erin@grouper.example")) == every
    own = {clinic: host for clinic, host in every.items() if clinic.startswith("ZX1")}
    assert seen(portal_engine, service.amira) == own
    hosted = {clinic: host for clinic, host in every.items() if host == "E09000030"}
    assert seen(portal_engine, service.users["E09000030"]) == hosted
    assert 0 < len(hosted) < len(every)


def test_a_clinic_knows_since_when_it_has_its_host(service: Service) -> None:
    with service.engine.begin() as connection:
        long_ago = dt.datetime(2016, 4, 1, tzinfo=dt.UTC)
        connection.execute(tables.clinics.update().values(created_at=long_ago))
        first = visible_clinics(connection, scope_of(connection, service.amira))[0]
        assert first.since == dt.date(2016, 4, 1)
        assert first.matches(["zx1", first.provider_name.split()[0]])
        assert not first.matches(["zx1", "nowhere"])
        other = next(code for code in (HACKNEY, "E09000025") if code != first.host)
        for _ in range(2):
            place_clinic(
                connection, first.provider_id, first.clinic_id, other,
                register=REGISTER, user_id=service.amira,
            )  # fmt: skip
        moved = visible_clinics(connection, scope_of(connection, service.amira))[0]
        today = connection.execute(sa.select(sa.func.current_date())).scalar_one()
    assert (moved.host, moved.since) == (other, today)


def test_who_may_place_a_clinic(service: Service) -> None:
    with service.engine.connect() as connection:
        every = visible_clinics(connection, EVERYTHING)
        scopes = {
            name: scope_of(connection, user)
            for name, user in {
                "provider": service.amira,
                "commissioner": service.users["E09000030"],
                "administrator": service.person("erin@grouper.example"),
            }.items()
        }
    placed = {
        name: {each.provider for each in every if may_place(scope, each)}
        for name, scope in scopes.items()
    }
    assert placed == {"provider": {"ZX1"}, "commissioner": set(), "administrator": {"ZX1", "ZX2"}}
