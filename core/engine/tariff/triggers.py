"""Which statements hold: the codes that statements ask for are bits, a statement is a mask.

An episode becomes a few 64-bit words, one bit for each condition that some statement names; those
of a group are tried on its different entries, and the episode has the bits of all its entries. A
statement holds where all its positive bits are set and none of its negative ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.engine.columns.coded import Coded
from core.engine.dataset.fields import Field
from core.engine.dataset.maps import same_codes
from core.engine.dataset.specification import Specification
from core.engine.dataset.spelling import without_leading_zeros
from core.engine.tariff.configuration import Configuration
from core.engine.tariff.statements import Asked, Condition, Statement, parse_statement

WORD = 64
Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Trigger:
    """A statement, and the place of the currency that it fires."""

    currency: int
    statement: Statement


def triggers_of(configuration: Configuration, specification: Specification) -> tuple[Trigger, ...]:
    """All statements, currency by currency as listed."""
    return tuple(
        Trigger(place, parse_statement(text, specification))
        for place, currency in enumerate(configuration.currencies)
        for text in currency.triggers
    )


Together = tuple[Asked, ...]
"""What one record must hold, for a condition on a group."""


@dataclass(frozen=True)
class Layout:
    """Where each condition has its bit, counted over all words.

    ``bits[field][code]`` for ordinary fields, ``groups[group][together]`` for those of groups.
    """

    bits: dict[str, dict[str, int]]
    groups: dict[str, dict[Together, int]] = dataclass_field(default_factory=dict)

    @property
    def words(self) -> int:
        """How many words there are."""
        bits = [bit for codes in self.bits.values() for bit in codes.values()]
        bits += [bit for of_group in self.groups.values() for bit in of_group.values()]
        return 1 + max((bit // WORD for bit in bits), default=0)

    def bit_of(self, condition: Condition) -> int:
        """The bit of a condition, whether or not it is negated."""
        if condition.group is None:
            return self.bits[condition.field][condition.code]
        return self.groups[condition.group][condition.asked]

    def marks(
        self, field: Field, values: pa.StringArray, same_as: Mapping[str, str] | None = None
    ) -> Iterator[tuple[int, Words]]:
        """For each word the field has bits in: the bits of each of ``values``, and 0 for a blank.

        The blank stands last, so that the code -1 selects it. With ``same_as`` a value has the bits
        of the code that means the same too.
        """
        bits = self.bits.get(field.name, {})
        places = [_places(field, values, bits)]
        if same_as:
            places.append(_places(field, same_codes(values, same_as), bits))
        for word in sorted({bit // WORD for bit in bits.values()}):
            bits_of_word = [_bit(bit) if bit // WORD == word else 0 for bit in bits.values()]
            marks = np.array([*bits_of_word, 0], np.uint64)
            of_values = np.bitwise_or.reduce([marks[place] for place in places])
            yield word, np.append(of_values, np.uint64(0))

    def group_marks(
        self, group: str, kinds: Mapping[str, Coded], specification: Specification
    ) -> Iterator[tuple[int, Words]]:
        """For each word the group has bits in: the bits of each kind of entry.

        ``kinds`` has the values of each different entry, by field.
        """
        count = len(next(iter(kinds.values())).codes)
        bits = self.groups.get(group, {})
        holding: dict[Asked, npt.NDArray[np.bool_]] = {}
        words: dict[int, Words] = {}
        for together, bit in bits.items():
            for asked in together:
                if asked not in holding:
                    holding[asked] = _holding(asked, kinds[asked.field], specification)
            held = np.logical_and.reduce([holding[asked] for asked in together])
            word = words.setdefault(bit // WORD, np.zeros(count, np.uint64))
            word[held] |= np.uint64(_bit(bit))
        yield from sorted(words.items())


def _places(field: Field, values: pa.Array, bits: Mapping[str, int]) -> npt.NDArray[np.int64]:
    """For each value the place of its code, that of a blank where no statement asks for it."""
    index = pc.index_in(_comparable(field, values), value_set=_comparable(field, pa.array(bits)))
    place: npt.NDArray[np.int64] = index.fill_null(len(bits)).to_numpy(zero_copy_only=False)
    return place


def _holding(asked: Asked, column: Coded, specification: Specification) -> npt.NDArray[np.bool_]:
    """Which entries hold the code, or one that means the same."""
    field = specification.by_name[asked.field]
    code = _comparable(field, pa.array([asked.code]))
    held = pc.is_in(_comparable(field, column.values), value_set=code)
    if same_as := specification.same_as(field):
        held = pc.or_(held, pc.is_in(same_codes(column.values, same_as), value_set=code))
    return column.spread(np.asarray(held, np.bool_), False)


def layout_of(triggers: Sequence[Trigger]) -> Layout:
    """A bit for every condition; those of one field or group keep together in a word where they
    fit."""
    layout = Layout({}, {})
    for trigger in triggers:
        for condition in trigger.statement.conditions:
            if condition.group is None:
                layout.bits.setdefault(condition.field, {})[condition.code] = 0
            else:
                layout.groups.setdefault(condition.group, {})[condition.asked] = 0
    free = 0
    for bits in layout.bits.values():
        free = _number(bits, free)
    for of_group in layout.groups.values():
        free = _number(of_group, free)
    return layout


Key = TypeVar("Key")


def _number(bits: dict[Key, int], free: int) -> int:
    """Numbers the bits from the first free one on; returns the next."""
    if free % WORD + len(bits) > WORD:
        free = -(-free // WORD) * WORD
    bits.update(zip(bits, range(free, free + len(bits)), strict=True))
    return free + len(bits)


def holds(statement: Statement, layout: Layout, words: Sequence[Words]) -> npt.NDArray[np.bool_]:
    """Where the statement holds; ``words`` has one array for each word of the layout."""
    required, forbidden = [0] * layout.words, [0] * layout.words
    for condition in statement.conditions:
        bit = layout.bit_of(condition)
        (forbidden if condition.negated else required)[bit // WORD] |= _bit(bit)
    holding = np.ones(len(words[0]), np.bool_)
    for word, yes, no in zip(words, required, forbidden, strict=True):
        if yes & no:
            holding[:] = False  # requires a code and forbids it
        elif yes or no:
            holding &= (word & np.uint64(yes | no)) == np.uint64(yes)
    return holding


def _bit(bit: int) -> int:
    return 1 << (bit % WORD)


def _comparable(field: Field, values: pa.Array) -> pa.Array:
    """Codes are stored as listed; whole numbers may be written with leading zeros."""
    values = values.cast(pa.string())
    if field.type != "integer":
        return values
    return pc.coalesce(without_leading_zeros(values), values)
