"""Whose turn it is on a queue: a provider with much to do does not keep the others waiting."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from deployments.turns import PORTION, Waiting, due, party_of

A, B, C = "provider/ZX1", "provider/ZX2", "user/7"


def queue(*parties: str) -> list[Waiting]:
    """What waits, in the order in which it was asked for."""
    places = Counter[str]()
    waiting = []
    for number, party in enumerate(parties, start=1):
        places[party] += 1
        waiting.append(Waiting(number, UUID(int=number), "start", party, places[party]))
    return waiting


def chosen(waiting: list[Waiting], at_work: Counter[str], limit: int | None) -> list[str]:
    return [f"{turn.party} {turn.place}" for turn in due(waiting, at_work, limit)]


def test_an_idle_queue_takes_what_comes() -> None:
    assert chosen(queue(A, A), Counter(), 2) == [f"{A} 1", f"{A} 2"]


def test_who_asked_once_comes_before_the_second_of_who_asked_often() -> None:
    assert chosen(queue(A, A, A, A, A, A, B), Counter(), 2) == [f"{A} 1", f"{B} 1", f"{A} 2"]


def test_a_busy_provider_leaves_room_for_others() -> None:
    assert chosen(queue(A, A, A, B), Counter({A: 2}), 2) == [f"{B} 1"]
    assert chosen(queue(A, A, A), Counter({A: 2}), 2) == []


def test_the_queue_is_filled_to_twice_its_limit_and_no_further() -> None:
    assert chosen(queue(B, C), Counter({A: 2, "provider/ZX3": 1}), 2) == [f"{B} 1"]
    assert chosen(queue(B, C), Counter({A: 2, "provider/ZX3": 2}), 2) == []


def test_more_at_work_than_there_should_be_is_no_fault() -> None:
    assert chosen(queue(B), Counter({A: 9}), 2) == []


def test_a_queue_without_a_limit_takes_portions() -> None:
    assert len(due(queue(*[A] * (PORTION + 1)), Counter(), None)) == PORTION


def test_a_run_says_whose_turn_it_took() -> None:
    assert party_of(["file/12", "file.received", B]) == B
    assert party_of(["nightly"]) == ""
