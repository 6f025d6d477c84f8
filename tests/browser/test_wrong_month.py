"""The file of one month in another: never charged again without a word, in a real browser."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from core.database import tables
from core.engine.samples.activity import make_activity
from core.engine.samples.writing import write_activity
from core.submissions.commands.resets import ask_for_reset, grant_reset
from core.submissions.commands.uploads import remove_file
from core.submissions.months import get_submission
from core.vocabulary.states.submissions import SubmissionState
from deployments.demo import story
from deployments.demo.activity import DemoFile
from tests.browser.conftest import SUBMITTED, SignIn
from tests.small_month import PERSON, PROVIDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from deployments.supervisor import Services

NEXT = dt.date(2018, 3, 1)
"""A month that other tests want open."""


@pytest.fixture
def wrong(populated: Engine, submitted: story.Month, tmp_path: Path) -> Iterator[story.Month]:
    """November's file, uploaded once more to another month, which is open and empty afterwards."""
    activity = make_activity(300, PROVIDER, SUBMITTED, seed=SUBMITTED.month)
    path = tmp_path / "November 2017.csv"
    write_activity(activity, path)
    users = tables.users.c
    with populated.connect() as connection:
        user = connection.execute(sa.select(users.id).where(users.subject == PERSON)).scalar_one()
    month = story.upload(populated, DemoFile(PROVIDER, path, {}, activity), user, month=NEXT)
    story.wait_for_check(populated, month)
    yield month
    with populated.begin() as connection:
        if get_submission(connection, month.submission_id).state == SubmissionState.SUBMITTED:
            why: dict[str, Any] = {"host": "E09000030", "reason": "A test.", "user_id": None}
            reset = ask_for_reset(connection, month.submission_id, **why)
            grant_reset(connection, reset, answer="", user_id=None)
        remove_file(connection, month.file_id, user_id=None)


def test_it_is_final_only_with_a_reason_that_everybody_reads(
    sign_in: SignIn, services: Services, wrong: story.Month
) -> None:
    amira = sign_in(PERSON)
    amira.goto(f"{services.portal_url}/submission?provider={PROVIDER}&month={NEXT:%Y-%m}")
    doubts = amira.locator(".st-key-doubts")
    expect(doubts.get_by_text("lie outside March 2018")).to_be_visible()
    expect(doubts.get_by_text("were charged in November 2017: £")).to_be_visible()
    expect(doubts.get_by_role("link", name="Charges of November 2017")).to_be_visible()
    expect(amira.locator(".st-key-open-warnings")).to_contain_text("not confirmed yet")
    submit = amira.get_by_role("button", name="Submit", exact=True)
    amira.get_by_text("Release the charges of March 2018").click()
    expect(submit).to_be_disabled()
    reason = amira.get_by_role("textbox", name="Why is this month right?")
    reason.fill("A test of the wrong month")
    reason.press("Control+Enter")
    expect(submit).to_be_enabled()
    submit.click()
    expect(amira.get_by_text("March 2018 is submitted.")).to_be_visible()
    expect(amira.get_by_text("A test of the wrong month").first).to_be_visible()

    carys = sign_in("carys@towerhamlets.example")
    carys.goto(f"{services.portal_url}/charges?provider={PROVIDER}&month={NEXT:%Y-%m}")
    expect(carys.get_by_text("A test of the wrong month")).to_be_visible()
    expect(carys.get_by_text("274 visits")).to_have_count(0)  # nor what others were charged
