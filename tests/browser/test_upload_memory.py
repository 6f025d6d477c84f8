"""A file on its way to the store is never whole in the portal's memory."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.upload_memory import MB, MOST_GROWTH, grown_by

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from deployments.supervisor import Services

SIZE = 100 * MB


def test_an_upload_takes_no_memory(services: Services, populated: Engine) -> None:
    pid = services.pid("portal")
    assert pid is not None
    upload = partial(grown_by, services.portal_url, pid, subject="ben@zx2.example")
    with ThreadPoolExecutor(1) as other:  # in this thread, the browser's own loop may be running
        other.submit(lambda: asyncio.run(upload(MB))).result()  # loads what is no part of a file
        grown = other.submit(lambda: asyncio.run(upload(SIZE))).result()
    assert grown < MOST_GROWTH < SIZE / MB
