"""SNOMED CT identifiers: 6 to 18 digits, the last of which is Verhoeff's check digit.

Source: SNOMED International, Release File Specification, “SCTID” (docs/sources.md).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

LONGEST = 18
FORM = "^[1-9][0-9]{5,17}$"
SCIENTIFIC = r"^[+-]?[0-9]*[.,]?[0-9]+[eE][+-]?[0-9]+$"
"""How spreadsheets write numbers too long for a cell; the digits behind it are lost."""


def _multiplication() -> npt.NDArray[np.int8]:
    """The table of the dihedral group D5."""
    table = np.empty((10, 10), np.int8)
    for left in range(10):
        for right in range(10):
            turned = right % 5 if left < 5 else -(right % 5)
            table[left, right] = (left + turned) % 5 + 5 * ((left < 5) != (right < 5))
    return table


def _permutations() -> npt.NDArray[np.int8]:
    """The permutation of a digit at each place, counted from the right; eight, then again."""
    first = np.array([1, 5, 7, 6, 2, 8, 3, 0, 9, 4], np.int8)
    rows = [np.arange(10, dtype=np.int8)]
    for _ in range(7):
        rows.append(first[rows[-1]])
    return np.stack(rows)


_TIMES, _PERMUTED = _multiplication(), _permutations()


def is_well_formed(values: pa.Array) -> npt.NDArray[np.bool_]:
    """Which texts are 6 to 18 digits without a leading zero."""
    return np.asarray(pc.fill_null(pc.match_substring_regex(values, FORM), False))


def is_snomed(values: pa.Array) -> npt.NDArray[np.bool_]:
    """Which texts are identifiers: well formed, with the right check digit."""
    found = is_well_formed(values)
    if found.any():
        found[found] = _checked(values.filter(pa.array(found)))
    return found


def _checked(values: pa.Array) -> npt.NDArray[np.bool_]:
    lengths = pc.utf8_length(values).to_numpy()
    padded = pc.utf8_lpad(values, LONGEST, "0").to_pylist()
    octets = np.frombuffer("".join(padded).encode("ascii"), np.uint8)
    digits = (octets - ord("0")).reshape(len(values), LONGEST)
    check = np.zeros(len(values), np.int8)
    for place in range(LONGEST):
        digit = digits[:, LONGEST - 1 - place]
        next_check = _TIMES[check, _PERMUTED[place % 8, digit]]
        check = np.where(place < lengths, next_check, check)
    return np.asarray(check == 0)
