"""How the portal serves many people at once: seconds of a page change, and its memory.

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
"""Whose sessions they are, in turn."""


@dataclass
class Seen:
    """What was measured so far."""

    changes: list[tuple[str, float]] = field(default_factory=list)  # page, seconds
    memory: list[float] = field(default_factory=list)  # MB: at the start, and each minute
    failed: list[str] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--url", help="of a demonstration that runs already, with these people")
    parser.add_argument("--pid", type=int, help="of its portal")
    asked, _ = parser.parse_known_args()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # the sign-in's own server
    if asked.url:
        return measure(asked.url, asked.pid, asked.sessions, asked.minutes)
    with the_portal(asked.sessions) as (url, pid):
        return measure(url, pid, asked.sessions, asked.minutes)


@contextmanager
def the_portal(sessions: int) -> Iterator[tuple[str, int]]:
    """The demonstration with so many people, on ports of its own; its URL and process."""
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
        known = sa.select(organisations.code, organisations.id)
        ids = dict(connection.execute(known).tuples().all())
        for number in range(sessions):
            kind, code = role_of(number)
            user = connection.execute(
                tables.users.insert()
                .values(subject=subject_of(number), name=f"Person {number + 1}")
                .returning(tables.users.c.id)
            ).scalar_one()
            wanted = Quote(kind, user, ids[code] if code else None, first_day=today())
            quote_and_invoice(connection, wanted, today=today(), user_id=None)


def subject_of(number: int) -> str:
    return f"person{number + 1}@load.example"


def role_of(number: int) -> tuple[Kind, str | None]:
    return ROLES[number % len(ROLES)]


def measure(url: str, pid: int, sessions: int, minutes: float) -> int:
    seen = asyncio.run(let_them_work(url, pid, sessions, minutes))
    show(seen, sessions, minutes)
    return int(not holds(seen))


async def let_them_work(url: str, pid: int, sessions: int, minutes: float) -> Seen:
    seen = Seen()
    print(f"memory with nobody signed in: {memory_of(pid):.0f} MB", flush=True)
    async with asyncio.TaskGroup() as group:
        everybody = [group.create_task(one(url, number, seen)) for number in range(sessions)]
        await watch(pid, seen, minutes)
        for each in everybody:
            each.cancel()
    return seen


async def one(url: str, number: int, seen: Seen) -> None:
    """One session: signs in at a time of its own, then goes from page to page until the end."""
    chance = random.Random(number)
    await asyncio.sleep(chance.uniform(0, COMING))
    async with signed_in(url, subject_of(number)) as session:
        while True:
            await asyncio.sleep(chance.uniform(*THINKING))
            address = chance.choice(list(session.pages))
            try:
                seen.changes.append((address, await session.go(address, query_of(number))))
            except (PageFailed, TimeoutError) as failed:
                seen.failed.append(str(failed) or f"{address} did not come")


def query_of(number: int) -> str:
    _, code = role_of(number)
    return f"provider={code}&{MONTH}" if code and code.startswith("ZX") else ""


async def watch(pid: int, seen: Seen, minutes: float) -> None:
    """Notes the memory once everybody is there, and each minute until the end."""
    await asyncio.sleep(COMING + THINKING[1])
    seen.changes.clear()
    started = time.monotonic()
    while True:
        seen.memory.append(memory_of(pid))
        minute = len(seen.memory) - 1
        print(
            f"  minute {minute:2}: {seen.memory[-1]:5.0f} MB, {len(seen.changes):,} changes",
            flush=True,
        )
        left = started + minutes * 60 - time.monotonic()
        if left <= 0:
            return
        await asyncio.sleep(min(60, left))


def show(seen: Seen, sessions: int, minutes: float) -> None:
    by_page = defaultdict[str, list[float]](list)
    for address, seconds in seen.changes:
        by_page[address].append(seconds)
    print(f"{sessions} sessions, {minutes:g} minutes, {len(seen.changes):,} page changes, seconds:")
    for address in sorted(by_page, key=lambda each: -percentile(by_page[each], 95)):
        print(figures(address, by_page[address]))
    print(figures("all", [seconds for _, seconds in seen.changes]))
    print(f"memory: {seen.memory[0]:.0f} MB at the start, {seen.memory[-1]:.0f} MB at the end")
    for text in sorted(set(seen.failed)):
        print(f"FAILED {seen.failed.count(text)} times: {text}")


def figures(name: str, seconds: list[float]) -> str:
    return (
        f"  {name:14} {len(seconds):6,} times  p50 {statistics.median(seconds):5.2f}  "
        f"p95 {percentile(seconds, 95):5.2f}  max {max(seconds):5.2f}"
    )


def percentile(values: Sequence[float], share: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


def holds(seen: Seen) -> bool:
    settled = seen.memory[len(seen.memory) // 3]
    quick = percentile([seconds for _, seconds in seen.changes], 95) <= MOST_SECONDS
    return quick and not seen.failed and seen.memory[-1] <= settled * MOST_GROWTH


if __name__ == "__main__":
    sys.exit(main())
