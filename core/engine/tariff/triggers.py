"""Which statements hold: the codes that statements ask for are bits, a statement is a mask.

An episode becomes a few 64-bit words, one bit for each ``FIELD = CODE`` that some statement names;
a statement holds where all its positive bits are set and none of its negative ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.engine.dataset.fields import Field
from core.engine.dataset.specification import Specification
from core.engine.dataset.spelling import without_leading_zeros
from core.engine.tariff.configuration import Configuration
from core.engine.tariff.statements import Statement, parse_statement

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


@dataclass(frozen=True)
class Layout:
    """Where each ``FIELD = CODE`` has its bit: ``bits[field][code]``, counted over all words."""

    bits: dict[str, dict[str, int]]

    @property
    def words(self) -> int:
        return 1 + max(
            (bit // WORD for codes in self.bits.values() for bit in codes.values()), default=0
        )

    def marks(self, field: Field, values: pa.StringArray) -> Iterator[tuple[int, Words]]:
        """For each word the field has bits in: the bits of each of ``values``, and 0 for a blank.

        The blank stands last, so that the code -1 selects it.
        """
        bits = self.bits.get(field.name, {})
        index = pc.index_in(
            _comparable(field, values), value_set=_comparable(field, pa.array(bits))
        )
        place = index.fill_null(len(bits)).to_numpy(zero_copy_only=False)
        for word in sorted({bit // WORD for bit in bits.values()}):
            bits_of_word = [_bit(bit) if bit // WORD == word else 0 for bit in bits.values()]
            marks = np.array([*bits_of_word, 0], np.uint64)
            yield word, np.append(marks[place], np.uint64(0))


def layout_of(triggers: Sequence[Trigger]) -> Layout:
    """A bit for every condition; the codes of one field keep together in a word where they fit."""
    codes: dict[str, dict[str, int]] = {}
    for trigger in triggers:
        for condition in trigger.statement.conditions:
            codes.setdefault(condition.field, {})[condition.code] = 0
    free = 0
    for field_codes in codes.values():
        if free % WORD + len(field_codes) > WORD:
            free = -(-free // WORD) * WORD
        field_codes.update(zip(field_codes, range(free, free + len(field_codes)), strict=True))
        free += len(field_codes)
    return Layout(codes)


def holds(statement: Statement, layout: Layout, words: Sequence[Words]) -> npt.NDArray[np.bool_]:
    """Where the statement holds; ``words`` has one array for each word of the layout."""
    required, forbidden = [0] * layout.words, [0] * layout.words
    for condition in statement.conditions:
        bit = layout.bits[condition.field][condition.code]
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
