"""Who sees which clinics, with the host of each and since when."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from core.access.scope import EVERYTHING, NOTHING, scope_of
from core.accounts.clinic_places import ClinicPlace, may_place, visible_clinics
from core.accounts.clinics import place_clinic
from core.database import tables
from core.database.acting import acting_for
from core.user_errors import UserError
from tests.service.month import REGISTER, visit

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

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


@pytest.mark.parametrize(
    ("told", "kept"), [("e09000012", "E09000012"), (" E07000026\u200b", "E07000026")]
)
def test_a_host_is_named_by_its_code_in_any_case(service: Service, told: str, kept: str) -> None:
    with service.engine.begin() as connection:
        first = visible_clinics(connection, scope_of(connection, service.amira))[0]
        place(connection, service, first, told)
        hosts = {each.clinic_id: each.host for each in visible_clinics(connection, EVERYTHING)}
    assert hosts[first.clinic_id] == kept


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("Hackney", "Hackney is no authority"),
        ("E09000099", "no authority has or had the code"),
        ("E12000007", "is the code of a region"),
        ("E10000006", "several stand in its place"),
        ("", "is no authority"),
    ],
)
def test_a_host_that_is_no_authority_is_refused(service: Service, told: str, words: str) -> None:
    with service.engine.begin() as connection:
        first = visible_clinics(connection, scope_of(connection, service.amira))[0]
        with pytest.raises(UserError, match=words):
            place(connection, service, first, told)


def place(connection: Connection, service: Service, clinic: ClinicPlace, host: str) -> None:
    place_clinic(
        connection, clinic.provider_id, clinic.clinic_id, host,
        register=REGISTER, user_id=service.amira,
    )  # fmt: skip


def test_charges_go_to_the_authority_in_the_place_of_a_host_that_ended(service: Service) -> None:
    month = service.month()
    service.ready(month, visit(1, "T2", lsoa="X99999999"))
    with service.engine.begin() as connection:
        places = visible_clinics(connection, scope_of(connection, service.amira))
        clinic = next(each for each in places if each.clinic_id == "ZX1-A")
        place(connection, service, clinic, "E07000026")
    run_id = service.run(month, "draft")
    query = sa.select(tables.charges.c.commissioner).where(tables.charges.c.run_id == run_id)
    assert set(service.rows_of_one(query)) == {"E06000063"}
    reasons = service.rows_of_one(sa.select(tables.charge_reasons.c.reason))
    assert any("Cumberland (E06000063) stands in its place today." in each for each in reasons)
