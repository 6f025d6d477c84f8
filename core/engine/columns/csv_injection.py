"""Keeps a spreadsheet from reading texts in a csv file as formulas."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from core.engine.columns.text_bytes import any_of, bytes_of

ACTIVE = b"=+-@\t\r"
_ACTIVE = r"^[=+\-@\t\r]"


def inert(text: str) -> str:
    """The text, with an apostrophe in front if a spreadsheet would read it as a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" and text else text


def heading_line(headings: Iterable[str], *, end: str = "\r\n") -> bytes:
    """The line of headings of a csv file: the words of a data set, in quotes where needed."""
    return (",".join(_quoted(inert(heading)) for heading in headings) + end).encode()


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"' if re.search(r'[,"\r\n]', text) else text


def inert_texts(texts: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """As ``inert``, for a column of texts."""
    if isinstance(texts, pa.Array) and not any_of(bytes_of(texts), ACTIVE):
        return texts
    active = pc.match_substring_regex(texts, _ACTIVE)
    marked = pc.binary_join_element_wise("'", texts, "")
    return pc.if_else(active, marked, texts)
