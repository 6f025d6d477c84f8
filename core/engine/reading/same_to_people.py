"""Identifiers that people cannot tell apart, and errors that could be one person.

Two spellings that differ only in white space inside would be two patients, and every ``#N/A`` of a
csv file one. A single one of either is read as it stands; what would be joined or doubled is marked
for the checks. Chunks come in the order of the file, so that each is judged by those before it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.engine.columns.as_read import as_read
from core.engine.columns.coded import Coded
from core.engine.columns.marks import (
    ERROR_CELL,
    LOOKS_LIKE_ANOTHER,
    is_from_workbook,
    is_marked,
    take_marks_off,
    with_marks,
)
from core.engine.columns.text_bytes import any_of, bytes_of
from core.engine.dataset.notes_in_cells import NOT_AVAILABLE
from core.engine.dataset.specification import Specification

_HARD_TO_SEE = r"[\t\n\r]|  "
"""White space that spreadsheets show as nothing, or as one space."""
_WHITE_SPACE = r"[\t\n\r ]+"


class SameToPeople:
    """Marks the values of one file, chunk by chunk, in the standard layout."""

    def __init__(self, specification: Specification) -> None:
        fields = specification.columns
        self._texts = [name for name, field in fields.items() if field.type == "text"]
        self._spellings = {
            name: _Spellings() for name in self._texts if fields[name].role in ("clinic", "patient")
        }
        self._with_error: set[str] = set()  # columns in which an error came before

    def marked(self, chunk: pa.Table) -> pa.Table:
        """The chunk with the marks."""
        if not is_from_workbook(chunk):
            for column in self._texts:
                chunk = self._errors_marked(chunk, column)
        for column, spellings in self._spellings.items():
            cells = Coded.from_column(chunk[column])
            wrong = spellings.wrong(cells.values, marked=is_marked(chunk))
            if wrong is not None:
                chunk = with_marks(chunk, column, wrong, LOOKS_LIKE_ANOTHER)
        return chunk

    def _errors_marked(self, chunk: pa.Table, column: str) -> pa.Table:
        """The first error of a file may be meant as a text, unless another stands beside it."""
        cells = Coded.from_column(chunk[column])
        if not any_of(bytes_of(cells.values), b"#"):
            return chunk
        bare = _bare(cells.values, marked=is_marked(chunk))
        named = np.asarray(pc.fill_null(pc.equal(pc.utf8_upper(bare), NOT_AVAILABLE), False))
        named &= ~np.asarray(pc.fill_null(pc.match_substring_regex(cells.values, _MEANT), False))
        count = np.count_nonzero(cells.spread(named, False)) if named.any() else 0
        if not count:
            return chunk
        first = count == 1 and column not in self._with_error
        self._with_error.add(column)
        return chunk if first else with_marks(chunk, column, pa.array(named), ERROR_CELL)


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
        odd = np.asarray(pc.match_substring_regex(each, _HARD_TO_SEE))
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
    """Whether the texts are ASCII in which no white space but single spaces stands."""
    content = bytes_of(values)
    if len(content) and (content.min() < ord(" ") or content.max() > ord("~")):
        return False
    spaces = content == ord(" ")
    return not (spaces[1:] & spaces[:-1]).any()


def _bare(values: pa.Array, *, marked: bool) -> pa.Array:
    return as_read(take_marks_off(values)[0] if marked else values)


def _keys(values: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(values, _WHITE_SPACE, "")
