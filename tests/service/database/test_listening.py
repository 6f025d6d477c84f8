"""Whoever waits for others' commits acts at once, when told, in time, and after an absence."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue

import psycopg
import pytest

from core.database.listening import act_on_notifications

CHANNEL, NAME = "grouper_test_channel", "test ear"
LONG = 30.0  # seconds; nothing here takes so long unless it never comes


class Stop(Exception):
    """Ends the waiting."""


@contextmanager
def acting(url: str, seconds: float) -> Iterator[Queue[bool]]:
    """What each act was told, while a thread acts; ``seconds`` is how long it waits in between."""
    acts: Queue[bool] = Queue()
    stopping = threading.Event()

    def act(told: bool) -> float:
        if stopping.is_set():
            raise Stop
        acts.put(told)
        return seconds

    def run() -> None:
        with pytest.raises(Stop):
            act_on_notifications(url, CHANNEL, act, name=NAME, seconds_away=lambda: 0.05)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield acts
    finally:
        stopping.set()
        tell(url)
        thread.join(LONG)
        assert not thread.is_alive()


def tell(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"NOTIFY {CHANNEL}")


def test_it_acts_at_once_and_when_told(database_url: str) -> None:
    with acting(database_url, LONG) as acts:
        assert acts.get(timeout=LONG) is False
        started = time.monotonic()
        tell(database_url)
        assert acts.get(timeout=LONG) is True
        assert time.monotonic() - started < LONG / 2


def test_it_acts_when_its_time_has_come(database_url: str) -> None:
    with acting(database_url, 0.05) as acts:
        assert [acts.get(timeout=LONG) for _ in range(3)] == [False, False, False]


def test_it_comes_back_after_it_was_cut_off(database_url: str) -> None:
    with acting(database_url, LONG) as acts:
        assert acts.get(timeout=LONG) is False
        with psycopg.connect(database_url, autocommit=True) as connection:
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            connection.execute(cut + "WHERE application_name = %s", [f"grouper {NAME}"])
        assert acts.get(timeout=LONG) is False  # it looks for what it may have missed
        tell(database_url)
        assert acts.get(timeout=LONG) is True
