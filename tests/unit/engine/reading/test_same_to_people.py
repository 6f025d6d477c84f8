"""Identifiers that people cannot tell apart, and names of errors: one alone stands, two do not."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest

from core.engine.columns.as_read import text_as_read
from core.engine.columns.marks import ERROR_CELL, FROM_TEXT, with_marks
from core.engine.offline.checking import FileCheck, References, check_chunk, check_file
from core.engine.reading import open_file
from tests.small_dataset import GOOD, HEADINGS, SMALL, check_bytes, check_lines, found, stored

DATE = "2017-04-03"


def csv_of(folder: Path, *patients: str) -> FileCheck:
    return check_bytes(
        folder,
        "\n".join([HEADINGS, *(f'C1,"{patient}",{DATE}' for patient in patients), ""]).encode(),
    )


def workbook_of(folder: Path, *patients: str) -> FileCheck:
    book = openpyxl.Workbook()
    book.active.append(HEADINGS.split(","))
    for patient in patients:
        book.active.append(["C1", patient, dt.date(2017, 4, 3)])
    path = folder / "file.xlsx"
    book.save(path)
    return check_file(path, SMALL, References())


both = pytest.mark.parametrize("write", [csv_of, workbook_of])


@both
@pytest.mark.parametrize("odd", ["10\t01", "10\n01", "10  01", " 10\t 01 "])
@pytest.mark.parametrize("plain", ["10 01", "1001"])
@pytest.mark.parametrize("odd_first", [True, False])
def test_white_space_that_makes_two_patients_of_one_is_named(
    write: Any, tmp_path: Path, odd: str, plain: str, odd_first: bool
) -> None:
    check = write(tmp_path, *([odd, plain] if odd_first else [plain, odd]))
    row = 2 if odd_first else 3
    assert found(check) == [(row, "Patient ID", odd.strip(), "bad-pattern")]
    assert "nobody can tell apart" in check.errors["message"][0].as_py()


@both
def test_two_odd_spellings_are_both_named(write: Any, tmp_path: Path) -> None:
    check = write(tmp_path, "10\t01", "10\n01", "2")
    assert [each[:1] + each[3:] for each in found(check)] == [
        (2, "bad-pattern"),
        (3, "bad-pattern"),
    ]


@both
@pytest.mark.parametrize(
    ("odd", "plain"),
    [
        ('1001"', "1001"), ("1001'", "1001"), ("“1001”", "1001"), ("« 1001 »", "1001"),
        ("1001´", "1001"), ("А1001", "A1001"), ("Ρ1", "P1"), ("100¹", "1001"), ("①", "1"),
        ("１0A", "10A"), ("Ａ1", "A1"), ("10‑01", "10-01"), ("10–01", "10-01"), ("10−01", "10-01"),
        ("ﬁx", "fix"), ("l\t1", "l1"),
    ],
)  # fmt: skip
def test_letters_that_look_alike_are_named(
    write: Any, tmp_path: Path, odd: str, plain: str
) -> None:
    if text_as_read(odd) == plain:
        assert found(write(tmp_path, plain, odd)) == []
        return
    quoted = odd.replace('"', '""') if write is csv_of else odd
    check = write(tmp_path, plain, quoted, plain)
    assert found(check) == [(3, "Patient ID", odd, "bad-pattern")]
    assert found(write(tmp_path, quoted, quoted)) == []  # alone they are an identifier like any


@both
@pytest.mark.parametrize(
    "word", ["NULL", "null", "(null)", "NaN", "None", "<NA>", "N/A", "NA", "\\N"]
)
def test_words_for_no_value_are_not_one_patient(write: Any, tmp_path: Path, word: str) -> None:
    assert found(write(tmp_path, word, "1")) == []
    check = write(tmp_path, word, "1", f" {word} ")
    assert found(check) == [(row, "Patient ID", word, "bad-pattern") for row in (2, 4)]
    assert "missing value" in check.errors["message"][0].as_py()


@both
@pytest.mark.parametrize("text", ["'1001'", "' 1001 '", "''1001''", "'1001"])
def test_apostrophes_around_an_identifier_are_none_of_it(
    write: Any, tmp_path: Path, text: str
) -> None:
    assert stored(write(tmp_path, text), "Patient ID") == ["1001"]


def test_an_apostrophe_within_stays(tmp_path: Path) -> None:
    assert stored(csv_of(tmp_path, "O'Brien", "x'"), "Patient ID") == ["O'Brien", "x'"]


@both
@pytest.mark.parametrize(
    "patients",
    [
        ("a\tb", "line1\nline2", "a  c", "a b c"),
        ("10\t01", "10\t01"),
        ("10 01", "1001"),
        ("10\u00a001", "10 01"),
        ("10  01", "10 02"),
    ],
)
def test_what_looks_like_no_other_stands(
    write: Any, tmp_path: Path, patients: tuple[str, ...]
) -> None:
    check = write(tmp_path, *patients)
    assert found(check) == []
    assert stored(check, "Patient ID") == [patient.replace("\u00a0", " ") for patient in patients]


CHUNKS = [
    (("10\t01", "1001", "10\t01", "1001"), [3, 5]),
    (("1001", "10\t01", "10\t01"), [3, 4]),
    (("10\t01", "10\n01", "10\t01", "10\n01"), [3, 5]),
    (("#N/A", "1", "#N/A", "#n/a"), [4, 5]),
    (("#N/A", "'#N/A", "1", "'#N/A"), []),
    (("NULL", "1", "null"), [4]),
    (("1001”", "1", "1001", "1001”"), [4]),
]


@pytest.mark.parametrize(("patients", "rows"), CHUNKS)
def test_what_came_in_an_earlier_chunk_is_known(
    tmp_path: Path, patients: tuple[str, ...], rows: list[int]
) -> None:
    path = tmp_path / "file.csv"
    filling = "\n".join([f'C1,"{"x" * 20}",{DATE}'] * 2000)
    lines = [f'C1,"{patient}",{DATE}\n{filling}' for patient in patients]
    path.write_text("\n".join([HEADINGS, *lines, ""]), newline="")
    named, chunks = [], 0
    with open_file(path, SMALL, chunk_rows=1000) as reading:
        for chunk in reading.chunks():
            chunks += 1
            named += check_chunk(chunk, SMALL, References()).errors["row"].to_pylist()
    assert chunks >= len(patients)
    assert named == [2 + 2001 * (row - 2) for row in rows]


def test_patients_are_told_apart_in_a_transposed_file_too(tmp_path: Path) -> None:
    lines = [f'C1,"10\t01",{DATE},T1', f"C1,1001,{DATE},T2"]
    check = check_lines(tmp_path, f"{HEADINGS},Code", *lines, transpose=True)
    assert [(row, code) for row, _, _, code in found(check)] == [(2, "bad-pattern")]


NAMES = [
    "#NV", "#N/D", "#N/B", "#I/T", "#YOK", "#Н/Д", "#Δ/Υ", "#HIÁNYZIK", "#NENÍ_K_DISPOZICI",
    "#DATEN_ABRUFEN", "#GETTING_DATA", "#BEZUG!", "#WERT!", "#ZAHL!", "#VALEUR!", "#NOM?",
    "#NOMBRE!", "#¡REF!", "#¡VALOR!", "#¿NOMBRE?", "#¡DIV/0!", "#NOME?", "#ДЕЛ/0!", "#ИМЯ?",
    "#ССЫЛКА!", "#VÄRDEFEL!", "#NÁZEV?", "#ÖVERSPILL!", "#ADR!", "#ARG!", "#DZIEL/0!", "#WAARDE!",
    "#SPILL!", "#FIELD!", "#CALC!", "#BLOCKED!", "#CONNECT!", "#UNKNOWN!", "#BUSY!", "#PYTHON!",
    "#EXTERNAL!", "#ref!", "Err:502", "err:522", "Fehler:504",
]  # fmt: skip


@both
@pytest.mark.parametrize("name", NAMES)
def test_an_error_of_any_spreadsheet_in_any_language_is_named(
    write: Any, tmp_path: Path, name: str
) -> None:
    check = write(tmp_path, "1", name)
    assert found(check) == [(3, "Patient ID", name, "bad-pattern")]


@both
@pytest.mark.parametrize(
    "text",
    ["see #REF! there", "#1", "#5!", "Err: 502", "Error", "#hashtag", "#A_1", "NV",
     "Err:5021", "#sexual_health", "# N/A", "#!"],
)  # fmt: skip
def test_a_text_that_only_mentions_one_is_a_text(write: Any, tmp_path: Path, text: str) -> None:
    assert found(write(tmp_path, text, text)) == []


@pytest.mark.parametrize("name", ["#REF!", "#BEZUG!", "#NV", "Err:508"])
def test_an_error_in_the_place_of_a_heading_is_named_where_its_column_holds_something(
    tmp_path: Path, name: str
) -> None:
    filled = check_lines(tmp_path, f"{HEADINGS},{name}", f"{GOOD},T1")
    assert [each[::3] for each in found(filled)] == [(None, "unknown-column"), (1, "bad-pattern")]
    assert "column D" in filled.errors["message"][1].as_py()
    assert not filled.refused
    empty = check_lines(tmp_path, f"{HEADINGS},{name}", f"{GOOD},")
    assert [each[3] for each in found(empty)] == ["unknown-column"]


def test_a_marked_chunk_still_knows_what_it_came_with() -> None:
    cells = pa.array(["#N/A", "1"]).dictionary_encode()
    table = pa.table({"row": pa.array([2, 3], pa.int32()), "Patient ID": cells})
    table = table.replace_schema_metadata({b"layout": b"one"})
    marked = with_marks(table, "Patient ID", pa.array([True, False]), ERROR_CELL)
    assert marked.schema.metadata == {b"layout": b"one", **FROM_TEXT}
    assert marked["Patient ID"].to_pylist() == [f"{ERROR_CELL}#N/A", "1"]
