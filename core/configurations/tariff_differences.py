"""The differences between two tariffs, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from core.engine.tariff.configuration import Combination, Configuration, Currency
from core.engine.tariff.money import Money

_HEADS = {
    "title": "The title",
    "dataset": "The data set",
    "status": "The status",
    "start": "The first day",
    "end": "The last day",
    "submit_within_days": "The number of days to submit within",
    "hide_rates": "Whether rates are hidden",
    "owner": "The lead commissioner",
}


def compare_configurations(before: Configuration, after: Configuration) -> list[str]:
    """What ``after`` changes, a sentence each: dates, rates, triggers, who takes part."""
    return [
        *_heads(before, after),
        *_members("provider", _factors(before), _factors(after)),
        *_members("commissioner", _weightings(before), _weightings(after)),
        *_currencies(before, after),
        *_combinations(before.combinations, after.combinations),
    ]


def _heads(before: Configuration, after: Configuration) -> Iterator[str]:
    for attribute, label in _HEADS.items():
        was, now = getattr(before, attribute), getattr(after, attribute)
        if was != now:
            yield f"{label} is {_told(now)} instead of {_told(was)}."


def _told(value: object) -> str:
    return "none" if value is None else f"{value}"


def _factors(configuration: Configuration) -> dict[str, Decimal | None]:
    return {code: each.factor for code, each in configuration.providers.items()}


def _weightings(configuration: Configuration) -> dict[str, Decimal | None]:
    return {code: each.geo_weighting for code, each in configuration.commissioners.items()}


def _members(
    kind: str, before: Mapping[str, Decimal | None], after: Mapping[str, Decimal | None]
) -> Iterator[str]:
    yield from (f"The {kind} {code} takes part no more." for code in before if code not in after)
    yield from (f"The {kind} {code} takes part now." for code in after if code not in before)
    for code, factor in after.items():
        if code in before and factor != before[code]:
            yield f"The factor of {code} is {_told(factor)} instead of {_told(before[code])}."


def _currencies(before: Configuration, after: Configuration) -> Iterator[str]:
    was = {currency.code: currency for currency in before.currencies}
    now = {currency.code: currency for currency in after.currencies}
    yield from (f"The currency {code} is gone." for code in was if code not in now)
    for code, currency in now.items():
        if code not in was:
            yield (
                f"The currency {code} is new: {_pounds(currency.primary)} primary, "
                f"{_pounds(currency.additional)} additional."
            )
    for code, currency in now.items():
        if code in was:
            yield from _currency(was[code], currency)
    if [code for code in was if code in now] != [code for code in now if code in was]:
        yield "The currencies stand in another order, which decides among equal primary rates."


def _pounds(pence: int) -> str:
    return f"£{Money(pence).plain}"


def _currency(before: Currency, after: Currency) -> Iterator[str]:
    code = after.code
    for attribute in ("primary", "additional"):
        was, now = getattr(before, attribute), getattr(after, attribute)
        if was != now:
            yield f"{code}: the {attribute} rate is {_pounds(now)} instead of {_pounds(was)}."
    if before.cross_charge != after.cross_charge:
        yield f"{code}: cross-charged {after.cross_charge} instead of {before.cross_charge}."
    if before.name != after.name:
        yield f"{code}: called {after.name!r} instead of {before.name!r}."
    for trigger in before.triggers:
        if trigger not in after.triggers:
            yield f"{code}: fired no more by {trigger}."
    for trigger in after.triggers:
        if trigger not in before.triggers:
            yield f"{code}: fired by {trigger} too."


def _combinations(before: tuple[Combination, ...], after: tuple[Combination, ...]) -> Iterator[str]:
    yield from (f"Replaced no more: {_rule(each)}." for each in before if each not in after)
    yield from (f"Replaced now: {_rule(each)}." for each in after if each not in before)
    common = [each for each in before if each in after]
    if common != [each for each in after if each in before]:
        yield "The combinations are looked at in another order."


def _rule(combination: Combination) -> str:
    results = " and ".join(combination.results) or "nothing"
    return f"{' with '.join(combination.members)} by {results}"
