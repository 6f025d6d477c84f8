"""Reports and their links die with the right to them, the sign-in and the subscription."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx2
import pytest
import sqlalchemy as sa

from core.access.scope import NotAllowed, scope_of
from core.access.sessions import begin_session
from core.accounts.subscriptions import Quote, quote_and_invoice
from core.accounts.today import today
from core.database import tables
from core.database.acting import acting_for
from core.database.engine import engine
from core.database.roles import role_url
from core.files.links import make_link
from core.files.store import open_store
from core.reports.download_rights import require_download
from core.reports.report_list import reports_of
from core.user_errors import UserError
from core.vocabulary.permissions import Kind
from deployments.demo import story
from portal.session_cookies import COOKIE, KEY
from tests.small_month import run, small_month
from tests.subscribed import subscribe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from deployments.supervisor import Services

MONTH = dt.date(2017, 8, 1)
"""Submitted by no other test."""


class Reader:
    """A commissioner of the test's own, with a report and a sign-in."""

    def __init__(self, services: Services, engine: Engine) -> None:
        self.services, self.engine = services, engine
        self.subject = f"reader-{uuid4().hex[:8]}@example"
        with engine.begin() as connection:
            values = {"subject": self.subject, "name": "Reader"}
            self.id = connection.execute(
                tables.users.insert().values(values).returning(tables.users.c.id)
            ).scalar_one()
            self.subscription = subscribe(connection, self.id, "commissioner", hackney(connection))
        self.report = story.ask_for_report(
            engine, "commissioner", "E09000012", self.id, month=MONTH
        )

    def made(self, folder: Path) -> None:
        story.wait_for_report(self.engine, self.report, folder)
        files = tables.report_files.c
        with self.engine.connect() as connection:
            query = sa.select(files.storage_key, files.name).where(
                files.report_id == self.report, files.position == 0
            )
            self.key, self.name = connection.execute(query).one()

    def sign_in(self) -> tuple[dict[str, str], str]:
        """Cookies as the portal sets them, and the session they are of."""
        with self.engine.begin() as connection:
            key = begin_session(connection, self.subject, address=None, agent=None)
            sessions = tables.sessions.c
            newest = sa.select(sessions.id).where(sessions.user_id == self.id)
            session = connection.execute(newest.order_by(sessions.started_at.desc())).scalars()
            return cookies(self.services, {"sub": self.subject, KEY: key}), str(session.first())

    def fetch(self, cookies: dict[str, str], session: str = "") -> int:
        token = make_link(self.key, self.name, self.id, session=session)
        url = f"{self.services.portal_url}/download/{token}"
        return httpx2.get(url, cookies=cookies).status_code


def cookies(services: Services, claims: dict[str, object]) -> dict[str, str]:
    from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

    signed = create_signed_value(services.settings.signing_key(), COOKIE, json.dumps(claims))
    return {COOKIE: signed.decode()}


def hackney(connection: Connection) -> int:
    organisations = tables.organisations.c
    query = sa.select(organisations.id).where(organisations.code == "E09000012")
    return int(connection.execute(query).scalar_one())


@pytest.fixture(scope="module")
def submitted(populated: Engine, tmp_path_factory: pytest.TempPathFactory) -> None:
    month = small_month(populated, tmp_path_factory.mktemp("files"), MONTH, "draft", rows=200)
    run(populated, month, "final")


@pytest.fixture
def reader(
    services: Services, populated: Engine, submitted: None, tmp_path: Path
) -> Iterator[Reader]:
    person = Reader(services, populated)
    person.made(tmp_path / "report.xlsx")
    yield person


def end(reader: Reader) -> None:
    periods = tables.subscription_periods
    with reader.engine.begin() as connection:
        connection.execute(periods.delete().where(periods.c.user_id == reader.id))


def test_a_report_is_there_while_the_right_is(reader: Reader) -> None:
    signed_in, session = reader.sign_in()
    assert reader.fetch(signed_in, session) == 200
    assert listed(reader) == [reader.report]
    end(reader)
    assert reader.fetch(signed_in, session) == 403
    assert listed(reader) == []


def test_another_role_in_the_organisation_is_not_enough(reader: Reader) -> None:
    """Read-only sees charges, and gets no Backing Data."""
    signed_in, session = reader.sign_in()
    end(reader)
    with reader.engine.begin() as connection:
        wanted = Quote(Kind.READ_ONLY, reader.id, hackney(connection), first_day=today())
        quote_and_invoice(connection, wanted, today=today(), user_id=None)
    assert reader.fetch(signed_in, session) == 403
    assert listed(reader) == []


def test_a_link_dies_with_its_sign_in(reader: Reader) -> None:
    first, session = reader.sign_in()
    sessions = tables.sessions
    with reader.engine.begin() as connection:
        ended = sessions.update().where(sessions.c.user_id == reader.id)
        connection.execute(ended.values(ended_at=sa.func.now(), end_reason="signed out"))
    assert reader.fetch(first, session) == 403
    second, _ = reader.sign_in()
    assert reader.fetch(second, session) == 403
    assert reader.fetch(second) == 200


def test_a_signed_link_to_what_is_no_report_of_ones_own(reader: Reader, populated: Engine) -> None:
    signed_in, session = reader.sign_in()
    with populated.connect() as connection:
        files = tables.files.c
        upload = connection.execute(sa.select(files.storage_key).limit(1)).scalar_one()
        scope = scope_of(connection, reader.id)
        with pytest.raises(UserError):
            require_download(connection, scope, upload)
    reader.key, own = upload, reader.key
    assert open_store().open(own)
    assert reader.fetch(signed_in, session) == 403


def test_the_policy_of_the_database_says_the_same(reader: Reader, services: Services) -> None:
    portal = acting_for(
        engine(role_url(services.database_url, "app", services.settings)), reader.id
    )
    wanted = sa.select(tables.reports.c.id).where(tables.reports.c.id == reader.report)
    with portal.connect() as connection:
        assert connection.execute(wanted).scalars().all() == [reader.report]
    end(reader)
    with portal.connect() as connection:
        assert connection.execute(wanted).scalars().all() == []
        kept = sa.select(tables.report_files).where(
            tables.report_files.c.report_id == reader.report
        )
        assert connection.execute(kept).all() == []


def test_another_persons_report_is_theirs(reader: Reader, populated: Engine) -> None:
    hugo = sa.select(tables.users.c.id).where(tables.users.c.subject == "hugo@london.example")
    with populated.connect() as connection:
        scope = scope_of(connection, connection.execute(hugo).scalar_one())
        with pytest.raises(NotAllowed):
            require_download(connection, scope, reader.key)


def listed(reader: Reader) -> list[int]:
    with reader.engine.connect() as connection:
        return [each.id for each in reports_of(connection, scope_of(connection, reader.id))]
