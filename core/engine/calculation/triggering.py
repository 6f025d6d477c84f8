"""Stage: data currency triggers. Which currencies fired in each episode, by which statement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.engine.calculation.episodes import Merged
from core.engine.columns.joins import Codes, Rows, Words, coded_together, distinct_rows
from core.engine.dataset.specification import Specification
from core.engine.tariff.configuration import Configuration
from core.engine.tariff.triggers import Layout, Trigger, holds, layout_of, triggers_of

WORD = 64


@dataclass(frozen=True, eq=False)
class Fired:
    """The currencies that fired, for each signature.

    ``signature`` numbers the signature of each episode. Signature s has the entries ``starts[s]``
    up to ``starts[s] + counts[s]``: ``currency`` (place in the list, ascending) and ``statement``
    (place in ``triggers``), the first that held. ``sets`` has each signature's currencies as bits.
    """

    merged: Merged
    triggers: tuple[Trigger, ...]
    signature: Codes
    starts: Rows
    counts: Rows
    currency: Codes
    statement: Codes
    sets: list[Words]


def fire(merged: Merged, configuration: Configuration, specification: Specification) -> Fired:
    """Tries every statement; a currency fires once an episode, by the first that holds."""
    triggers = triggers_of(configuration, specification)
    layout = layout_of(triggers)
    words = _words(merged, layout, specification)
    signature, first = distinct_rows(words)
    words = [word[first] for word in words]
    sets = [np.zeros(len(first), np.uint64) for _ in range(0, len(configuration.currencies), WORD)]
    entries = [_no_entries()]
    for place, trigger in enumerate(triggers):
        bit = np.uint64(1 << (trigger.currency % WORD))
        charged = sets[trigger.currency // WORD]
        new = np.flatnonzero(holds(trigger.statement, layout, words) & ((charged & bit) == 0))
        charged[new] |= bit
        entries.append(_entries(new, trigger.currency, place))
    at, currency, statement = (np.concatenate(parts) for parts in zip(*entries, strict=True))
    order = np.lexsort((currency, at))
    counts = np.bincount(at, minlength=len(first)).astype(np.int64)
    return Fired(
        merged=merged,
        triggers=triggers,
        signature=signature,
        starts=np.cumsum(counts) - counts,
        counts=counts,
        currency=currency[order],
        statement=statement[order],
        sets=sets,
    )


Entries = tuple[Rows, Codes, Codes]


def _entries(signatures: Rows, currency: int, statement: int) -> Entries:
    count = len(signatures)
    return signatures, np.full(count, currency, np.int32), np.full(count, statement, np.int32)


def _no_entries() -> Entries:
    return _entries(np.empty(0, np.int64), 0, 0)


def _words(merged: Merged, layout: Layout, specification: Specification) -> list[Words]:
    """The bits of each episode: of a field that repeats, those of all its slots; of a group, those
    of all its entries."""
    count = merged.episodes.num_rows
    words = [np.zeros(count, np.uint64) for _ in range(layout.words)]
    for name in layout.bits:
        field = specification.by_name[name]
        columns = [merged.episodes[column] for column in merged.slots[name]]
        filled = [column for column in columns if column.null_count < count]
        slots = coded_together(filled) if filled else []
        same_as = specification.same_as(field)
        for word, marks in layout.marks(field, slots[0].values, same_as) if slots else ():
            for slot in slots:
                words[word] |= marks[slot.codes]
    for group in layout.groups:
        rows = merged.groups[group]
        for word, marks in layout.group_marks(group, rows.kinds, specification):
            words[word] |= rows.any_of(marks, count)
    return words
