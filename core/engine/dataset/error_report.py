"""``errors.csv``: every finding of several files, one a line (docs/formats.md)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc

from core.engine.columns.csv_injection import inert_texts

COLUMNS = ("file", "row", "field", "value", "code", "severity", "message")

_LINES_AT_ONCE = 100_000
_NEEDS_QUOTES = '[,"\r\n]'


def write_errors(path: Path, files: Iterable[tuple[str, pa.Table]]) -> None:
    """Writes the findings (``ERRORS_SCHEMA``) of each named file, in the order given."""
    with path.open("wb") as out:
        write_report(out, files)


def write_report(out: IO[bytes], files: Iterable[tuple[str, pa.Table]]) -> None:
    """The same, wherever the bytes go."""
    out.write(",".join(COLUMNS).encode() + b"\n")
    for name, errors in files:
        for batch in errors.to_batches(max_chunksize=_LINES_AT_ONCE):
            out.write(_text_of(_lines(name, batch)))


def _lines(name: str, errors: pa.RecordBatch) -> pa.Array:
    """One finished line for each finding; cells are quoted only where they need it."""
    file = pa.repeat(pa.scalar(name), errors.num_rows)
    cells = [file, *(errors[column].cast(pa.string()) for column in COLUMNS[1:])]
    quoted = [_quoted(cell) for cell in cells]
    quoted[-1] = pc.binary_join_element_wise(quoted[-1], "\n", "")
    return pc.binary_join_element_wise(*quoted, ",")


def _quoted(cells: pa.Array) -> pa.Array:
    """Cells as csv has them; each distinct cell is quoted once, since most are repeated."""
    encoded = pc.fill_null(cells, "").dictionary_encode()
    texts = inert_texts(encoded.dictionary)
    doubled = pc.replace_substring(texts, '"', '""')
    in_quotes = pc.binary_join_element_wise('"', doubled, '"', "")
    wanting = pc.match_substring_regex(texts, _NEEDS_QUOTES)
    return pc.if_else(wanting, in_quotes, texts).take(encoded.indices)


def _text_of(lines: pa.Array) -> memoryview:
    """The lines one after the other: an Arrow array of strings holds them so already."""
    _, offsets, text = lines.buffers()
    ends = pa.Array.from_buffers(pa.int32(), len(lines) + 1, [None, offsets], offset=lines.offset)
    return memoryview(text)[ends[0].as_py() : ends[-1].as_py()]
