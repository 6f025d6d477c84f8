"""Stage: invalid combinations. What each episode is charged for, and the reason of each charge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.engine.calculation.episodes import Merged
from core.engine.calculation.triggering import WORD, Fired
from core.engine.columns.joins import BLANK, Codes, Rows, Words, distinct_rows, spread
from core.engine.tariff.combinations import Charged, Rule, resolve_set, rules_of
from core.engine.tariff.configuration import Configuration
from core.engine.tariff.reasons import Part, story

Mask = npt.NDArray[np.bool_]
Story = tuple[Part, ...]


@dataclass(frozen=True, eq=False)
class Combined:
    """The currencies charged, for each signature: laid out as ``Fired``, with a reason each."""

    merged: Merged
    signature: Codes
    starts: Rows
    counts: Rows
    currency: Codes
    reason: Codes
    reasons: list[str]


@dataclass(frozen=True, eq=False)
class _NamedByRules:
    """The entries of ``Fired`` whose currency some rule names; only these need resolving."""

    starts: Rows
    counts: Rows
    currency: Codes
    statement: Codes

    @classmethod
    def of(cls, fired: Fired, signature: Rows, where: Mask) -> _NamedByRules:
        counts = np.bincount(signature[where], minlength=len(fired.counts))
        starts = np.cumsum(counts) - counts
        return cls(starts, counts, fired.currency[where], fired.statement[where])

    def members(self, signature: int) -> list[int]:
        start = self.starts[signature]
        members: list[int] = self.currency[start : start + self.counts[signature]].tolist()
        return members

    def statement_at(self, signature: Rows, place: Codes) -> Codes:
        """The statement of the currency at ``place`` among the members, -1 where that is -1."""
        statements = np.full(len(place), BLANK, np.int32)
        has_place = place >= 0
        statements[has_place] = self.statement[self.starts[signature[has_place]] + place[has_place]]
        return statements


@dataclass(frozen=True, eq=False)
class _Outcomes:
    """What each distinct set is charged as; the entries of a set follow one another.

    ``story`` numbers a template in ``stories``, whose numbers count the columns of ``sources``;
    these hold the place, among the members, of the currency whose statement is inserted, -1 beyond
    the last.
    """

    starts: Rows
    counts: Rows
    currency: Codes
    story: Codes
    sources: list[Codes]
    stories: list[Story]


def combine(fired: Fired, configuration: Configuration) -> Combined:
    """Replaces what may not be charged together, once for each distinct set of currencies.

    A currency that no rule names is charged as it fired, whatever the others.
    """
    rules = rules_of(configuration)
    codes = [currency.code for currency in configuration.currencies]
    named = _named(rules, len(codes))
    signature = np.repeat(np.arange(len(fired.counts)), fired.counts)
    plain = ~named[fired.currency]
    named_by_rules = _NamedByRules.of(fired, signature, ~plain)

    set_of, examples = distinct_rows(_only(fired.sets, named))
    outcomes = _solve((named_by_rules.members(at) for at in examples.tolist()), rules, codes)
    counts = outcomes.counts[set_of]
    entry = spread(outcomes.starts[set_of], counts)
    resolved = np.repeat(np.arange(len(set_of)), counts)

    resolved_statements = [
        named_by_rules.statement_at(resolved, place[entry]) for place in outcomes.sources
    ]
    none = np.full(int(plain.sum()), BLANK, np.int32)
    first, *later = resolved_statements or [np.full(len(entry), BLANK, np.int32)]
    statements = [np.append(first, fired.statement[plain])]
    statements += [np.append(column, none) for column in later]
    stories = outcomes.stories + [_plain_story(place, codes) for place in range(len(codes))]
    story = np.append(outcomes.story[entry], len(outcomes.stories) + fired.currency[plain])

    currency = np.append(outcomes.currency[entry], fired.currency[plain])
    at = np.append(resolved, signature[plain])
    order = np.lexsort((currency, at))
    reason, reasons = _reasons(
        story[order], [column[order] for column in statements], stories, fired
    )
    counts = np.bincount(at, minlength=len(fired.counts))
    return Combined(
        merged=fired.merged,
        signature=fired.signature,
        starts=np.cumsum(counts) - counts,
        counts=counts,
        currency=currency[order],
        reason=reason,
        reasons=reasons,
    )


def _named(rules: Sequence[Rule], currencies: int) -> Mask:
    """Which currencies some rule names."""
    named = np.zeros(currencies, np.bool_)
    for rule in rules:
        named[[*rule.members, *rule.results]] = True
    return named


def _only(sets: list[Words], named: Mask) -> list[Words]:
    """The sets without the currencies that no rule names."""
    masks = np.zeros(len(sets), np.uint64)
    for place in np.flatnonzero(named).tolist():
        masks[place // WORD] |= np.uint64(1 << (place % WORD))
    return [words & mask for words, mask in zip(sets, masks, strict=True)]


def _reasons(
    story: Codes, statements: list[Codes], stories: list[Story], fired: Fired
) -> tuple[Codes, list[str]]:
    """Numbers equal reasons alike, and makes the text of each once."""
    reason, examples = distinct_rows([story, *statements])
    texts = [
        _reason_text(stories[story[at]], [column[at] for column in statements], fired)
        for at in examples
    ]
    return reason, texts


def _reason_text(parts: Story, statements: list[int], fired: Fired) -> str:
    return "".join(
        part if isinstance(part, str) else str(fired.triggers[statements[part]].statement)
        for part in parts
    )


def _solve(sets: Iterable[list[int]], rules: Sequence[Rule], codes: Sequence[str]) -> _Outcomes:
    """Resolves each set of currencies."""
    currency: list[int] = []
    counts: list[int] = []
    story_of: list[int] = []
    sources: list[list[int]] = []
    stories: dict[Story, int] = {}
    plain = [_plain_story(place, codes) for place in range(len(codes))]
    for members in sets:
        outcome = resolve_set(frozenset(members), rules)
        counts.append(len(outcome))
        for charged in outcome:
            template, places = (
                _numbered(story(charged, members, rules, codes))
                if charged.rules
                else (plain[charged.currency], [members.index(charged.currency)])
            )
            currency.append(charged.currency)
            story_of.append(stories.setdefault(template, len(stories)))
            sources.append(places)
    counted = np.array(counts, np.int64)
    return _Outcomes(
        starts=np.cumsum(counted) - counted,
        counts=counted,
        currency=np.array(currency, np.int32),
        story=np.array(story_of, np.int32),
        sources=_padded(sources),
        stories=list(stories),
    )


def _plain_story(place: int, codes: Sequence[str]) -> Story:
    return _numbered(story(Charged(place, own=True), [place], (), codes))[0]


def _numbered(parts: Story) -> tuple[Story, list[int]]:
    """The parts with their places numbered from 0, and the places."""
    places = [part for part in parts if isinstance(part, int)]
    number = iter(range(len(places)))
    return tuple(next(number) if isinstance(part, int) else part for part in parts), places


def _padded(rows: list[list[int]]) -> list[Codes]:
    """Rows of different lengths as columns, -1 where a row has ended."""
    width = max((len(row) for row in rows), default=0)
    return [
        np.array([row[at] if at < len(row) else -1 for row in rows], np.int32)
        for at in range(width)
    ]
