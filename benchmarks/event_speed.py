"""The latency from an event to its effect: the page, the run in Prefect, the start of its flow.

``python benchmarks/event_speed.py [--rounds 8]`` starts the whole service on a folder of its own
and presses "Run as draft" in a real browser, again and again. It prints seconds from the event,
and sets no limit: half of it is the start of an interpreter.
"""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import secrets
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import sqlalchemy as sa  # noqa: E402
from playwright.sync_api import Page, sync_playwright  # noqa: E402
from pydantic import SecretStr  # noqa: E402
from sqlalchemy import Engine  # noqa: E402

from core.database import tables  # noqa: E402
from core.database.engine import engine as open_engine  # noqa: E402
from core.engine.samples.activity import make_activity  # noqa: E402
from core.engine.samples.writing import write_activity  # noqa: E402
from core.settings import Settings, use_settings  # noqa: E402
from core.support.processes import free_port  # noqa: E402
from deployments.demo import story  # noqa: E402
from deployments.demo.activity import MONTH, DemoFile  # noqa: E402
from deployments.demo.cast import PEOPLE  # noqa: E402
from deployments.demo.openid_provider import openid_provider  # noqa: E402
from deployments.demo.run import import_demo_data  # noqa: E402
from deployments.prefect_login import prefect_client  # noqa: E402
from deployments.supervisor import Services  # noqa: E402

PERSON = "amira@zx1.example"
ROWS = 500
QUEUED = "is being calculated"
LONG = 60_000  # milliseconds

Seconds = dict[str, float]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    arguments = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # the sign-in's own server
    with (
        tempfile.TemporaryDirectory(prefix="grouper-bench-") as name,
        openid_provider(PEOPLE) as metadata_url,
    ):
        folder = Path(name)
        folder.chmod(0o711)  # the database's own user walks through it
        settings = Settings(
            home=folder / "home",
            prefect_port=free_port(),
            portal_port=free_port(),
            oidc_metadata_url=metadata_url,
            oidc_client_id="portal",
            oidc_client_secret=SecretStr(secrets.token_urlsafe()),
        )
        use_settings(settings)
        with Services(settings) as services, signed_in(services) as page:
            show(measure(services, page, folder, arguments.rounds))
    return 0


@contextmanager
def signed_in(services: Services) -> Iterator[Page]:
    """The portal in a browser, with a provider's analyst signed in."""
    import_demo_data(open_engine(services.database_url))
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(LONG)
        page.goto(services.portal_url)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name=PERSON).click()
        page.get_by_role("heading", name="Home").wait_for()
        yield page
        browser.close()


def measure(services: Services, page: Page, folder: Path, rounds: int) -> list[Seconds]:
    engine = open_engine(services.database_url)
    month = ready_month(engine, folder)
    rounds_measured = []
    for _ in range(rounds):
        page.goto(f"{services.portal_url}/submission?provider=ZX1&month={MONTH:%Y-%m}")
        button = page.get_by_role("button", name="Run as draft")
        button.wait_for()
        pressed = time.time()
        button.click()
        page.get_by_text(QUEUED).wait_for()
        shown = time.time()
        story.wait_for_run(engine, month, lambda _: None)
        rounds_measured.append(
            {"press to page": shown - pressed, **since_event(services, engine, shown)}
        )
    return rounds_measured


def ready_month(engine: Engine, folder: Path) -> story.Month:
    path = folder / "month.csv"
    activity = make_activity(ROWS, "ZX1", MONTH, seed=1)
    write_activity(activity, path)
    users = tables.users
    with engine.connect() as connection:
        query = sa.select(users.c.id).where(users.c.subject == PERSON)
        user = connection.execute(query).scalar_one()
    month = story.upload(engine, DemoFile("ZX1", path, {}, activity), user)
    story.wait_for_check(engine, month)
    return month


def since_event(services: Services, engine: Engine, shown: float) -> Seconds:
    """Seconds from the newest request to its effects, by the clocks of database and Prefect."""
    events, deliveries = tables.events, tables.event_deliveries
    query = (
        sa.select(events.c.raised_at, deliveries.c.result["flow_run"].astext.label("flow_run"))
        .join(deliveries, deliveries.c.event_id == events.c.event_id)
        .where(events.c.name == "submission.requested", deliveries.c.rule == "calculate-submission")
        .order_by(events.c.id.desc())
        .limit(1)
    )
    with engine.connect() as connection:
        row = connection.execute(query).one()
    with prefect_client(services.settings) as http:
        answer = http.get(f"/flow_runs/{row.flow_run}")
    run: dict[str, Any] = answer.raise_for_status().json()
    moments = {
        "event to page": dt.datetime.fromtimestamp(shown, dt.UTC),
        "event to created run": dt.datetime.fromisoformat(run["created"]),
        "event to started flow": dt.datetime.fromisoformat(run["start_time"]),
    }
    return {name: (at - row.raised_at).total_seconds() for name, at in moments.items()}


def show(rounds: list[Seconds]) -> None:
    by_name = defaultdict[str, list[float]](list)
    for round_measured in rounds:
        for name, seconds in round_measured.items():
            by_name[name].append(seconds)
    print(f"{len(rounds)} drafts, seconds:")
    for name, values in by_name.items():
        middle = statistics.median(values)
        print(
            f"  {name:22} median {middle:5.2f}  least {min(values):5.2f}  most {max(values):5.2f}"
        )


if __name__ == "__main__":
    sys.exit(main())
