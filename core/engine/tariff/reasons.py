"""The words of a charge: which statement fired, what replaced what, why this rate, who pays.

All sentences stand here. A story is a list of parts: texts, and places in the set of fired
currencies, which are replaced by the statement that fired.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.engine.tariff.combinations import Charged, Rule

Part = str | int
"""A text, or the place (within the sorted fired set) of a currency whose statement stands here."""

FIRED = " fired {currency}."
REPLACED = "{members} {were} replaced by {results} (combination: if {if_all} then {results})."
ALONE = "Only currency of the episode, so primary."
HIGHEST = "Highest primary rate of the episode, so primary."
FIRST_LISTED = "Among equal primary rates listed first, so primary."
LOWER = "{primary} has the highest primary rate, so additional."
LISTED_LATER = "{primary} has the same primary rate and is listed first, so additional."
NO_DISTRICT = (
    "Nobody pays: the district of residence is not known, and {currency} is charged to "
    "participating authorities only."
)
NOT_PARTICIPATING = (
    "Nobody pays: {district} does not take part, and {currency} is charged to participating "
    "authorities only."
)
THEN = "In {month} the residence lay in {before}; {today} stands in its place today."


def story(
    charged: Charged, fired: Sequence[int], rules: Sequence[Rule], codes: Sequence[str]
) -> tuple[Part, ...]:
    """Why a currency is charged; ``fired`` is sorted, ``codes`` are those of all currencies."""
    parts: list[Part] = []
    explained: set[int] = set()
    if charged.own:
        parts += [fired.index(charged.currency), FIRED.format(currency=codes[charged.currency])]
        explained.add(charged.currency)
    for place in charged.rules:
        rule = rules[place]
        members = list(_members(rule, fired, codes, explained))
        words = REPLACED.format(
            members="\0",
            were="were" if len(set(rule.members)) > 1 else "was",
            results=_all_of([codes[result] for result in rule.results]),
            if_all=_all_of([codes[member] for member in rule.members]),
        )
        before, _, after = words.partition("\0")
        parts += [" " + before if parts else before, *members, after]
        explained.update(rule.results)
    return tuple(parts)


def _members(
    rule: Rule, fired: Sequence[int], codes: Sequence[str], explained: set[int]
) -> Iterator[Part]:
    """``A (statement) and B (statement)``; each statement once in a story."""
    for number, member in enumerate(rule.members):
        if number:
            yield " and " if number == len(rule.members) - 1 else ", "
        yield codes[member]
        if member in fired and member not in explained:
            yield " ("
            yield fired.index(member)
            yield ")"
        explained.add(member)


def _all_of(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def rate_words(*, alone: bool, is_primary: bool, equal: bool, primary: str) -> str:
    """Why a line has its rate; ``equal``: another line (or the primary one) has the same rate."""
    if alone:
        return ALONE
    if is_primary:
        return FIRST_LISTED if equal else HIGHEST
    return (LISTED_LATER if equal else LOWER).format(primary=primary)


def nobody_words(currency: str, district: str | None) -> str:
    """Why nobody is charged."""
    if district is None:
        return NO_DISTRICT.format(currency=currency)
    return NOT_PARTICIPATING.format(currency=currency, district=district)


def then_words(month: str, *, before: tuple[str, str], today: tuple[str, str]) -> str:
    """Which district the residence lay in, in the month that is charged; both are code and name."""
    districts = (f"{name} ({code})" for code, name in (before, today))
    return THEN.format(month=month, before=next(districts), today=next(districts))
