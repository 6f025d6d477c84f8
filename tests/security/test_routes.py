"""Every route of the portal, over HTTP, for every kind of person: in their own organisation, in
another, with nothing in force any more, and signed out."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx2
import pytest
import sqlalchemy as sa
from itsdangerous import URLSafeTimedSerializer

from core.access.sessions import begin_session
from core.accounts.organisations import find_organisation
from core.accounts.subscriptions import Quote, invoice, quote
from core.accounts.today import today
from core.database import tables
from core.files.links import make_link
from core.vocabulary.permissions import Kind
from portal.session_cookies import KEY
from portal.uploads import TICKET_HEADER
from tests.security.test_report_rights import cookies
from tests.service.permissions.permission_scene import VARIANTS, Variant
from tests.service.portal.test_pages_by_role import LIKE_ANOTHER
from tests.small_month import run, small_month

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from deployments.supervisor import Services

MONTH = dt.date(2018, 3, 1)
"""Submitted by no other test that leaves it so."""
OWN = {"provider": "ZX1", "commissioner": "E09000030", None: None}
OTHER = {"provider": "ZX2", "commissioner": "E09000012", None: None}

DAY = dt.timedelta(days=1)


class Place:
    """A submitted month of one provider, and what a stranger could name of it."""

    def __init__(self, engine: Engine, submission: int) -> None:
        files, invoices = tables.files.c, tables.invoices.c
        with engine.connect() as connection:
            file = sa.select(files.id, files.storage_key).where(files.submission_id == submission)
            newest = file.order_by(files.id.desc()).limit(1)
            self.file, self.key = connection.execute(newest).one()
            self.invoice = connection.execute(sa.select(invoices.number).limit(1)).scalar_one()
        self.submission = submission


class Visitor:
    """Somebody of a kind, who signed in."""

    def __init__(
        self,
        services: Services,
        engine: Engine,
        variant: Variant,
        whose: dict[str | None, str | None],
    ) -> None:
        self.services = services
        subject = f"visitor-{uuid4().hex[:8]}@example"
        with engine.begin() as connection:
            users = tables.users
            person = users.insert().values(subject=subject, name="Visitor").returning(users.c.id)
            self.id = connection.execute(person).scalar_one()
            self.version = connection.execute(sa.select(sa.func.min(tables.datasets.c.id))).scalar()
            self.bill = _subscribe(connection, self.id, variant, whose[variant.side])
            key = begin_session(connection, subject, address=None, agent=None)
            sessions = tables.sessions.c
            own = sa.select(sessions.id).where(sessions.user_id == self.id)
            self.session = str(connection.execute(own).scalar_one())
        self.cookies = cookies(services, {"sub": subject, KEY: key})

    def get(self, path: str) -> int:
        url = f"{self.services.portal_url}{path}"
        return httpx2.get(url, cookies=self.cookies).status_code

    def ask_for(self, place: Place) -> dict[str, int | str]:
        """The status of each route's answer."""
        link = make_link(place.key, "a.csv", self.id, session=self.session)
        return {
            "errors": self.get(f"/errors/{place.file}/csv"),
            "error workbook": self.get(f"/errors/{place.file}/xlsx"),
            "marked copy": self.get(f"/errors/{place.file}/marked"),
            "upload": self.put(place.submission),
            "stored file by a signed link": self.get(f"/download/{link}"),
            "own bill": self.get(f"/invoice/INV-{self.bill:05d}"),
            "another's bill": self.get(f"/invoice/INV-{place.invoice:05d}"),
            "all bills": self.get("/invoices.csv"),
            "template": self.get(f"/template/{self.version}/csv"),
            "template of a layout that is not there": self.get(
                f"/template/{self.version}/csv?layout=none"
            ),
        }

    def put(self, submission: int) -> int | str:
        signer = URLSafeTimedSerializer(self.services.settings.signing_key(), salt="upload-ticket")
        ticket = signer.dumps({"user": self.id, "submission": submission})
        url = f"{self.services.portal_url}/api/upload?name=a.csv"
        headers = {TICKET_HEADER: ticket, "Origin": self.services.portal_url}
        sent = httpx2.put(url, cookies=self.cookies, headers=headers, content=b"a,b\n1,2\n")
        if sent.status_code == 403:
            return 403
        return "locked" if "is submitted" in sent.json()["error"] else "no such month"


def _subscribe(connection: Connection, user: int, variant: Variant, code: str | None) -> int:
    organisation = find_organisation(connection, variant.side, code).id if code else None
    wanted = Quote(Kind(variant.kind), user, organisation, first_day=today())
    number = quote(connection, wanted, today=today(), user_id=None)
    bill = invoice(connection, number, on=today(), user_id=None)
    invoices = tables.invoices.c
    reference = sa.select(invoices.number).where(invoices.id == bill)
    return int(connection.execute(reference).scalar_one())


@pytest.fixture(scope="module")
def place(populated: Engine, tmp_path_factory: pytest.TempPathFactory) -> Place:
    month = small_month(populated, tmp_path_factory.mktemp("files"), MONTH, "draft", rows=50)
    run(populated, month, "final")
    return Place(populated, month.submission_id)


REFUSED = {
    "errors": 404, "error workbook": 404, "marked copy": 404, "upload": "no such month",
    "stored file by a signed link": 403, "own bill": 200, "another's bill": 404, "all bills": 403,
    "template": 200, "template of a layout that is not there": 404,
}  # fmt: skip
"""What everybody gets who may nothing here: the answer does not say that the month is there."""
READS = {"errors": 200, "error workbook": 200, "marked copy": 200}
ALLOWED: dict[Variant, dict[str, int | str]] = {
    Variant("Basic Provider", "provider"): {**READS, "upload": "locked"},
    Variant("Provider+", "provider"): {**READS, "upload": "locked"},
    Variant("read-only", "provider"): {"upload": 403},
    Variant("administrator", None): {"another's bill": 200, "all bills": 200},
}
"""What a kind gets besides, in its own organisation. No patient is for read-only's eyes."""


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_in_ones_own_organisation(
    services: Services, populated: Engine, place: Place, variant: Variant
) -> None:
    visitor = Visitor(services, populated, variant, OWN)
    assert visitor.ask_for(place) == REFUSED | ALLOWED.get(variant, {})


@pytest.mark.parametrize(
    "variant",
    [
        pytest.param(variant, marks=[pytest.mark.slow] if variant in LIKE_ANOTHER else [])
        for variant in VARIANTS
        if variant.side
    ],
    ids=str,
)
def test_in_another_organisation(
    services: Services, populated: Engine, place: Place, variant: Variant
) -> None:
    assert Visitor(services, populated, variant, OTHER).ask_for(place) == REFUSED


def test_with_nothing_in_force_any_more(
    services: Services, populated: Engine, place: Place
) -> None:
    visitor = Visitor(services, populated, Variant("Provider+", "provider"), OWN)
    assert visitor.ask_for(place)["errors"] == 200
    with populated.begin() as connection:
        periods = tables.subscription_periods
        over = {"first_day": today() - 9 * DAY, "last_day": today() - DAY}
        connection.execute(periods.update().where(periods.c.user_id == visitor.id).values(over))
    assert visitor.ask_for(place) == REFUSED


def test_signed_out(services: Services, populated: Engine, place: Place) -> None:
    visitor = Visitor(services, populated, Variant("Provider+", "provider"), OWN)
    visitor.cookies = {}
    assert set(visitor.ask_for(place).values()) == {403}
