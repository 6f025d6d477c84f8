"""Cookies and links that are forged, replayed, over, revoked or another's: refused, and audited."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from core.access.sessions import revoke_all
from core.database import tables
from core.files.links import make_link
from portal.session_cookies import COOKIE, KEY, claims_of
from tests.browser.conftest import SignIn
from tests.browser.walking import sign_out

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from deployments.supervisor import Services

AMIRA, BEN = "amira@zx1.example", "ben@zx2.example"


def cookies_of(page: Page) -> dict[str, str]:
    return {each["name"]: each["value"] for each in page.context.cookies()}


def user_of(database: Engine, subject: str) -> int:
    users = tables.users
    with database.connect() as connection:
        query = sa.select(users.c.id).where(users.c.subject == subject)
        return int(connection.execute(query).scalar_one())


def refusals(database: Engine) -> list[tuple[str, str | None, int | None]]:
    audit = tables.audit
    query = sa.select(audit.c.subject, audit.c.reason, audit.c.user_id).where(
        audit.c.action == "refused"
    )
    with database.connect() as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(query.order_by(audit.c.id))]


def change_sessions(database: Engine, subject: str, **back: dt.timedelta) -> None:
    """Moves times of a user's sessions into the past."""
    sessions = tables.sessions
    moved: dict[str, Any] = {name: sessions.c[name] - span for name, span in back.items()}
    with database.begin() as connection:
        user = user_of(database, subject)
        connection.execute(sessions.update().where(sessions.c.user_id == user).values(moved))


def forged(_cookies: dict[str, str], _services: Services) -> dict[str, str]:
    """Signed with a key of somebody's own."""
    said = {"sub": AMIRA, "is_logged_in": True, "origin": "http://127.0.0.1"}
    return {COOKIE: create_signed_value("a guess", COOKIE, json.dumps(said)).decode()}


def tampered(cookies: dict[str, str], _services: Services) -> dict[str, str]:
    value = cookies[COOKIE]
    return {**cookies, COOKIE: value[:40] + ("A" if value[40] != "A" else "B") + value[41:]}


def of_another(cookies: dict[str, str], services: Services) -> dict[str, str]:
    """One's own session under another's name, signed as only the portal can."""
    said = {**(claims_of(cookies) or {}), "sub": BEN}
    key = services.settings.signing_key()
    return {COOKIE: create_signed_value(key, COOKIE, json.dumps(said)).decode()}


def without_session(cookies: dict[str, str], services: Services) -> dict[str, str]:
    """As Streamlit alone would set it."""
    said = {name: value for name, value in (claims_of(cookies) or {}).items() if name != KEY}
    key = services.settings.signing_key()
    return {COOKIE: create_signed_value(key, COOKIE, json.dumps(said)).decode()}


Change = Callable[[dict[str, str], "Services"], dict[str, str]]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (forged, "forged"),
        (tampered, "forged"),
        (of_another, "no session"),
        (without_session, "no session"),
    ],
)
def test_a_cookie_that_is_not_ours_opens_nothing(
    sign_in: SignIn, services: Services, populated: Engine, change: Change, reason: str
) -> None:
    cookies = change(cookies_of(sign_in(AMIRA)), services)
    before = len(refusals(populated))
    token = make_link("reports/1/x.xlsx", "x.xlsx", user_id=user_of(populated, AMIRA))
    for address in (f"/download/{token}", "/invoices.csv"):
        answer = httpx2.get(f"{services.portal_url}{address}", cookies=cookies)
        assert answer.status_code == 403
    said = httpx2.put(f"{services.portal_url}/api/upload?name=a.csv", cookies=cookies, content=b"x")
    assert said.status_code == 403
    found = {each[:2] for each in refusals(populated)[before:]}
    # A forged one may be noted already in this minute, as another of the same place.
    assert found <= {("sign-in cookie", reason)} <= {each[:2] for each in refusals(populated)}
    assert found or reason == "forged"


def test_a_cookie_that_was_copied_ends_with_its_session(
    sign_in: SignIn, services: Services, populated: Engine
) -> None:
    page = sign_in(AMIRA)
    cookies, amira = cookies_of(page), user_of(populated, AMIRA)
    address = f"{services.portal_url}/invoice/INV-99999"
    assert httpx2.get(address, cookies=cookies).status_code == 404  # admitted; there is none

    change_sessions(populated, AMIRA, seen_at=dt.timedelta(minutes=61))
    assert "You were away for long" in httpx2.get(address, cookies=cookies).text
    change_sessions(populated, AMIRA, seen_at=-dt.timedelta(minutes=61))
    change_sessions(populated, AMIRA, expires_at=dt.timedelta(hours=13))
    assert "has expired" in httpx2.get(address, cookies=cookies).text
    change_sessions(populated, AMIRA, expires_at=-dt.timedelta(hours=13))
    assert httpx2.get(address, cookies=cookies).status_code == 404

    sign_out(page)
    replayed = httpx2.get(address, cookies=cookies)
    assert (replayed.status_code, "You have been signed out" in replayed.text) == (403, True)
    assert [each[1:] for each in refusals(populated)[-3:]] == [
        ("idle", amira),
        ("expired", amira),
        ("signed out", amira),
    ]


def test_an_administrator_puts_somebody_out_in_the_middle_of_a_page(
    sign_in: SignIn, services: Services, populated: Engine
) -> None:
    page = sign_in(BEN)
    with populated.begin() as connection:
        revoke_all(
            connection, user_of(populated, BEN), user_id=user_of(populated, "erin@grouper.example")
        )
    page.get_by_role("link", name="Reports").click()
    expect(page.get_by_text("An administrator has ended this sign-in.")).to_be_visible()
    assert refusals(populated)[-1] == ("sign-in cookie", "revoked", user_of(populated, BEN))


def test_links_that_are_altered_over_or_anothers_are_audited(
    sign_in: SignIn, services: Services, populated: Engine
) -> None:
    cookies = cookies_of(sign_in(BEN))
    ben, amira = user_of(populated, BEN), user_of(populated, AMIRA)
    good = make_link("reports/1/x.xlsx", "x.xlsx", user_id=ben)
    over = make_link("reports/1/x.xlsx", "x.xlsx", user_id=ben, seconds=0)
    anothers = make_link("reports/1/x.xlsx", "x.xlsx", user_id=amira)
    answers = [
        httpx2.get(f"{services.portal_url}/download/{token}", cookies=cookies).status_code
        for token in (f"{good}x", over, anothers)
    ]
    assert answers == [404, 410, 403]
    assert refusals(populated)[-3:] == [
        ("download link", "link altered", ben),
        ("download link", "link expired", ben),
        ("stored:reports/1/x.xlsx", "link of another user", ben),
    ]


def test_the_audit_knows_from_where(sign_in: SignIn, populated: Engine) -> None:
    sign_in(AMIRA)
    sessions = tables.sessions
    with populated.connect() as connection:
        newest = sa.select(sessions.c.address, sessions.c.agent).order_by(
            sessions.c.started_at.desc()
        )
        address, agent = connection.execute(newest).first() or ("", "")
    assert address == "127.0.0.1"
    assert "Chrome" in agent
