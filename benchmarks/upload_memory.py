"""The memory of the portal during an upload of 200 MB, and its duration.

``python benchmarks/upload_memory.py [--megabytes 200] [--rounds 3]`` starts the whole service with
the demonstration's data, signs a provider in, takes the ticket from the page Upload, and sends the
file to the portal's own route as a browser does. Prints seconds and what the portal held at most
above what it held before, by the kernel's own count. Exit code 1 over 30 MB.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import httpx2  # noqa: E402 (after the path)

from benchmarks.portal_client import forget_peak, memory_of, peak_of, signed_in  # noqa: E402
from benchmarks.portal_load import the_portal  # noqa: E402

MOST_GROWTH = 30
MB = 1 << 20
PAGE = "month=2018-02"
PICTURE = b"\x89PNG\r\n\x1a\n"
"""The beginning of the file: it is no activity, so that its check is short."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    arguments, _ = parser.parse_known_args()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # the sign-in's own server
    with the_portal(sessions=1) as (url, pid):
        rounds = range(arguments.rounds)
        grown = [asyncio.run(grown_by(url, pid, arguments.megabytes * MB)) for _ in rounds]
    print(f"limit {MOST_GROWTH} MB")
    return int(max(grown) > MOST_GROWTH)


async def grown_by(url: str, pid: int, size: int, subject: str = "person1@load.example") -> float:
    """The peak of the portal's memory during one upload above the memory before, in MB."""
    async with signed_in(url, subject) as session:
        await session.go("upload", PAGE)
        ticket = session.components["activity_uploader"]["ticket"]
        before = memory_of(pid)
        forget_peak(pid)
        started = time.perf_counter()
        await send(url, session.cookies, ticket, size)
        seconds, grown = time.perf_counter() - started, peak_of(pid) - before
    print(
        f"{size / MB:.0f} MB in {seconds:.1f} s: {before:.0f} MB before, at most {grown:.0f} more"
    )
    return grown


async def send(url: str, cookies: dict[str, str], ticket: str, size: int) -> None:
    async with httpx2.AsyncClient(cookies=cookies, timeout=300) as browser:
        answer = await browser.put(
            f"{url}/api/upload?name=activity.xlsx&transpose=0",
            content=content_of(size),
            headers={"X-Grouper-Ticket": ticket, "Content-Length": str(size)},
        )
    if answer.status_code != httpx2.codes.OK or answer.json()["bytes"] != size:
        raise RuntimeError(f"the portal answered {answer.status_code}: {answer.text}")


async def content_of(size: int) -> AsyncIterator[bytes]:
    yield PICTURE
    left, block = size - len(PICTURE), bytes(MB)
    while left > 0:
        yield block[:left]
        left -= len(block)


if __name__ == "__main__":
    sys.exit(main())
