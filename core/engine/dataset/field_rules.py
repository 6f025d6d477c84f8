"""The rules of a single field, evaluated once for each distinct value.

A rule returns flags: a reason, and the values for which it holds. The first flag of a value is
reported, so the rules are ordered from the plainest fault to the finest.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.engine.columns import marks
from core.engine.columns.as_read import as_read
from core.engine.columns.text_bytes import any_of, bytes_of
from core.engine.dataset import snomed
from core.engine.dataset.dates import FIRST_YEAR, LAST_YEAR, Days, days_of, outside_years
from core.engine.dataset.fields import Field, FieldType
from core.engine.dataset.notes_in_cells import (
    NARROW,
    NO_RESULT,
    NOT_AVAILABLE,
    RAGGED,
    STANDS_TWICE,
    error_names,
    may_be_notes,
)
from core.engine.dataset.specification import Specification
from core.engine.dataset.spelling import listed_spelling

Mask = npt.NDArray[np.bool_]

PSEUDO_LSOAS = pa.array(
    ["X99999999", "X99999998", *(f"{letter}99999999" for letter in "SNLMZ")], pa.string()
)
"""Stand for no LSOA: unknown, no fixed address, or abroad (docs/sources.md, code lists)."""


class Register(Protocol):
    """Every LSOA that is or was, and the last day of those that ended (date32, null: none)."""

    @property
    def codes(self) -> pa.Array: ...
    @property
    def ended(self) -> pa.Array: ...


@dataclass(frozen=True)
class References:
    """What records are checked against beside the specification; None: not checked.

    ``month`` is the first day of the submission's month.
    """

    lsoas: Register | None = None
    clinics: frozenset[str] | None = None
    provider: str | None = None
    month: datetime.date | None = None


@dataclass(frozen=True)
class Flag:
    """A reason, the values or rows where it holds, and the words its message needs."""

    reason: str
    where: Mask
    words: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """Distinct values judged: their stored spelling (raw where wrong), and what is wrong."""

    stored: pa.Array
    flags: list[Flag]


@dataclass(frozen=True)
class Case:
    """Trimmed distinct values of a field (strings, null for blank), and what they must meet."""

    field: Field
    values: pa.Array
    specification: Specification
    references: References


_SIGN = "[+\\-＋－−]"
_EXPONENT = " *[eEＥｅ] *"
_POINT = "[.,．，]"
_SCIENTIFIC = (
    f"^{_SIGN}? *(?:(?:[0-9]+ *{_POINT}[0-9]*|{_POINT}[0-9]+){_EXPONENT}{_SIGN}?"
    f"|[0-9]+{_EXPONENT}[+＋]) *[0-9]+$"
)
"""How spreadsheets save a number too long for its cell: 1.23457E+15, 1E+15; 1E5 is not theirs."""

Rule = Callable[[Case], Judged]


def judge(case: Case) -> Judged:
    """Judges the values by the type of the field, then by its role."""
    judged = _RULES[case.field.type](case)
    by_role = _role_flags(case.field, judged.stored, case.references)
    return Judged(judged.stored, [*judged.flags, *by_role])


def mark_flags(field: Field, mark_of_each: npt.NDArray[np.str_]) -> Iterator[Flag]:
    """Flags from the mark of each value (empty for none)."""
    yield Flag("too-many-codes", mark_of_each == marks.CODE_TOO_MANY, {"slots": field.repeat})
    yield Flag(f"{_WRONG_CELL[field.type]}/cell", mark_of_each == marks.ERROR_CELL)
    yield Flag(f"{_WRONG_CELL[field.type]}/twice", mark_of_each == marks.TWICE)
    yield Flag("bad-pattern/looks-alike", mark_of_each == marks.LOOKS_LIKE_ANOTHER)
    yield Flag("bad-pattern/nobody", mark_of_each == marks.NOBODY)
    yield Flag("bad-encoding/half", mark_of_each == marks.HALF)
    yield Flag("formula-without-value", mark_of_each == marks.NO_VALUE)
    if field.type == "text":
        yield Flag("not-text", mark_of_each == marks.NOT_AS_SHOWN)
        yield Flag("not-text/date", np.isin(mark_of_each, [marks.DATE_CELL, marks.DATE_WITH_TIME]))
    if field.type == "date":
        yield Flag("bad-date/with-time", mark_of_each == marks.DATE_WITH_TIME)
    else:
        yield Flag("bad-number/rounded", mark_of_each == marks.ROUNDED_NUMBER)


def notes(field: Field, values: pa.Array, *, from_workbook: bool) -> Iterator[Flag]:
    """Texts, as they stand, that are names of errors, or signs or notes in the place of a value.

    A program that saves csv writes the name of the error that a cell holds, and as many # as a
    narrow column shows. Who means such a text writes an apostrophe before it. In a text field of
    csv ``#N/A`` may be meant; where it is not, the reader has marked it.
    """
    if not may_be_notes(values):
        return
    wrong = _WRONG_CELL[field.type]
    meant = pc.match_substring_regex(values, r"^\s*'")
    texts = pc.if_else(meant, pa.scalar(None, pa.string()), as_read(values))
    named = error_names(texts)
    if field.type == "text" and not from_workbook:
        named = pc.and_not(named, pc.equal(pc.utf8_upper(texts), NOT_AVAILABLE))
    noted = pc.starts_with(texts, RAGGED)  # a note of the marked copy names no error of Excel
    yield Flag(f"{wrong}/cell", _mask(pc.and_not(named, noted)))
    yield Flag(f"{wrong}/narrow", _mask(pc.match_substring_regex(texts, NARROW)))
    yield Flag(f"{wrong}/twice", _mask(pc.starts_with(texts, STANDS_TWICE)))
    yield Flag("formula-without-value", _mask(pc.starts_with(texts, NO_RESULT)))


def not_date_cells(values: pa.Array, mark_of_each: npt.NDArray[np.str_]) -> Flag:
    """The values of a workbook's date column that are no dates to Excel."""
    are_dates = np.isin(mark_of_each, [marks.DATE_CELL, marks.TYPED])
    # Excel has no dates before 1900: such a text is one, if one out of range
    are_dates |= days_of(values) < np.datetime64("1900-01-01")
    return Flag("bad-date/not-date-cell", ~are_dates & _there(values))


def _text(case: Case) -> Judged:
    flags = []
    if any_of(bytes_of(case.values), b"eE\xef"):  # the last begins those of full width
        rounded = pc.match_substring_regex(case.values, _SCIENTIFIC)
        flags.append(Flag("bad-number/scientific", _mask(rounded)))
    if case.field.max_length is not None:
        longer = pc.greater(pc.utf8_length(case.values), case.field.max_length)
        flags.append(Flag("too-long", _mask(longer), {"length": case.field.max_length}))
    if case.field.pattern is not None:
        flags.append(
            Flag(
                "bad-pattern", ~whole_matches(case.values, case.field.pattern) & _there(case.values)
            )
        )
    return Judged(case.values, flags)


def _integer(case: Case) -> Judged:
    are_whole = _mask(pc.match_substring_regex(case.values, "^[+-]?[0-9]+$"))
    numbers = _numbers(case.values, are_whole)
    low = -np.inf if case.field.minimum is None else case.field.minimum
    high = np.inf if case.field.maximum is None else case.field.maximum
    outside = are_whole & ((numbers < low) | (numbers > high))
    words = {"low": case.field.minimum, "high": case.field.maximum}
    flags = [
        Flag("bad-number", ~are_whole & _there(case.values)),
        Flag(f"out-of-range{_range_wording(case.field)}", outside, words),
    ]
    return Judged(case.values, flags)


def _date(case: Case) -> Judged:
    days = days_of(case.values)
    years = {"low": FIRST_YEAR, "high": LAST_YEAR}
    flags = [
        Flag("bad-date", np.isnat(days) & _there(case.values)),
        Flag("out-of-range/year", outside_years(days), years),
    ]
    if case.field.role == "date" and case.references.month is not None:
        flags.append(_outside_month(days, case.references.month))
    return Judged(case.values, flags)


def _code(case: Case) -> Judged:
    codes = pa.array(case.specification.codes_of(case.field), pa.string())
    listed = listed_spelling(case.values, codes)
    unknown = _mask(listed.is_null()) & _there(case.values)
    return Judged(pc.coalesce(listed, case.values), [Flag("unknown-code", unknown)])


def _snomed(case: Case) -> Judged:
    """Codes of the field's own list, if it has one, beside those of SNOMED CT."""
    codes = pa.array(case.specification.codes_of(case.field), pa.string())
    listed = listed_spelling(case.values, codes)
    other = listed.is_null().to_numpy(zero_copy_only=False) & _there(case.values)
    rounded = other & _mask(pc.match_substring_regex(case.values, snomed.SCIENTIFIC))
    formed = snomed.is_well_formed(case.values)
    flags = [
        Flag("bad-number/scientific", rounded),
        Flag("bad-pattern/snomed", other & ~formed),
        Flag("bad-pattern/check-digit", other & formed & ~snomed.is_snomed(case.values)),
    ]
    return Judged(pc.coalesce(listed, case.values), flags)


def _lsoa(case: Case) -> Judged:
    upper = pc.utf8_upper(case.values)
    if case.references.lsoas is None:
        return Judged(upper, [])
    exists = pc.is_in(upper, value_set=case.references.lsoas.codes)
    exists = pc.or_(exists, pc.is_in(upper, value_set=PSEUDO_LSOAS))
    return Judged(
        pc.if_else(exists, upper, case.values),
        [Flag("unknown-lsoa", ~_mask(exists) & _there(case.values))],
    )


_RULES: dict[FieldType, Rule] = {
    "text": _text,
    "integer": _integer,
    "date": _date,
    "code": _code,
    "lsoa": _lsoa,
    "snomed": _snomed,
}

_WRONG_CELL: dict[FieldType, str] = {
    "text": "bad-pattern",
    "integer": "bad-number",
    "date": "bad-date",
    "code": "unknown-code",
    "lsoa": "unknown-lsoa",
    "snomed": "bad-number",
}


def whole_matches(values: pa.Array, pattern: str) -> Mask:
    """Which values match the pattern as a whole."""
    try:
        return _mask(pc.match_substring_regex(values, rf"^(?:{pattern})$"))
    except pa.ArrowInvalid:
        # look-around and the like, which Arrow's regular expressions do not have
        form = re.compile(pattern)
        return np.array(
            [value is not None and bool(form.fullmatch(value)) for value in values.to_pylist()],
            dtype=np.bool_,
        )


def _role_flags(field: Field, values: pa.Array, references: References) -> list[Flag]:
    if field.role == "clinic" and references.clinics is not None:
        known = pc.is_in(values, value_set=pa.array(sorted(references.clinics), pa.string()))
        return [Flag("unknown-clinic", ~_mask(known) & _there(values))]
    if field.role == "provider" and references.provider is not None:
        same = pc.equal(pc.utf8_lower(values), references.provider.strip().lower())
        words = {"provider": references.provider}
        return [Flag("wrong-provider", ~_mask(same) & _there(values), words)]
    return []


def _outside_month(days: Days, month: datetime.date) -> Flag:
    months = days.astype("datetime64[M]")
    outside = (months != np.datetime64(month, "M")) & ~np.isnat(days)
    return Flag("outside-month", outside & ~outside_years(days), {"month": f"{month:%Y-%m}"})


def _numbers(values: pa.Array, whole: Mask) -> npt.NDArray[np.float64]:
    """Whole numbers of any length; floats are exact as far as a field's range can matter."""
    bare = pc.if_else(pa.array(whole), values, pa.scalar(None, pa.string()))
    return np.asarray(bare.cast(pa.float64()).to_numpy(zero_copy_only=False))


def _range_wording(field: Field) -> str:
    if field.minimum is None:
        return "/high"
    return "/low" if field.maximum is None else ""


def _mask(condition: pa.Array) -> Mask:
    return np.asarray(pc.fill_null(condition, False))


def _there(values: pa.Array) -> Mask:
    return np.asarray(values.is_valid())
