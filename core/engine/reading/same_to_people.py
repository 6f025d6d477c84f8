"""Identifiers that people cannot tell apart, and words for no value that would be one person.

Two spellings that look alike would be two patients, and every ``NULL`` or ``#N/A`` of a file one. A
single one of either is read as it stands; what would be joined or doubled is marked for the checks.
Chunks come in the order of the file, so that each is judged by those before it.
"""

from __future__ import annotations

import unicodedata

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.engine.columns.as_read import as_read
from core.engine.columns.coded import Coded
from core.engine.columns.marks import (
    ERROR_CELL,
    LOOKS_LIKE_ANOTHER,
    NOBODY,
    is_from_workbook,
    is_marked,
    take_marks_off,
    with_marks,
)
from core.engine.columns.text_bytes import any_of, bytes_of
from core.engine.dataset.notes_in_cells import NOT_AVAILABLE
from core.engine.dataset.specification import Specification

_QUOTES = "\"'`´‘’‚‛“”„‟«»‹›′″"
_HARD_TO_SEE = rf"[\t\n\r]|  |^[{_QUOTES}]|[{_QUOTES}]$"
"""White space that spreadsheets show as nothing or as one space, and quotes that lost a partner."""
_NOT_SEEN = rf"[\t\n\r ]+|^[{_QUOTES}\s]+|[{_QUOTES}\s]+$"

_ALIKE = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеіјорсухѕԁһΑΒΕΖΗΙΚΜΝΟΡΤΥΧονıՕоɡ‐‑‒–—―−﹣－⁃",
    "ABESIJKMHOPCTYXaeijopcyxsdhABEZHIKMNOPTYXovioog----------",
) | dict.fromkeys(map(ord, _QUOTES), "'")
"""Letters of other scripts, dashes and quotes that look like those of ASCII."""

_WORDS = (
    "null", "(null)", "<null>", "[null]", "\\n", "nan", "-nan", "<na>", "n/a", "none", "nil",
    "undefined",
)  # fmt: skip
_NO_VALUE = pa.array(
    sorted(
        {form(word) for word in _WORDS for form in (str.lower, str.upper, str.title)}
        | {"NA", "NaN"}
    )
)
"""What programs write for a value that is missing; people are not called so."""


class SameToPeople:
    """Marks the values of one file, chunk by chunk, in the standard layout."""

    def __init__(self, specification: Specification) -> None:
        fields = specification.columns
        self._texts = [name for name, field in fields.items() if field.type == "text"]
        self._spellings = {
            name: _Spellings() for name in self._texts if fields[name].role in ("clinic", "patient")
        }
        role = specification.with_role("patient")
        self._patient = role.name if role is not None and role.type == "text" else None
        self._taken: set[tuple[str, str]] = set()  # columns and marks of words that came before

    def marked(self, chunk: pa.Table) -> pa.Table:
        """The chunk with the marks."""
        if not is_from_workbook(chunk):
            for column in self._texts:
                if any_of(bytes_of(Coded.from_column(chunk[column]).values), b"#"):
                    chunk = self._words_marked(chunk, column, _ERROR, ERROR_CELL)
        if self._patient is not None:
            chunk = self._words_marked(chunk, self._patient, _NO_VALUE, NOBODY)
        for column, spellings in self._spellings.items():
            cells = Coded.from_column(chunk[column])
            wrong = spellings.wrong(cells.values, marked=is_marked(chunk))
            if wrong is not None:
                chunk = with_marks(chunk, column, wrong, LOOKS_LIKE_ANOTHER)
        return chunk

    def _words_marked(self, chunk: pa.Table, column: str, words: pa.Array, mark: str) -> pa.Table:
        """The first of these words in a file may be meant, unless another stands beside it."""
        cells = Coded.from_column(chunk[column])
        values = _trimmed(cells.values, marked=is_marked(chunk))
        named = np.asarray(pc.is_in(values, value_set=words))
        if not named.any():
            return chunk
        named = named & ~np.asarray(
            pc.fill_null(pc.match_substring_regex(cells.values, _MEANT), False)
        )
        count = np.count_nonzero(cells.spread(named, False))
        if not count:
            return chunk
        first = count == 1 and (column, mark) not in self._taken
        self._taken.add((column, mark))
        return chunk if first else with_marks(chunk, column, pa.array(named), mark)


_ERROR = pa.array([NOT_AVAILABLE, NOT_AVAILABLE.lower(), "#N/a", "#n/A"])
_MEANT = r"^\s*'"


class _Spellings:
    """The identifiers of a column so far: those in which all can be seen, and the others."""

    def __init__(self) -> None:
        self._plain: list[tuple[pa.Array, bool]] = []  # as they stand, and whether with marks
        self._plain_keys = pa.array([], pa.string())
        self._odd = pa.array([], pa.string())
        self._odd_keys = pa.array([], pa.string())

    def wrong(self, values: pa.Array, *, marked: bool) -> pa.Array | None:
        """Which values look like another one; None where none can."""
        if not len(self._odd) and _can_be_seen(values):
            self._plain.append((values, marked))
            return None
        values = _bare(values, marked=marked)
        each = pc.unique(values).drop_null()
        wrong = each.filter(pa.array(self._judged(each)))
        return pc.is_in(values, value_set=wrong) if len(wrong) else None

    def _judged(self, each: pa.Array) -> npt.NDArray[np.bool_]:
        keys = _keys(each)
        odd = _is_odd(each, keys)
        all_plain = [keys.filter(pa.array(~odd)), self._seen()] if odd.any() else [keys]
        plain = pc.is_in(keys, value_set=pa.concat_arrays(all_plain))
        of_odd = keys.filter(pa.array(odd)).dictionary_encode()
        several = np.zeros(len(each), np.bool_)
        codes = np.asarray(of_odd.indices)
        several[odd] = (np.bincount(codes) > 1)[codes] if len(codes) else False
        before = self._odd.take(pc.index_in(keys, value_set=self._odd_keys))
        same = np.asarray(pc.fill_null(pc.equal(before, each), False))
        other = np.asarray(before.is_valid()) & ~same
        wrong = np.asarray(((odd & (np.asarray(plain) | several)) | other) & ~same)
        taken = pa.array(odd & ~wrong & ~same)
        self._odd = pa.concat_arrays([self._odd, each.filter(taken)])
        self._odd_keys = pa.concat_arrays([self._odd_keys, keys.filter(taken)])
        self._plain.append((each.filter(pa.array(~odd & ~wrong)), False))
        return wrong

    def _seen(self) -> pa.Array:
        """The keys of the plain values so far."""
        if self._plain:
            bare = [_bare(values, marked=marked) for values, marked in self._plain]
            self._plain_keys = pa.concat_arrays([self._plain_keys, *map(_keys, bare)])
            self._plain = []
        return self._plain_keys


def _can_be_seen(values: pa.Array) -> bool:
    """Whether the texts are plain ASCII in which no white space but single spaces stands."""
    if not _is_plain(values):
        return False
    spaces = bytes_of(values) == ord(" ")
    return not (spaces[1:] & spaces[:-1]).any()


def _is_plain(values: pa.Array) -> bool:
    """Whether all that people see of the texts are the letters that stand there."""
    content = bytes_of(values)
    if len(content) and (content.min() < ord(" ") or content.max() > ord("~")):
        return False
    return not any_of(content, b"\"'`=")


def _trimmed(values: pa.Array, *, marked: bool) -> pa.Array:
    """As ``_bare``; plain texts are not looked at one by one."""
    if not _is_plain(values):
        return _bare(values, marked=marked)
    return pc.ascii_trim(values, " ") if any_of(bytes_of(values), b" ") else values


def _bare(values: pa.Array, *, marked: bool) -> pa.Array:
    return as_read(take_marks_off(values)[0] if marked else values)


def _keys(values: pa.Array) -> pa.Array:
    """What people see of the values: the same for those that they cannot tell apart."""
    if len(content := bytes_of(values)) and content.max() > ord("~"):
        odd = pc.match_substring_regex(values, "[^ -~]")
        alike = [
            unicodedata.normalize("NFKC", text.translate(_ALIKE)).translate(_ALIKE)
            for text in values.filter(odd).to_pylist()
        ]
        values = pc.replace_with_mask(values, odd, pa.array(alike, pa.string()))
    return pc.replace_substring_regex(values, _NOT_SEEN, "")


def _is_odd(values: pa.Array, keys: pa.Array) -> npt.NDArray[np.bool_]:
    """Which values hold what is hard to see, or letters that are not what they look like."""
    hard = np.asarray(pc.match_substring_regex(values, _HARD_TO_SEE))
    bare = pc.replace_substring_regex(values, _NOT_SEEN, "")
    return np.asarray(hard | np.asarray(pc.not_equal(bare, keys)))
