"""One spelling for each code: what is stored.

Codes match exactly, else without regard to case, else as numbers without leading zeros
(docs/formats.md): the published tables write 1, real extracts write 01.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def listed_spelling(values: pa.Array, codes: pa.Array) -> pa.Array:
    """The listed code that each trimmed value means, null where it means none."""
    index = pc.index_in(values, value_set=codes)
    if index.null_count:
        by_case = pc.index_in(pc.utf8_lower(values), value_set=pc.utf8_lower(codes))
        index = pc.coalesce(index, by_case)
    if index.null_count:
        by_number = pc.index_in(without_leading_zeros(values), value_set=_numbers(codes))
        index = pc.coalesce(index, by_number)
    return codes.take(index)


def without_leading_zeros(values: pa.Array) -> pa.Array:
    """``01`` as ``1``, ``00`` as ``0``; null for what is not a whole number."""
    digits = pc.match_substring_regex(values, "^[0-9]+$")
    bare = pc.replace_substring_regex(values, "^0+([0-9])", r"\1")
    return pc.if_else(digits, bare, pa.scalar(None, pa.string()))


def _numbers(codes: pa.Array) -> pa.Array:
    """As ``without_leading_zeros``, with a text no number equals where a code is none."""
    return pc.fill_null(without_leading_zeros(codes), "no number")
