"""The pages of a visitor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.access.people import Person
from core.submissions.reset_rights import asking_commissioners, may_decide_resets
from core.vocabulary.permissions import Action
from portal.links import remember_pages
from portal.views import (
    accounts,
    areas,
    audit,
    charges,
    clinics,
    configurations,
    home,
    hosted,
    kpis,
    migration,
    notifications,
    operations,
    pathways,
    reports,
    resets,
    submission,
    subscription,
    upload,
    welcome,
)
from portal.views import (
    help as help_view,
)

ADDRESSES = (
    "upload",
    "submission",
    "charges",
    "clinics",
    "hosted",
    "reports",
    "kpis",
    "configurations",
    "pathways",
    "notifications",
    "areas",
    "subscription",
    "resets",
    "accounts",
    "audit",
    "operations",
    "migration",
    "help",
)


def pages_of(person: Person) -> list[Any]:
    """The pages that the person may see."""
    pages = {
        address: _page(address, title, show, person)
        for address, (title, show) in contents_for(person).items()
    }
    remember_pages(pages)
    return list(pages.values())


def contents_for(person: Person) -> dict[str, tuple[str, Callable[[Person], None]]]:
    """Address, title and content of each page that the person has."""
    shown: dict[str, tuple[str, Callable[[Person], None]]] = {"home": ("Home", home.show)}
    if person.may(Action.UPLOAD) or person.may(Action.CORRECT):
        shown["upload"] = ("Upload", upload.show)
    if person.provider_ids:
        shown["submission"] = ("Submission", submission.show)
    if person.may(Action.SEE_CHARGES):
        shown["charges"] = ("Charges", charges.show)
    if person.may(Action.MANAGE_ACCOUNTS) or person.is_of_an_organisation:
        shown["clinics"] = ("Clinics", clinics.show)
    if asking_commissioners(person):
        shown["hosted"] = ("Hosted months", hosted.show)
    if person.may(Action.SEE_CHARGES) or person.may(Action.SEE_BACKING_DATA):
        shown["reports"] = ("Reports", reports.show)
    if person.may(Action.SEE_KPIS) or person.may(Action.EDIT_CONFIGURATION):
        shown["kpis"] = ("Indicators", kpis.show)
    shown["configurations"] = ("Configurations", configurations.show)
    shown |= _of_the_old_service()
    shown["notifications"] = (notifications.title(person), notifications.show)
    shown["areas"] = ("Areas", areas.show)
    shown["subscription"] = ("My subscription", subscription.show)
    if may_decide_resets(person):
        shown["resets"] = ("Resets", resets.show)
    shown |= _of_the_service(person)
    shown["help"] = ("Help", help_view.show)
    return shown


def _of_the_old_service() -> dict[str, tuple[str, Callable[[Person], None]]]:
    """The pages of data that only the old service has, where it was taken over."""
    return {"pathways": ("Pathways", pathways.show)} if pathways.has_pathways() else {}


def _of_the_service(person: Person) -> dict[str, tuple[str, Callable[[Person], None]]]:
    shown: dict[str, tuple[str, Callable[[Person], None]]] = {}
    if person.may(Action.MANAGE_ACCOUNTS):
        shown["accounts"] = ("Accounts", accounts.show)
        shown["audit"] = ("Audit", audit.show)
    if person.runs_the_service:
        shown["operations"] = ("Operations", operations.show)
        shown["migration"] = ("Migration", migration.show)
    return shown


def sign_in_pages() -> list[Any]:
    """The welcome page at every address, for a visitor who is not signed in."""
    first = st.Page(welcome.show, title="Grouper", url_path="home", default=True)
    return [first, *(_welcome_at(address) for address in ADDRESSES)]


def _welcome_at(address: str) -> Any:
    return st.Page(welcome.show, title="Grouper", url_path=address)


def _page(address: str, title: str, show: Callable[[Person], None], person: Person) -> Any:
    return st.Page(lambda: show(person), title=title, url_path=address, default=address == "home")
