"""When work whose run ended is begun again, and when it is given up."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

import pytest

from deployments.dead_runs import LONGEST_PAUSE_SECONDS, pauses, why_given_up
from deployments.prefect_api import CANCELLED, FAILED, FlowRun


def run(state: str, seconds_ago: float = 0.0) -> FlowRun:
    since = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=seconds_ago)
    return FlowRun(uuid4(), "report 46", state, since, since, None, (), "")


@pytest.mark.parametrize(
    ("state", "made", "why"),
    [
        ("CRASHED", 2, None),
        ("CRASHED", 3, "It stopped 3 times without a word"),
        (FAILED, 7, None),
        (FAILED, 8, "A service that it needs did not answer, 8 times"),
        (CANCELLED, 1, "It was cancelled by an operator"),
    ],
)
def test_a_service_that_is_away_gets_more_time(state: str, made: int, why: str | None) -> None:
    assert why_given_up(run(state), made) == why


def test_without_a_run_it_is_as_if_its_process_had_died() -> None:
    assert why_given_up(None, 2) is None
    assert why_given_up(None, 3) == "It stopped 3 times without a word"


@pytest.mark.parametrize(("made", "seconds"), [(1, 10), (2, 20), (3, 40), (8, 300)])
def test_the_pauses_grow(made: int, seconds: float) -> None:
    assert seconds <= LONGEST_PAUSE_SECONDS
    assert pauses(run(FAILED, seconds - 2), made)
    assert not pauses(run(FAILED, seconds + 2), made)


def test_what_was_killed_is_begun_again_at_once() -> None:
    assert not pauses(run("CRASHED"), 1)
    assert not pauses(None, 1)
