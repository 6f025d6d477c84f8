"""Every row of a file went somewhere, and the numbers say where."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from unittest.mock import patch

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.engine.offline.check_summary import as_document, as_text
from core.engine.offline.checking import FileCheck, References, check_file
from core.engine.reading.csv_file import CsvSource
from core.engine.reading.csv_records import Record
from tests.small_dataset import GOOD, HEADINGS, SMALL, check_bytes, check_lines, codes


def rows_of(check: FileCheck) -> tuple[int | None, ...]:
    """In the file, read, in error, left out."""
    return tuple(check.rows.values())


@pytest.mark.parametrize(
    ("lines", "rows"),
    [
        ([GOOD, GOOD], (2, 2, 0, 0)),
        ([GOOD, "C1,1,x", "C1", "C1,1,2,3"], (4, 1, 3, 0)),
        ([GOOD, HEADINGS, GOOD], (3, 2, 0, 1)),
        ([GOOD, "Patient ID,Clinic ID,Attendance Date", GOOD], (3, 2, 1, 0)),
        ([GOOD, "", "", "total,,", "x", ""], (3, 1, 0, 2)),
        ([GOOD, 'C1,"1,2017-04-03', GOOD, GOOD], (4, 3, 1, 0)),
        (['C1,"a', 'b",2017-04-03', GOOD], (2, 2, 0, 0)),
        (["\ufeff" + GOOD, "", ""], (1, 1, 0, 0)),
    ],
)
def test_rows_are_read_in_error_or_left_out(
    tmp_path: Path, lines: list[str], rows: tuple[int, ...]
) -> None:
    check = check_lines(tmp_path, HEADINGS, *lines)
    assert rows_of(check) == rows
    assert rows[0] == sum(rows[1:])
    assert not check.refused


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        (["Clinic ID", "C1", "C2"], 2),
        (["Clinic ID,Patient ID", "C1", "C2,2", "", "C3,3"], 3),
        (["Activity", "", HEADINGS, GOOD, GOOD], 2),
        ([f"{HEADINGS},Clinic", GOOD, f"{GOOD},C1", '"', GOOD], 4),
        ([""], 0),
    ],
)
def test_of_a_file_that_is_refused_for_its_headings_all_rows_are_left_out(
    tmp_path: Path, lines: list[str], count: int
) -> None:
    check = check_lines(tmp_path, *lines)
    assert check.refused
    assert rows_of(check) == (count, 0, 0, count)
    document = as_document([check], errors_csv="errors.csv", dataset="small")["files"][0]
    assert (document["rows_in_file"], document["rows_left_out"]) == (count, count)
    assert f"{count:,} left out" in as_text([check], errors_csv="errors.csv")


def test_rows_of_a_workbook_without_its_headings_are_counted(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["Clinic ID"], ["C1"], ["C2"], [], ["C3", None, "x"]):
        book.active.append(row)
    book.save(tmp_path / "file.xlsx")
    check = check_file(tmp_path / "file.xlsx", SMALL, References())
    assert (check.refused, rows_of(check)) == (True, (3, 0, 0, 3))


@pytest.mark.parametrize("content", [b"Clinic ID\nC1\0", b"%PDF", b"\xff\xfe\0\0C\0\0\0"])
def test_rows_of_what_cannot_be_read_are_not_counted(tmp_path: Path, content: bytes) -> None:
    assert rows_of(check_bytes(tmp_path, content)) == (None, None, None, None)


def test_a_file_of_which_a_row_is_lost_is_refused(tmp_path: Path) -> None:
    """A reader that loses a row is a bug; it must not become a month without a patient."""
    whole = CsvSource._of_full_width

    def forgetful(self: CsvSource, records: Iterable[Record]) -> Iterator[tuple[int, list[str]]]:
        yield from itertools.islice(whole(self, records), 1, None)

    lines = [HEADINGS, *(f'C1,"{number}\n",2017-04-03' for number in range(4))]
    assert rows_of(check_lines(tmp_path, *lines)) == (4, 4, 0, 0)
    with patch.object(CsvSource, "_of_full_width", forgetful):
        check = check_lines(tmp_path, *lines)
    assert check.refused
    assert codes(check) == ["unreadable-file"]


LINES = [
    GOOD, GOOD, "C1,1,x", "C1", "", ",,", HEADINGS, '"', 'C1,"1', '1",2', 'C1,"a', 'b",2017-04-03',
    "\ufeff" + GOOD, "\x1a", "C1,1,2,3", "C1;1;2", '"C1","1","2017-04-03"', "x\r", "'C1,=\"1\",2",
]  # fmt: skip

content = st.lists(st.sampled_from(LINES), max_size=14)


@settings(deadline=None)
@given(lines=content, end=st.sampled_from(["\n", "\r\n", "\r", "\r\r\n"]))
def test_whatever_stands_in_a_file_the_sum_holds(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], end: str
) -> None:
    text = end.join([HEADINGS, *lines, ""])
    check = check_bytes(tmp_path_factory.getbasetemp(), text.encode())
    there, *parts = rows_of(check)
    assert not check.refused
    assert there == sum(part or 0 for part in parts)
    named = {row for row in check.errors["row"].to_pylist() if row is not None}
    assert len(named) >= (parts[1] or 0)
