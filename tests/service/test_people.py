"""Who comes in: sign-ins that are unknown, ended, expired or void, and what a person may do."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from core.accounts.organisations import find_organisation
from core.accounts.people import NotAdmitted, Person, admit, sign_out
from core.database import tables
from core.user_errors import UserError

if TYPE_CHECKING:
    from tests.service.month import Service

NOW = dt.datetime.now(dt.UTC)
AMIRA = "amira@zx1.example"


def claims(subject: str = AMIRA, **changed: Any) -> dict[str, Any]:
    """What a sign-in of an hour ago says, good for another hour."""
    made = {"sub": subject, "iat": NOW.timestamp() - 3600, "exp": NOW.timestamp() + 3600}
    return {**made, **changed}


def admitted(service: Service, said: dict[str, Any], now: dt.datetime = NOW) -> Person:
    with service.engine.connect() as connection:
        return admit(connection, said, now=now)


def change_user(service: Service, **values: object) -> None:
    users = tables.users
    with service.engine.begin() as connection:
        connection.execute(users.update().where(users.c.subject == AMIRA).values(**values))


def test_a_person_comes_in_with_their_roles(service: Service) -> None:
    person = admitted(service, claims())
    assert (person.id, person.name, person.email) == (service.amira, "Amira Okafor", AMIRA)
    [role] = person.organisations("provider")
    assert (role.code, person.provider_ids) == ("ZX1", [role.organisation_id])
    assert person.organisations("commissioner") == ()
    carys = admitted(service, claims("carys@towerhamlets.example"))
    assert [each.code for each in carys.organisations("commissioner")] == ["E09000030"]
    assert carys.provider_ids == []
    [operator] = admitted(service, claims("dev@grouper.example")).memberships
    assert (operator.role, operator.organisation_id) == ("operator", None)


def test_roles_are_read_each_time(service: Service) -> None:
    assert admitted(service, claims()).provider_ids
    with service.engine.begin() as connection:
        memberships = tables.memberships
        connection.execute(memberships.delete().where(memberships.c.user_id == service.amira))
    assert admitted(service, claims()).memberships == ()


@pytest.mark.parametrize("said", [claims("stranger"), claims(""), {}], ids=str)
def test_somebody_unknown_is_not_admitted(service: Service, said: dict[str, Any]) -> None:
    with pytest.raises(NotAdmitted, match="does not know you yet"):
        admitted(service, said)


def test_whose_access_has_ended_is_not_admitted(service: Service) -> None:
    change_user(service, active=False)
    with pytest.raises(NotAdmitted, match="Your access has been ended"):
        admitted(service, claims())


@pytest.mark.parametrize(
    "said",
    [
        claims(exp=NOW.timestamp()),
        claims(exp=NOW.timestamp() - 1),
        claims(exp=None),
        claims(iat=None),
    ],
    ids=["at its end", "after its end", "without an end", "without a beginning"],
)
def test_a_sign_in_that_is_over_is_not_admitted(service: Service, said: dict[str, Any]) -> None:
    with pytest.raises(NotAdmitted, match="Sign in again"):
        admitted(service, said)


def test_a_sign_in_lasts_until_its_end(service: Service) -> None:
    until = NOW + dt.timedelta(seconds=3599)
    assert admitted(service, claims(), until).id == service.amira


def test_signing_out_ends_every_earlier_sign_in_and_no_later_one(service: Service) -> None:
    with service.engine.begin() as connection:
        sign_out(connection, service.amira)
    with pytest.raises(NotAdmitted, match="You have been signed out"):
        admitted(service, claims())
    just_after = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2)
    assert admitted(service, claims(iat=just_after.timestamp())).id == service.amira
    ben = admitted(service, claims("ben@zx2.example"))
    assert ben.name == "Ben Whitlock"
    audit = tables.audit
    query = sa.select(audit.c.user_id, audit.c.subject).where(audit.c.action == "signed out")
    assert list(map(tuple, service.rows(query))) == [(service.amira, f"user:{service.amira}")]


def test_a_sign_in_of_the_very_second_of_signing_out_is_void(service: Service) -> None:
    """Sign-ins know whole seconds only, so the doubt goes against the older cookie."""
    change_user(service, signed_out_at=NOW.replace(microsecond=900_000))
    with pytest.raises(NotAdmitted):
        admitted(service, claims(iat=int(NOW.timestamp())))
    assert admitted(service, claims(iat=int(NOW.timestamp()) + 1)).id == service.amira


def test_organisations_are_found_by_kind_and_code(service: Service) -> None:
    with service.engine.connect() as connection:
        found = find_organisation(connection, "commissioner", "E09000012")
        assert found.name == "Hackney"
        with pytest.raises(UserError, match=r"no provider 'E09000012'; known: ZX1 \(Lea Valley"):
            find_organisation(connection, "provider", "E09000012")
