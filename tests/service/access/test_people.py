"""Who comes in: sign-ins that are unknown, ended, over or another's, and what a person may do."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from core.access.people import NotAdmitted, Person, admit
from core.access.scope import EVERYTHING, NotAllowed
from core.access.sessions import (
    begin_session,
    note_refusal,
    revoke_all,
    revoke_session,
    sessions_in_use,
    sign_out,
)
from core.access.users import end_user, reactivate_user
from core.accounts.organisations import find_organisation
from core.accounts.subscriptions import end
from core.accounts.today import today
from core.database import tables
from core.database.acting import acting_for
from core.user_errors import UserError
from core.vocabulary.permissions import Action, Kind

if TYPE_CHECKING:
    from tests.service.month import Service

AMIRA = "amira@zx1.example"
ERIN = "erin@grouper.example"


def sign_in(service: Service, subject: str = AMIRA) -> str:
    with service.engine.begin() as connection:
        key = begin_session(connection, subject, address="192.0.2.7", agent="a browser")
    assert key
    return key


def admitted(service: Service, key: str, subject: str = AMIRA, *, active: bool = True) -> Person:
    with service.engine.begin() as connection:
        return admit(connection, subject, key, active=active)


def refused(service: Service, key: str, subject: str = AMIRA) -> str:
    with pytest.raises(NotAdmitted) as caught:
        admitted(service, key, subject)
    return caught.value.reason


def set_back(service: Service, **values: dt.timedelta) -> None:
    """Moves times of every session into the past."""
    sessions = tables.sessions
    moved = {name: sessions.c[name] - back for name, back in values.items()}
    with service.engine.begin() as connection:
        connection.execute(sessions.update().values(moved))


def user_of(service: Service, subject: str) -> int:
    users = tables.users
    return int(service.one(sa.select(users.c.id).where(users.c.subject == subject)))


def test_a_person_comes_in_with_their_roles(service: Service) -> None:
    person = admitted(service, sign_in(service))
    assert (person.id, person.name, person.email) == (service.amira, "Amira Okafor", AMIRA)
    [role] = person.organisations("provider")
    assert (role.code, role.kind) == ("ZX1", Kind.PROVIDER_PLUS)
    assert person.provider_ids == [role.organisation_id]
    assert person.organisations("commissioner") == ()
    assert person.may(Action.UPLOAD, role.organisation_id)
    assert not person.may(Action.OPERATE)


def test_roles_are_read_each_time(service: Service) -> None:
    key = sign_in(service)
    held = tables.subscriptions
    number = service.one(sa.select(held.c.id).where(held.c.user_id == service.amira))
    assert admitted(service, key).provider_ids
    with service.engine.begin() as connection:
        end(connection, number, on=today(), user_id=None, today=today())
    assert admitted(service, key).memberships == ()


@pytest.mark.parametrize("subject", ["stranger", ""])
def test_somebody_unknown_has_no_session_and_is_not_admitted(
    service: Service, subject: str
) -> None:
    with service.engine.begin() as connection:
        assert begin_session(connection, subject, address=None, agent=None) is None
    assert refused(service, "made up", subject) == "unknown"


def test_a_key_that_was_made_up_or_is_anothers_opens_nothing(service: Service) -> None:
    key = sign_in(service)
    assert refused(service, "made up") == "no session"
    assert refused(service, key, "ben@zx2.example") == "no session"


def test_signing_out_ends_this_session_and_no_other(service: Service) -> None:
    here, elsewhere = sign_in(service), sign_in(service)
    person = admitted(service, here)
    assert person.session
    with service.engine.begin() as connection:
        sign_out(connection, person.session, user_id=person.id)
    assert refused(service, here) == "signed out"
    assert admitted(service, elsewhere).id == service.amira


def test_a_session_ends_after_its_time_however_busy(service: Service) -> None:
    key = sign_in(service)
    set_back(service, expires_at=dt.timedelta(hours=12))
    assert refused(service, key) == "expired"


def test_a_session_ends_when_nobody_was_there(service: Service) -> None:
    key = sign_in(service)
    set_back(service, seen_at=dt.timedelta(minutes=59))
    admitted(service, key)  # somebody was: it counts from here
    set_back(service, seen_at=dt.timedelta(minutes=59))
    assert admitted(service, key, active=False).id == service.amira
    set_back(service, seen_at=dt.timedelta(minutes=2))
    assert refused(service, key) == "idle"  # a page that looks by itself keeps nobody signed in


def test_an_administrator_ends_one_sign_in_or_all(service: Service) -> None:
    first, second, third = sign_in(service), sign_in(service), sign_in(service)
    erin = user_of(service, ERIN)
    session = admitted(service, first).session
    assert session
    with service.engine.begin() as connection:
        assert revoke_session(connection, session, user_id=erin) == 1
    assert refused(service, first) == "revoked"
    assert admitted(service, second).id == service.amira
    with service.engine.begin() as connection:
        assert revoke_all(connection, service.amira, user_id=erin) == 2
    assert [refused(service, key) for key in (second, third)] == ["revoked"] * 2
    with service.engine.connect() as connection:
        assert sessions_in_use(connection, EVERYTHING, of_user=service.amira) == []


def test_others_end_nobodys_sign_in(service: Service) -> None:
    sign_in(service, "ben@zx2.example")
    with pytest.raises(NotAllowed), service.engine.begin() as connection:
        revoke_all(connection, user_of(service, "ben@zx2.example"), user_id=service.amira)


def test_whose_access_is_ended_is_out_at_once_and_may_be_let_in_again(service: Service) -> None:
    key, erin = sign_in(service), user_of(service, ERIN)
    with service.engine.begin() as connection:
        end_user(connection, service.amira, user_id=erin)
    assert refused(service, key) == "user ended"
    with service.engine.begin() as connection:
        assert begin_session(connection, AMIRA, address=None, agent=None) is None
        reactivate_user(connection, service.amira, user_id=erin)
    assert refused(service, key) == "revoked"
    assert admitted(service, sign_in(service)).provider_ids
    with pytest.raises(UserError, match="own access"), service.engine.begin() as connection:
        end_user(connection, erin, user_id=erin)


def test_the_database_keeps_no_key_that_opens(service: Service) -> None:
    key = sign_in(service)
    assert key not in str(service.rows(sa.select(tables.sessions)))


def test_organisations_are_found_by_kind_and_code(service: Service) -> None:
    with service.engine.connect() as connection:
        found = find_organisation(connection, "commissioner", "E09000012")
        assert found.name == "Hackney"
        with pytest.raises(UserError, match=r"no provider 'E09000012'; known: ZX1 \(Lea Valley"):
            find_organisation(connection, "provider", "E09000012")


def note_refusals(engine: sa.Engine, *cookies: str, reason: str = "forged") -> None:
    for cookie in cookies:
        with engine.begin() as connection:
            note_refusal(
                connection, "sign-in cookie", reason, user_id=None, agent="x", cookie=cookie
            )


def refusals_by_minute(service: Service) -> list[tuple[dt.datetime, str, int]]:
    audit = tables.audit
    minute = sa.func.date_trunc("minute", audit.c.at)
    query = (
        sa.select(minute, audit.c.reason, sa.func.count())
        .where(audit.c.action == "refused")
        .group_by(minute, audit.c.reason)
    )
    return [(row[0], row[1], row[2]) for row in service.rows(query)]


def test_a_flood_of_refused_cookies_writes_no_flood(
    service: Service, portal_engine: sa.Engine
) -> None:
    portal = acting_for(portal_engine, None, "192.0.2.7")
    note_refusals(portal, *["192.0.2.7"] * 100)
    noted = refusals_by_minute(service)
    assert 1 <= len(noted) <= 2  # a minute may have ended meanwhile
    assert {count for _, _, count in noted} == {1}


def test_other_cookies_and_other_reasons_are_noted_beside_it(
    service: Service, portal_engine: sa.Engine
) -> None:
    portal = acting_for(portal_engine, None)
    note_refusals(portal, "192.0.2.7", "192.0.2.8")
    note_refusals(portal, "192.0.2.7", reason="idle")
    counts = [(reason, count) for _, reason, count in refusals_by_minute(service)]
    assert sum(count for reason, count in counts if reason == "forged") == 2
    assert sum(count for reason, count in counts if reason == "idle") == 1
