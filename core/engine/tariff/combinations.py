"""Invalid combinations: currencies that may not be charged together are replaced.

Rules fire in the order listed, each at most once an episode; passes repeat until nothing fires
(docs/formats.md, rule 5). The outcome depends on the set of fired currencies alone, so each
distinct set is solved once, on plain values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from core.engine.tariff.configuration import Configuration


@dataclass(frozen=True)
class Rule:
    """A combination; currencies are places in the currency list."""

    members: tuple[int, ...]
    results: tuple[int, ...]

    @cached_property
    def needed(self) -> frozenset[int]:
        return frozenset(self.members)


@dataclass(frozen=True, slots=True)
class Charged:
    """A currency that an episode is charged for, and how it came to be.

    ``own``: a statement fired it and no rule took it away. ``rules``: places of the rules that led
    to it, in the order in which they fired.
    """

    currency: int
    own: bool
    rules: tuple[int, ...] = ()


def rules_of(configuration: Configuration) -> tuple[Rule, ...]:
    place = configuration.position
    return tuple(
        Rule(
            tuple(place[code] for code in combination.members),
            tuple(place[code] for code in combination.results),
        )
        for combination in configuration.combinations
    )


def resolve_set(fired: frozenset[int], rules: Sequence[Rule]) -> tuple[Charged, ...]:
    """What a set of fired currencies is charged as, in the order of the currency list."""
    charged = {currency: Charged(currency, own=True) for currency in fired}
    done: list[int] = []
    while _one_pass(rules, charged, done):
        pass
    return tuple(charged[currency] for currency in sorted(charged))


def _one_pass(rules: Sequence[Rule], charged: dict[int, Charged], done: list[int]) -> bool:
    """Fires every rule that can fire and has not yet; returns whether any did."""
    before = len(done)
    for place, rule in enumerate(rules):
        if charged.keys() >= rule.needed and place not in done:
            done.append(place)
            _replace(rule, charged, done)
    return len(done) > before


def _replace(rule: Rule, charged: dict[int, Charged], done: list[int]) -> None:
    """Replaces the members by the results; rules that led to the members led to the results too."""
    led_to_members = {place for member in rule.needed for place in charged.pop(member).rules}
    for result in rule.results:
        present = charged.get(result, Charged(result, own=False))
        led_to_result = led_to_members | {*present.rules, done[-1]}
        charged[result] = Charged(
            result, present.own, tuple(place for place in done if place in led_to_result)
        )
