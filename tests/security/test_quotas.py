"""Cost is bounded: what waits, what is under way, what comes a minute, what a check takes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from core.access.sessions import note_refusal
from core.database import tables
from core.settings import Settings, use_settings
from core.settings import _in_use as in_use
from core.submissions.commands.quotas import require_room
from core.support.bounded import TookTooLong, bounded
from core.user_errors import UserError
from portal.rate_limits import MOST_KEYS, RateLimit
from tests.service.month import visit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.service.month import Service


@pytest.fixture(autouse=True)
def _as_ever() -> Iterator[None]:
    before = list(in_use)
    yield
    use_settings(before[0] if before else None)


def test_so_many_files_of_a_provider_wait(service: Service) -> None:
    own, other = service.month(), service.month("ZX2")
    use_settings(Settings(waiting_files=3))
    for number in range(3):
        service.upload(own, visit(number, "T4"), name=f"{number}.csv")
    with pytest.raises(UserError, match="wait to be checked"):
        service.upload(own, visit(9, "T4"), name="one more.csv")
    service.upload(other, visit(1, "T4", clinic="ZX2-A"))  # the others go on
    count = sa.select(sa.func.count()).select_from(tables.files)
    assert service.one(count) == 4


def test_so_many_bytes_wait_and_a_file_has_so_many(service: Service) -> None:
    own = service.month()
    use_settings(Settings(waiting_bytes=1000, upload_bytes=600))
    with service.engine.connect() as connection:
        require_room(connection, own, 600)
        with pytest.raises(UserError, match="upload it in parts"):
            require_room(connection, own, 601)
    service.upload(own, *(visit(n, "T4") for n in range(10)))
    with service.engine.connect() as connection, pytest.raises(UserError, match="wait"):
        require_room(connection, own, 600)


def test_refusals_are_audited_once_a_minute(service: Service) -> None:
    audit = tables.audit
    with service.engine.begin() as connection:
        for _ in range(50):
            note_refusal(
                connection, "stored:x", "link altered", user_id=service.amira, agent="a",
                cookie="1 stored:x",
            )  # fmt: skip
    count = sa.select(sa.func.count()).where(audit.c.action == "refused")
    assert service.one(count) in (1, 2)  # a minute may have begun between


def test_a_rate_is_of_each_and_forgets_the_oldest() -> None:
    limit = RateLimit()
    assert [limit.allows("a", 2) for _ in range(4)] == [True, True, False, False]
    assert limit.allows("b", 2)
    for number in range(2 * MOST_KEYS):
        limit.allows(str(number), 1)
    assert len(limit._times) <= MOST_KEYS


def test_a_check_that_takes_too_much_memory_fails_alone() -> None:
    with pytest.raises(MemoryError), bounded(1 << 30, 60):
        bytearray(4 << 30)
    assert len(bytearray(1 << 20)) == 1 << 20


def test_a_check_that_takes_too_long_is_broken_off() -> None:
    began = time.monotonic()
    with pytest.raises(TookTooLong), bounded(8 << 30, 0.2):
        while time.monotonic() - began < 30:
            pass
    assert time.monotonic() - began < 10


STUCK = {
    "lets others run": "import time; time.sleep(60)",
    "lets nobody run": "import re; re.match('(a+)+b', 'a' * 60)",
}


@pytest.mark.parametrize("call", STUCK.values(), ids=STUCK)
def test_a_check_inside_a_call_that_never_returns_ends_with_its_process(call: str) -> None:
    program = f"""
from core.support.bounded import bounded
with bounded(8 << 30, 0.2, grace=0.5):
    {call}
"""
    ended = subprocess.run([sys.executable, "-c", program], timeout=50, check=False)
    assert -ended.returncode in (signal.SIGKILL, signal.SIGXCPU)
