"""The portal under the load of many people: seconds of a page change, and memory.

``python benchmarks/portal_load.py [--sessions 50] [--minutes 10]`` starts the whole service with
the demonstration's data, signs so many people of all roles in, each with a websocket of their own,
and lets each go from page to page with a few seconds in between. Prints the middle, the 95th
percentile and the slowest of a page change, by page too, and the portal's memory each minute.
Exit code 1 where one page failed, the 95th percentile is over two seconds, or memory grew by more
than a tenth after the first third. ``--url`` and ``--pid`` measure a demonstration that runs.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import sqlalchemy as sa  # noqa: E402 (after the path)
from sqlalchemy import Engine  # noqa: E402

from benchmarks.portal_client import PageFailed, memory_of, signed_in  # noqa: E402
from core.accounts.subscriptions import Quote, quote_and_invoice  # noqa: E402
from core.accounts.today import today  # noqa: E402
from core.database import tables  # noqa: E402
from core.database.engine import engine as open_engine  # noqa: E402
from core.settings import Settings  # noqa: E402
from core.support.processes import free_port  # noqa: E402
from core.vocabulary.permissions import Kind  # noqa: E402
from deployments.demo.run import demonstration  # noqa: E402

MOST_SECONDS, MOST_GROWTH = 2.0, 1.10
THINKING = (5.0, 10.0)
COMING = 30.0
"""Seconds between pages, and seconds within which all sign in before measuring begins."""
MONTH = "month=2017-04"
ROLES = (
    (Kind.PROVIDER_PLUS, "ZX1"),
    (Kind.COMMISSIONER, "E09000030"),
    (Kind.PROVIDER_PLUS, "ZX2"),
    (Kind.COMMISSIONER, "E09000012"),
    (Kind.BASIC_PROVIDER, "ZX1"),
    (Kind.COMMISSIONER, "E09000025"),
    (Kind.PROVIDER_PLUS, "ZX1"),
    (Kind.READ_ONLY, "ZX2"),
    (Kind.ADMINISTRATOR, None),
    (Kind.OPERATOR, None),
)
"""The roles of the sessions, in turn."""


@dataclass
class Measurements:
    """The measurements so far."""

    changes: list[tuple[str, float]] = field(default_factory=list)  # page, seconds
    memory: list[float] = field(default_factory=list)  # MB: at the start, and each minute
    failed: list[str] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--url", help="of a demonstration that runs already, with these people")
    parser.add_argument("--pid", type=int, help="of its portal")
    arguments, _ = parser.parse_known_args()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # the sign-in's own server
    if arguments.url:
        return measure(arguments.url, arguments.pid, arguments.sessions, arguments.minutes)
    with the_portal(arguments.sessions) as (url, pid):
        return measure(url, pid, arguments.sessions, arguments.minutes)


@contextmanager
def the_portal(sessions: int) -> Iterator[tuple[str, int]]:
    """The demonstration with so many people, on its own ports; yields its URL and process id."""
    with tempfile.TemporaryDirectory(prefix="grouper-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # the database's own user walks through it
        chosen = Settings(home=folder, prefect_port=free_port(), portal_port=free_port())
        with demonstration(chosen, say=lambda _: None) as services:
            bring_in_people(open_engine(services.database_url), sessions)
            pid = services.pid("portal")
            assert pid is not None
            yield services.portal_url, pid


def bring_in_people(engine: Engine, sessions: int) -> None:
    """A user with a subscription for each session."""
    organisations = tables.organisations.c
    with engine.begin() as connection:
        query = sa.select(organisations.code, organisations.id)
        ids = dict(connection.execute(query).tuples().all())
        for number in range(sessions):
            kind, code = role_of(number)
            user = connection.execute(
                tables.users.insert()
                .values(subject=subject_of(number), name=f"Person {number + 1}")
                .returning(tables.users.c.id)
            ).scalar_one()
            offer = Quote(kind, user, ids[code] if code else None, first_day=today())
            quote_and_invoice(connection, offer, today=today(), user_id=None)


def subject_of(number: int) -> str:
    return f"person{number + 1}@load.example"


def role_of(number: int) -> tuple[Kind, str | None]:
    return ROLES[number % len(ROLES)]


def measure(url: str, pid: int, sessions: int, minutes: float) -> int:
    so_far = asyncio.run(let_them_work(url, pid, sessions, minutes))
    show(so_far, sessions, minutes)
    return int(not holds(so_far))


async def let_them_work(url: str, pid: int, sessions: int, minutes: float) -> Measurements:
    so_far = Measurements()
    print(f"memory with nobody signed in: {memory_of(pid):.0f} MB", flush=True)
    async with asyncio.TaskGroup() as group:
        everybody = [
            group.create_task(one_session(url, number, so_far)) for number in range(sessions)
        ]
        await watch(pid, so_far, minutes)
        for each in everybody:
            each.cancel()
    return so_far


async def one_session(url: str, number: int, so_far: Measurements) -> None:
    """One session: signs in at a random time, then changes pages until the end."""
    chance = random.Random(number)
    await asyncio.sleep(chance.uniform(0, COMING))
    async with signed_in(url, subject_of(number)) as session:
        while True:
            await asyncio.sleep(chance.uniform(*THINKING))
            address = chance.choice(list(session.pages))
            try:
                so_far.changes.append((address, await session.go(address, query_of(number))))
            except (PageFailed, TimeoutError) as failed:
                so_far.failed.append(str(failed) or f"{address} did not come")


def query_of(number: int) -> str:
    _, code = role_of(number)
    return f"provider={code}&{MONTH}" if code and code.startswith("ZX") else ""


async def watch(pid: int, so_far: Measurements, minutes: float) -> None:
    """Records the memory once everybody is signed in, and each minute until the end."""
    await asyncio.sleep(COMING + THINKING[1])
    so_far.changes.clear()
    started = time.monotonic()
    while True:
        so_far.memory.append(memory_of(pid))
        minute = len(so_far.memory) - 1
        print(
            f"  minute {minute:2}: {so_far.memory[-1]:5.0f} MB, {len(so_far.changes):,} changes",
            flush=True,
        )
        left = started + minutes * 60 - time.monotonic()
        if left <= 0:
            return
        await asyncio.sleep(min(60, left))


def show(so_far: Measurements, sessions: int, minutes: float) -> None:
    by_page = defaultdict[str, list[float]](list)
    for address, seconds in so_far.changes:
        by_page[address].append(seconds)
    print(
        f"{sessions} sessions, {minutes:g} minutes, {len(so_far.changes):,} page changes, seconds:"
    )
    for address in sorted(by_page, key=lambda each: -percentile(by_page[each], 95)):
        print(figures(address, by_page[address]))
    print(figures("all", [seconds for _, seconds in so_far.changes]))
    print(f"memory: {so_far.memory[0]:.0f} MB at the start, {so_far.memory[-1]:.0f} MB at the end")
    for text in sorted(set(so_far.failed)):
        print(f"FAILED {so_far.failed.count(text)} times: {text}")


def figures(name: str, seconds: list[float]) -> str:
    return (
        f"  {name:14} {len(seconds):6,} times  p50 {statistics.median(seconds):5.2f}  "
        f"p95 {percentile(seconds, 95):5.2f}  max {max(seconds):5.2f}"
    )


def percentile(values: Sequence[float], share: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


def holds(so_far: Measurements) -> bool:
    settled = so_far.memory[len(so_far.memory) // 3]
    quick = percentile([seconds for _, seconds in so_far.changes], 95) <= MOST_SECONDS
    return quick and not so_far.failed and so_far.memory[-1] <= settled * MOST_GROWTH


if __name__ == "__main__":
    sys.exit(main())
