"""errors.csv: the contract's columns, and text that comes back as it went in."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine.dataset.error_report import COLUMNS, write_errors
from core.engine.dataset.problems import errors_table

cell_texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20
)
findings = st.fixed_dictionaries(
    {
        "row": st.none() | st.integers(1, 2**31 - 1),
        "field": st.none() | cell_texts,
        "value": st.none() | cell_texts | st.sampled_from(['a"b', "a,b", "a\r\nb", "=1+1", '"']),
        "code": st.just("bad-date"),
        "severity": st.sampled_from(["error", "warning"]),
        "message": cell_texts,
    }
)


@given(files=st.lists(st.tuples(cell_texts, st.lists(findings, max_size=5)), max_size=3))
def test_what_was_found_can_be_read_back(
    tmp_path_factory: pytest.TempPathFactory, files: list[tuple[str, list[dict[str, object]]]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "errors.csv"
    write_errors(path, ((name, errors_table(found)) for name, found in files))
    with path.open(encoding="utf-8", newline="") as text:
        header, *lines = csv.reader(text)
    assert tuple(header) == COLUMNS
    assert lines == [
        [as_text(name), *(as_text(finding[column]) for column in COLUMNS[1:])]
        for name, findings_of_file in files
        for finding in findings_of_file
    ]


def as_text(value: object) -> str:
    """A value as it is written: one that a spreadsheet would calculate has an apostrophe first."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def test_cells_are_quoted_only_where_they_need_it(tmp_path: Path) -> None:
    found = {"row": 2, "field": "A", "value": "x", "code": "c", "severity": "error", "message": "m"}
    write_errors(tmp_path / "e.csv", [("f", errors_table([found, {**found, "value": 'a,"b"'}]))])
    assert (tmp_path / "e.csv").read_bytes() == (
        b"file,row,field,value,code,severity,message\n"
        b"f,2,A,x,c,error,m\n"
        b'f,2,A,"a,""b""",c,error,m\n'
    )
