"""Each page for each kind of subscription: with months in every state, and with nothing at all.

What is expected is written here by hand. Which action each kind has in which organisation is tested
on the same pages, exhaustively, in test_permissions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.access.people import Person, person_of
from core.database.acting import acting_for
from tests.service.permissions.permission_pages import page_at, pages_on, shown, texts
from tests.service.permissions.permission_scene import (
    ASKED,
    FAILED,
    FINAL,
    IN_ERROR,
    READY,
    VARIANTS,
    Stage,
    Variant,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from sqlalchemy import Engine
    from streamlit.testing.v1 import AppTest

    from tests.service.month import Service

TITLES = {
    "home": "Home",
    "upload": "Upload",
    "submission": "Submission",
    "charges": "Charges",
    "clinics": "Clinics",
    "hosted": "Hosted months",
    "reports": "Reports",
    "kpis": "Indicators",
    "configurations": "Configurations",
    "notifications": "Notifications",
    "areas": "Areas",
    "subscription": "My subscription",
    "resets": "Resets",
    "accounts": "Accounts",
    "audit": "Audit",
    "operations": "Operations",
    "migration": "Migration",
    "pathways": "Pathways",
    "help": "Help",
}
OF_EVERYBODY = {"home", "configurations", "notifications", "areas", "subscription", "help"}
OF_SOME = {
    "upload", "submission", "charges", "hosted", "reports", "kpis",
    "resets", "accounts", "audit", "operations", "migration",
}  # fmt: skip
PAGES = {
    ("Basic Provider", "provider"): "upload submission charges reports",
    ("Provider+", "provider"): "upload submission charges reports kpis",
    ("read-only", "provider"): "submission charges reports kpis",
    ("Commissioner", "commissioner"): "charges hosted reports kpis",
    ("Cluster Manager", "commissioner"): "charges hosted reports kpis",
    ("read-only", "commissioner"): "charges reports kpis",
    ("administrator", None): "kpis resets accounts audit operations migration",
    ("operator", None): "operations migration",
}
OF_ONESELF = {"Keep these choices", "Keep this address"}
"""Buttons that everybody has, for what they are told of."""
LIKE_ANOTHER = {
    Variant("Basic Provider", "provider"),
    Variant("Cluster Manager", "commissioner"),
    Variant("read-only", "commissioner"),
}
"""Kinds whose pages are those of another one with less on them."""
BUTTONS = {
    ("Basic Provider", "provider"): (
        "Remove; Keep, and check again; See what will change; Confirm; Submit; Make the report"
    ),
    ("Provider+", "provider"): (
        "Remove; Keep, and check again; See what will change; Confirm; Submit; "
        "Run as draft; Make the report"
    ),
    ("read-only", "provider"): "Make the report",
    ("Commissioner", "commissioner"): "Ask; Make the report; Keep as a draft",
    ("Cluster Manager", "commissioner"): "Ask; Make the report; Keep as a draft",
    ("read-only", "commissioner"): "Make the report",
    ("administrator", None): (
        "Keep as a draft; Open the month again; Refuse; Quote; Add; Try again; Set aside; Crawl now"
    ),
    ("operator", None): "Try again; Set aside; Crawl now",
}
TABS = {"accounts": ("Invoices", "Users", "Organisations", "Clinics")}
"""Tabs of a page that are made only when they are opened."""
MONTHS: dict[str, tuple[dt.date, ...]] = {
    "upload": (READY, IN_ERROR, FINAL),
    "submission": (FINAL, ASKED, READY, IN_ERROR, FAILED),
}
"""The months that a page is looked at with; others with the submitted one."""


def person(engine: Engine, user: int) -> Person:
    with acting_for(engine, user).connect() as connection:
        return person_of(connection, user)


def looked_at(who: Person) -> Iterator[tuple[str, AppTest]]:
    """Every page that the person has, with each month that it is worth to look at."""
    for address in shown(who):
        for month in MONTHS.get(address, (FINAL,)):
            page = page_at(who, address, "ZX1", month)
            yield address, page
            for tab in TABS.get(address, ()):
                page.session_state[f"{address}-tab"] = tab
                yield address, page.run()


@pytest.mark.parametrize(
    "variant",
    [
        pytest.param(
            variant,
            id=f"{variant.kind} {variant.side or ''}".strip(),
            marks=[pytest.mark.slow] if variant in LIKE_ANOTHER else [],
        )
        for variant in VARIANTS
    ],
)
def test_every_page_of_a_kind(stage: Stage, variant: Variant) -> None:
    buttons: set[str] = set()
    seen = set()
    with pages_on(stage.portal):
        for address, page in looked_at(
            person(stage.portal, stage.scene.people[variant, "in force"])
        ):
            assert not page.exception, page.exception
            assert [each.value for each in page.title] == [TITLES[address]]
            seen.add(address)
            buttons |= {each.label for each in page.button}
    of_kind = (variant.kind, variant.side)
    assert seen >= OF_EVERYBODY
    assert seen & OF_SOME == set(PAGES[of_kind].split())
    assert buttons - OF_ONESELF == set(BUTTONS[of_kind].split("; "))


@pytest.mark.parametrize("time", ["not yet", "ended"])
def test_without_a_subscription_in_force_there_is_nothing_to_do(stage: Stage, time: str) -> None:
    for variant in (VARIANTS[1], VARIANTS[2], VARIANTS[6]):
        with pages_on(stage.portal):
            who = person(stage.portal, stage.scene.people[variant, time])
            assert not set(shown(who)) & OF_SOME, variant
            assert "You have no role in an organisation yet" in texts(
                page_at(who, "home", "ZX1", FINAL)
            )


EMPTY = {
    ("ZX1", "home"): "What needs you now",
    ("ZX1", "upload"): "Choose the files of the month above",
    ("ZX1", "submission"): "There is no file yet",
    ("ZX1", "charges"): "no month has been run",
    ("ZX1", "reports"): "run a month as a draft or submit it first",
    ("ZX1", "kpis"): "Figures appear a moment after a month was run",
    ("E09000030", "home"): "No provider has submitted charges yet",
    ("E09000030", "charges"): "no month has been run, or submitted to you",
    ("E09000030", "hosted"): "No provider has submitted a month with charges of your clinics yet",
    ("E09000030", "reports"): "No provider has submitted charges to you yet",
    ("E09000030", "kpis"): "no provider has submitted charges to you",
    ("erin", "home"): "Nothing. You are up to date.",
    ("erin", "resets"): "Nobody asks for a month.",
    ("erin", "accounts"): "Erin Lloyd: administrator",
    ("erin", "kpis"): "Figures are for providers and commissioners",
    ("dev", "home"): "Nothing. You are up to date.",
    ("dev", "operations"): "Nothing waits here",
    ("dev", "migration"): "nothing is taken over",
}
EMPTY_FOR_ALL = {"notifications": "Nothing yet. What concerns you appears here."}


@pytest.mark.parametrize("who", ["ZX1", "E09000030", "erin", "dev"])
def test_empty_pages_say_what_to_do(service: Service, portal_engine: Engine, who: str) -> None:
    expected = EMPTY_FOR_ALL | {page: text for (of, page), text in EMPTY.items() if of == who}
    user = service.users.get(who) or service.person(f"{who}@grouper.example")
    with pages_on(portal_engine):
        someone = person(portal_engine, user)
        for address in shown(someone):
            page = page_at(someone, address, "ZX1", FINAL)
            assert page.title, address
            assert expected.get(address, "") in texts(page), address
