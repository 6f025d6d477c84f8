"""However providers ask and however long their runs take, nobody waits for ever or out of turn."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from deployments.turns import Waiting, due

PARTIES = st.sampled_from(["provider/A", "provider/B", "provider/C", "user/1", ""])
LIMITS = st.integers(1, 4)


def in_places(asked: list[tuple[int, str]]) -> list[Waiting]:
    places = Counter[str]()
    waiting = []
    for number, party in asked:
        places[party] += 1
        waiting.append(Waiting(number, UUID(int=number), "start", party, places[party]))
    return waiting


@given(st.lists(PARTIES), st.lists(PARTIES, max_size=10), LIMITS)
def test_what_is_due_never_exceeds_what_a_queue_and_a_party_may_have(
    asked: list[str], working: list[str], limit: int
) -> None:
    at_work = Counter(working)
    chosen = due(in_places(list(enumerate(asked))), at_work, limit)
    after = at_work + Counter(turn.party for turn in chosen)
    assert len(set(chosen)) == len(chosen)
    assert after.total() <= max(2 * limit, at_work.total())
    assert all(after[turn.party] <= limit for turn in chosen)


@given(st.lists(PARTIES), st.lists(PARTIES, max_size=10), LIMITS)
def test_no_room_is_left_while_somebody_may_have_it(
    asked: list[str], working: list[str], limit: int
) -> None:
    at_work, waiting = Counter(working), in_places(list(enumerate(asked)))
    chosen = due(waiting, at_work, limit)
    after = at_work + Counter(turn.party for turn in chosen)
    left = [turn for turn in waiting if turn not in chosen]
    assert after.total() >= 2 * limit or all(after[turn.party] >= limit for turn in left)


@given(st.lists(PARTIES, min_size=1, max_size=30), LIMITS, st.randoms(use_true_random=False))
def test_everybody_is_served_and_each_party_in_its_own_order(
    asked: list[str], limit: int, random: object
) -> None:
    left, working, served = list(enumerate(asked)), list[tuple[int, str]](), list[int]()
    while left or working:
        for turn in due(in_places(left), Counter(party for _, party in working), limit):
            left.remove((turn.number, turn.party))
            working.append((turn.number, turn.party))
            served.append(turn.number)
        assert working, "something waits and nothing is at work"
        working.remove(random.choice(working))  # type: ignore[attr-defined]
    assert sorted(served) == list(range(len(asked)))
    for party in set(asked):
        own = [number for number in served if asked[number] == party]
        assert own == sorted(own)


@given(st.integers(3, 50), LIMITS)
def test_a_newcomer_comes_before_the_next_of_a_provider_with_a_long_list(
    length: int, limit: int
) -> None:
    waiting = in_places([(number, "provider/A") for number in range(length)] + [(99, "provider/B")])
    [first, *_] = due(waiting, Counter({"provider/A": limit}), limit)
    assert first.party == "provider/B"
