"""A subject's lock goes with the process that holds it."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from sqlalchemy import Engine

from core.database.locks import BusyError, guarded_by_lock, is_locked, subject_lock

HOLD = (
    "import sys, time\nfrom core.database.locks import subject_lock\n"
    "with subject_lock(sys.argv[1], 'file', 12):\n"
    "    print('held', flush=True); time.sleep(600)"
)


def locked(database: Engine, kind: str, number: int) -> bool:
    with database.connect() as connection:
        return is_locked(connection, kind, number)


def test_a_lock_is_seen_by_others_while_it_is_held(database: Engine, database_url: str) -> None:
    with subject_lock(database_url, "file", 12):
        assert locked(database, "file", 12)
        assert not locked(database, "file", 13)
        assert not locked(database, "report", 12)
    assert not locked(database, "file", 12)


def test_only_one_holds_it(database_url: str) -> None:
    with (
        subject_lock(database_url, "file", 12),
        pytest.raises(BusyError, match="file 12 is being worked on"),
        subject_lock(database_url, "file", 12),
    ):
        pytest.fail("two hold the same lock")


def test_the_lock_of_a_killed_process_is_free(database: Engine, database_url: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, database_url], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert locked(database, "file", 12)
        holder.kill()
    deadline = time.monotonic() + 10
    while locked(database, "file", 12):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_holder_learns_that_its_lock_is_gone(database: Engine, database_url: str) -> None:
    with subject_lock(database_url, "file", 12) as held:
        held.check()
        with database.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'grouper file/12'"
            )
        with pytest.raises(BusyError, match="lost"):
            held.check()


def test_who_lost_the_lock_begins_no_transaction(database: Engine, database_url: str) -> None:
    with (
        subject_lock(database_url, "file", 12) as held,
        guarded_by_lock(database, held),
    ):
        with database.begin():
            pass
        held._connection.close()
        with pytest.raises(BusyError, match="lost"), database.begin():
            pytest.fail("this could work against whoever has the lock now")
    with database.begin():
        pass
