from __future__ import annotations

import itertools

import pytest

from core.engine.tariff.combinations import Rule, resolve_set

T2, T4, T7, A, B, C = range(6)


def left(fired: set[int], *rules: tuple[tuple[int, ...], tuple[int, ...]]) -> list[int]:
    outcome = resolve_set(frozenset(fired), [Rule(members, results) for members, results in rules])
    return [charged.currency for charged in outcome]


def test_a_result_may_be_a_member() -> None:
    assert left({T2, T4}, ((T2, T4), (T4,))) == [T4]


def test_both_are_replaced_by_a_third() -> None:
    assert left({T2, T7}, ((T2, T7), (T4,))) == [T4]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_three_tests_end_as_one_full_screen_in_any_order(order: tuple[int, ...]) -> None:
    rules = [((T2, T4), (T4,)), ((T2, T7), (T4,)), ((T7, T4), (T4,))]
    assert left({T2, T7, T4}, *(rules[place] for place in order)) == [T4]


def test_rules_fire_in_the_order_listed() -> None:
    assert left({A, T2, T4}, ((A, T2), (B,)), ((A, T4), (C,))) == [T4, B]
    assert left({A, T2, T4}, ((A, T4), (C,)), ((A, T2), (B,))) == [T2, C]


def test_passes_repeat_until_nothing_changes() -> None:
    assert left({A}, ((B,), (C,)), ((A,), (B,))) == [C]


def test_a_rule_fires_once_an_episode() -> None:
    assert left({A}, ((A,), (B,)), ((B,), (A,))) == [A]
    assert left({A}, ((A,), (A, B))) == [A, B]


def test_without_results_the_members_just_go() -> None:
    assert left({A, B}, ((A,), ())) == [B]
    assert left({A}, ((A,), ())) == []


def test_a_result_that_is_charged_already_is_charged_once() -> None:
    assert left({A, B, C}, ((A, B), (C,))) == [C]


def test_no_fired_currency_is_no_charge() -> None:
    assert left(set(), ((A,), (B,))) == []
