"""The fast way and the exact way of reading csv agree, and both with the csv module."""

from __future__ import annotations

import csv
import io
from unittest.mock import patch

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.engine.columns.as_read import text_as_read
from core.engine.columns.marks import bare_text, is_marked
from core.engine.reading import csv_file, open_file
from core.engine.reading.csv_file import CsvSource
from tests.small_dataset import SMALL

HEADINGS = ["Clinic ID", "Patient ID", "Attendance Date"]

cells = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6
) | st.sampled_from(
    ["", " ", "C1", '"', '""', 'a"b', "a,b", "\n", "\r", "a\r\nb", "é", "2017-04-03"]
)
# a row within a cell is taken for one that a stray quote swallowed, see test_stray_quotes
cells = cells.filter(lambda cell: "," not in cell or not {"\n", "\r"} & set(cell))
rows = st.lists(st.lists(cells, min_size=3, max_size=3), max_size=12)
form = st.text(st.sampled_from('a1é"", ;\n\r'), max_size=60)


def read(path: object, chunk_rows: int = 50_000) -> tuple[list[object], list[object]]:
    """Rows with their numbers, as people read them, and findings."""
    with open_file(path, SMALL, chunk_rows=chunk_rows) as reading:  # type: ignore[arg-type]
        table = [
            (row["row"], *(text_as_read(_bare(row[name] or "", chunk)) for name in HEADINGS))
            for chunk in reading.chunks()
            for row in chunk.to_pylist()
        ]
        return table, [*reading.errors.to_pylist(), *reading.late_errors().to_pylist()]


def _bare(text: str, chunk: pa.Table) -> str:
    """A text without the mark of an identifier that looks like another."""
    return bare_text(text) if is_marked(chunk) else text


@settings(deadline=None)
@given(
    rows=rows,
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[str]],
    end: str,
    quoting: int,
    encoding: str,
) -> None:
    if quoting == csv.QUOTE_MINIMAL:  # the writer leaves a lone carriage return without quotes
        rows = [[cell.replace("\r", "") for cell in row] for row in rows]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([HEADINGS, *rows])
    path = tmp_path_factory.getbasetemp() / "written.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    table, _ = read(path)
    expected = []
    for number, row in enumerate(rows, start=2):
        if not any(map(text_as_read, row)):
            break
        expected.append((number, *map(text_as_read, row)))
    assert table == expected


@settings(deadline=None)
@given(rows=rows, body=form)
def test_both_ways_agree_on_any_text(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], body: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    good = "".join(",".join(cell for cell in row) + "\n" for row in rows)
    path.write_bytes((",".join(HEADINGS) + "\n" + good + body).encode())
    fast = read(path)
    with patch.object(CsvSource, "_at_once", return_value=None):
        by_block = read(path)
    with patch.object(csv_file, "_plainly_quoted", return_value=False):
        by_line = read(path)
    assert fast == by_block == by_line


@settings(deadline=None)
@given(body=form, chunk_rows=st.integers(1, 5))
def test_the_size_of_chunks_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, body: str, chunk_rows: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "chunks.csv"
    path.write_bytes((",".join(HEADINGS) + "\n" + body).encode())
    with patch.object(csv_file, "LEAST_BLOCK", 8):
        small = read(path, chunk_rows)
    assert small == read(path)
