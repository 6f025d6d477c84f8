"""Stage: invalid combinations. What each episode is charged for, and the story of each charge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.submissions.coded import Codes, Rows, distinct_rows, spread
from core.submissions.episodes import Merged
from core.submissions.triggering import Fired
from core.tariffs.combinations import resolve_set, rules_of
from core.tariffs.configuration import Configuration
from core.tariffs.reasons import Part, story


@dataclass(frozen=True, eq=False)
class Combined:
    """What is charged, for each signature: laid out as ``Fired``, with a reason for each entry."""

    merged: Merged
    signature: Codes
    starts: Rows
    counts: Rows
    currency: Codes
    reason: Codes
    reasons: list[str]


@dataclass(frozen=True, eq=False)
class _Outcomes:
    """What each distinct set is charged as: entries of a set follow one another.

    ``story`` is a template whose numbers count the columns of ``sources``; these hold the place,
    within the fired set, of the currency whose statement is to be told, -1 beyond the last.
    """

    starts: Rows
    counts: Rows
    currency: Codes
    story: Codes
    sources: list[Codes]
    stories: list[tuple[Part, ...]]


def combine(fired: Fired, configuration: Configuration) -> Combined:
    """Replaces what may not be charged together, once for each distinct set of currencies."""
    set_of, first = distinct_rows(fired.sets)
    outcomes = _solve(fired, first, configuration)
    counts = outcomes.counts[set_of]
    entry = spread(outcomes.starts[set_of], counts)
    signature = np.repeat(np.arange(len(set_of)), counts)
    statements = [
        np.where(place[entry] < 0, -1, _statement(fired, signature, place[entry]))
        for place in outcomes.sources
    ]
    reason, example = distinct_rows([outcomes.story[entry], *statements])
    return Combined(
        merged=fired.merged,
        signature=fired.signature,
        starts=np.cumsum(counts) - counts,
        counts=counts,
        currency=outcomes.currency[entry],
        reason=reason,
        reasons=[
            _told(
                outcomes.stories[outcomes.story[entry[at]]], [one[at] for one in statements], fired
            )
            for at in example
        ],
    )


def _statement(fired: Fired, signature: Rows, place: Codes) -> Codes:
    """The statement that fired the currency at ``place`` of the signature's set."""
    if not len(fired.statement):
        return place
    at = fired.starts[signature] + np.maximum(place, 0)
    return fired.statement[np.minimum(at, len(fired.statement) - 1)]


def _told(parts: tuple[Part, ...], statements: list[int], fired: Fired) -> str:
    return "".join(
        part if isinstance(part, str) else str(fired.triggers[statements[part]].statement)
        for part in parts
    )


def _solve(fired: Fired, examples: Rows, configuration: Configuration) -> _Outcomes:
    """Resolves the set of each example signature."""
    rules = rules_of(configuration)
    codes = [currency.code for currency in configuration.currencies]
    currency: list[int] = []
    counts: list[int] = []
    story_of: list[int] = []
    sources: list[list[int]] = []
    stories: dict[tuple[Part, ...], int] = {}
    for members in _sets(fired, examples):
        outcome = resolve_set(frozenset(members), rules)
        counts.append(len(outcome))
        for charged in outcome:
            template, places = _numbered(story(charged, members, rules, codes))
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


def _sets(fired: Fired, examples: Rows) -> Iterator[list[int]]:
    for at in examples:
        start = fired.starts[at]
        yield fired.currency[start : start + fired.counts[at]].tolist()


def _numbered(parts: tuple[Part, ...]) -> tuple[tuple[Part, ...], list[int]]:
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
