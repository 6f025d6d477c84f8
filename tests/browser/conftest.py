"""A real browser: Debian's Chromium, kept from every host but this machine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page

from core.submissions.months import get_submission
from core.vocabulary.states.submissions import SubmissionState
from deployments.demo import story
from tests.browser.walking import chromium, sign_in_at
from tests.small_month import run, small_month

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from deployments.supervisor import Services

SignIn = Callable[[str], Page]
SUBMITTED = dt.date(2017, 11, 1)
"""A month that the first provider has submitted, with clinics that Tower Hamlets hosts."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def outside() -> list[str]:
    """Requests that a page made to other hosts; the test fails on any."""
    return []


@pytest.fixture
def sign_in(
    browser: Browser, services: Services, populated: Engine, outside: list[str]
) -> Iterator[SignIn]:
    """Opens the portal in a browser of its own and signs somebody in."""
    contexts = []

    def signed_in(subject: str) -> Page:
        context = browser.new_context(
            viewport={"width": 1280, "height": 720}, accept_downloads=True
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: note_outside(request.url, outside))
        sign_in_at(page, services.portal_url, subject)
        return page

    yield signed_in
    for context in contexts:
        context.close()
    assert outside == []


@pytest.fixture(scope="session")
def _month_of_all(populated: Engine, tmp_path_factory: pytest.TempPathFactory) -> story.Month:
    return small_month(populated, tmp_path_factory.mktemp("files"), SUBMITTED, "final")


@pytest.fixture
def submitted(populated: Engine, _month_of_all: story.Month) -> story.Month:
    """The month ``SUBMITTED``; submitted anew where a test had it opened again."""
    with populated.connect() as connection:
        state = get_submission(connection, _month_of_all.submission_id).state
    if state != SubmissionState.SUBMITTED:
        run(populated, _month_of_all, "final")
    return _month_of_all


def note_outside(url: str, outside: list[str]) -> None:
    if not url.startswith(("http://127.0.0.1:", "data:", "blob:")):
        outside.append(url)
