"""What an operator sees and does on the operations page."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from core.access.scope import EVERYTHING
from core.accounts.organisations import find_organisation
from core.engine.samples.activity import make_activity
from core.engine.samples.writing import write_activity
from core.events.failures import list_failures
from core.events.outbox import raise_event
from core.files.store import open_store
from core.submissions.commands.uploads import Upload, receive_file
from core.submissions.months import open_submission
from core.submissions.queries.file_list import files_of
from core.submissions.queries.following import follow_files
from core.support.polling import last
from core.vocabulary.event_catalogue import RunFailed
from deployments.demo import story
from deployments.demo.activity import DemoFile
from deployments.demo.run import demo_users
from tests.browser.conftest import SignIn
from tests.browser.walking import PATIENCE, come_to_rest, go_to

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from deployments.supervisor import Services

LOST = PAUSED = dt.date(2017, 5, 1)


def test_queues_logs_and_rules(sign_in: SignIn, services: Services, populated: Engine) -> None:
    failed = RunFailed(failed_subject="file/99", failed_title="x", attempts=3, reason="seen here")
    with populated.begin() as connection:
        raise_event(connection, failed)
    page = sign_in("dev@grouper.example")
    go_to(page, "Operations")
    expect(page.get_by_role("heading", name="Queues")).to_be_visible()
    expect(page.get_by_role("link", name="Prefect's own pages")).to_have_attribute(
        "href", services.settings.prefect_url
    )
    for name in ("checks", "submissions", "reports", "spiders", "housekeeping"):
        expect(page.get_by_text(name, exact=True).first).to_be_visible()

    pause = page.locator(".st-key-queue-spiders").get_by_role("button")
    pause.click()
    expect(page.get_by_text("paused", exact=True)).to_be_visible()
    expect(pause).to_have_text("Resume")
    pause.click()
    expect(page.get_by_text("paused", exact=True)).to_have_count(0)

    page.get_by_role("tab", name="Logs").click()
    page.get_by_label("Text").fill("SEEN")
    page.keyboard.press("Enter")
    expect(page.get_by_text("run.failed: x: seen here").first).to_be_visible()

    page.get_by_role("tab", name="Rules").click()
    expect(page.get_by_text("run check-file, in its turn on its queue").first).to_be_visible()


@pytest.mark.slow
def test_what_failed_is_mended_and_tried_again(
    sign_in: SignIn, populated: Engine, tmp_path: Path
) -> None:
    lost = file_that_the_store_lost(populated, tmp_path)
    page = sign_in("dev@grouper.example")
    expect(page.get_by_text("in the error queue")).to_be_visible()
    go_to(page, "Operations")
    page.get_by_role("tab", name="Errors").click()
    come_to_rest(page)
    with populated.connect() as connection:
        [reference] = [
            each.reference
            for each in list_failures(connection, EVERYTHING)
            if each.subject == f"file/{lost.file_id}"
        ]
    expect(page.get_by_text(reference, exact=True)).to_be_visible()
    with lost.path.open("rb") as stream:
        open_store().put(lost.key, stream)
    again = page.locator(f".st-key-retry-{reference}").get_by_role("button")
    again.click()
    expect(again).to_have_count(0, timeout=PATIENCE)
    [file] = last(follow_files(populated, lost.submission_id, [lost.file_id], quiet_seconds=120))
    assert (file.state, file.records) == ("ready", 100)


@pytest.mark.slow
def test_a_paused_queue_keeps_what_comes_until_it_is_resumed(
    sign_in: SignIn, populated: Engine, tmp_path: Path
) -> None:
    page = sign_in("dev@grouper.example")
    go_to(page, "Operations")
    button = page.locator(".st-key-queue-checks").get_by_role("button")
    button.click()
    expect(button).to_have_text("Resume")
    file = demo_file(tmp_path, PAUSED)
    month = story.upload(populated, file, user_of(populated), month=PAUSED)
    run = page.get_by_test_id("stDataFrame")
    expect(run).to_be_visible(timeout=30_000)  # it waits in Prefect
    assert state_of(populated, month) == "received"
    button.click()
    expect(button).to_have_text("Pause")
    assert story.wait_for_check(populated, month).state == "ready"


@dataclass(frozen=True)
class LostFile:
    """A file that was received, and that the store does not have."""

    submission_id: int
    file_id: int
    key: str
    path: Path


def file_that_the_store_lost(engine: Engine, folder: Path) -> LostFile:
    """Its check has failed."""
    file = demo_file(folder, LOST)
    key = "uploads/lost.csv"
    with engine.begin() as connection:
        provider = find_organisation(connection, "provider", "ZX1")
        month = open_submission(connection, provider.id, LOST)
        arrived = Upload(file.path.name, key, file.path.stat().st_size, "")
        number = receive_file(connection, month, arrived, user_id=None)
    [checked] = last(follow_files(engine, month, [number], quiet_seconds=120))
    assert checked.state == "rejected"
    return LostFile(month, number, key, file.path)


def demo_file(folder: Path, month: dt.date) -> DemoFile:
    activity = make_activity(100, "ZX1", month, seed=month.month)
    path = folder / f"{month:%B %Y}.csv"
    write_activity(activity, path)
    return DemoFile("ZX1", path, {}, activity)


def state_of(engine: Engine, month: story.Month) -> str:
    with engine.connect() as connection:
        files = files_of(connection, EVERYTHING, month.submission_id)
    [state] = [str(file.state) for file in files if file.id == month.file_id]
    return state


def user_of(engine: Engine) -> int:
    return demo_users(engine)["ZX1"]


def test_others_have_no_such_page(sign_in: SignIn, services: object) -> None:
    page = sign_in("amira@zx1.example")
    links = page.get_by_test_id("stSidebarNav").get_by_role("link")
    expect(links.filter(has_text="Operations")).to_have_count(0)
    page.goto(f"{services.portal_url}/operations")  # type: ignore[attr-defined]
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    expect(page.get_by_role("heading", name="Queues")).to_have_count(0)
