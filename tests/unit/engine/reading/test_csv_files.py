"""Csv in every dress: encodings, separators, line ends, quotes, and what is wrong with its form."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.engine.reading import csv_file, open_file
from core.engine.reading.files import RowCounts
from tests.small_dataset import (
    GOOD,
    HEADINGS,
    SMALL,
    check_bytes,
    check_lines,
    codes,
    found,
    stored,
)

PLAIN = f"{HEADINGS}\nC1,é1,2017-04-03\nC2,2,2017-04-04\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode("utf-8"),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        b"\xfe\xff" + PLAIN.encode("utf-16-be"),
        PLAIN.encode("cp1252"),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.replace("\n", "\r").encode("utf-16"),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace(",", "|").encode(),
        ("sep=;\r\n" + PLAIN.replace(",", ";")).encode(),
        ("SEP=;\n" + PLAIN.replace(",", ";")).encode("utf-16"),
        ("sep=;\r" + PLAIN.replace(",", ";").replace("\n", "\r")).encode(),
        ('"Sep=;"\r\r\n' + PLAIN.replace(",", ";").replace("\n", "\r\r\n")).encode(),
        ("sep=;;;;;\n" + PLAIN.replace(",", ";")).encode("utf-8-sig"),
        ("sep=\t\n" + PLAIN.replace(",", "\t")).encode(),
        ("sep=,\n" + PLAIN).encode("cp1252"),
        ("sep=^\n" + PLAIN.replace(",", "^")).encode(),
        PLAIN.replace("\n", "\r\r\n").encode(),
        PLAIN.replace("\n", "\r\r\n").encode("utf-16"),
        PLAIN.encode() + b"\x1a",
        PLAIN.rstrip("\n").encode() + b"\x1a\x1a\x1a",
        PLAIN.encode() + b"\x1a\r\n",
        (PLAIN + "\x1a").encode("utf-16"),
        PLAIN.replace("é1", ' "é1" ').encode(),
        PLAIN.replace("é1", '\u00a0"é1"').encode(),
        PLAIN.replace("é1", '="é1"').encode(),
        PLAIN.replace("é1", "'e\u03011\u200b").encode(),
        PLAIN.replace("Patient ID", "Pati\u00adent\u00a0ID").encode(),
        PLAIN.replace("2017-04-03", "２０１７-０４-０３").encode(),
        PLAIN.rstrip("\n").encode(),
        (PLAIN + "\n\n").encode(),
        (PLAIN + ",,\n , ,\n").encode(),
        PLAIN.replace("é1", '"é1"').encode(),
        PLAIN.replace("C2", '"C2"').replace("Clinic ID", '"Clinic ID"').encode("cp1252"),
        PLAIN.replace("Clinic ID", '"Clinic\nID"').encode(),
    ],
)
def test_every_dress_gives_the_same_records(tmp_path: Path, content: bytes) -> None:
    check = check_bytes(tmp_path, content)
    assert codes(check) == []
    assert stored(check, "row") == [2, 3]
    assert stored(check, "Clinic ID") == ["C1", "C2"]
    assert stored(check, "Patient ID") == ["é1", "2"]


def test_a_line_break_inside_quotes_is_part_of_the_cell_and_no_row(tmp_path: Path) -> None:
    check = check_lines(tmp_path, HEADINGS, 'C1,"a', 'b",2017-04-03', "C1,c,2017-02-30")
    assert stored(check, "Patient ID") == ["a\nb", "c"]
    assert found(check) == [(3, "Attendance Date", "2017-02-30", "bad-date")]


def test_quotes_hold_separators_and_doubled_quotes(tmp_path: Path) -> None:
    check = check_lines(tmp_path, HEADINGS, 'C1,"a,""b""",2017-04-03', 'C1,5" x 6",2017-04-03')
    assert stored(check, "Patient ID") == ['a,"b"', '5" x 6"']


def test_a_ragged_row_is_no_record_and_its_cells_are_not_checked(tmp_path: Path) -> None:
    check = check_lines(tmp_path, HEADINGS, GOOD, "C1,1", "C1,1,x,y", GOOD, "C1,1,x")
    assert found(check) == [
        (3, None, None, "ragged-row"),
        (4, None, None, "ragged-row"),
        (6, "Attendance Date", "x", "bad-date"),
    ]
    assert stored(check, "row") == [2, 5, 6]
    assert check.row_count == 5


def test_a_quote_that_is_never_closed_is_found_in_its_row(tmp_path: Path) -> None:
    check = check_lines(tmp_path, HEADINGS, GOOD, 'C1,"1,2017-04-03', *[GOOD] * 3)
    assert found(check) == [(3, None, None, "ragged-row")]
    assert "never closed" in check.errors["message"][0].as_py()


def test_an_open_quote_before_very_much_text_is_found_too(tmp_path: Path) -> None:
    check = check_lines(tmp_path, HEADINGS, 'C1,"1,2017-04-03', *[GOOD] * 20_000)
    assert found(check) == [(2, None, None, "ragged-row")]
    assert "longer than" in check.errors["message"][0].as_py()


def test_data_below_an_empty_row_are_an_error_and_not_read(tmp_path: Path) -> None:
    check = check_lines(tmp_path, HEADINGS, GOOD, ",,", "", "total", "C1,1,x")
    assert found(check) == [(5, None, None, "data-after-empty-row")]
    assert stored(check, "row") == [2]


def test_the_end_and_what_follows_it_may_lie_in_different_chunks(tmp_path: Path) -> None:
    rows = [f"C1,{number},2017-04-03" for number in range(60_000)]
    check = check_lines(tmp_path, HEADINGS, *rows, ",,", *[" , ,"] * 60_000, "total,,", "more,,")
    assert found(check) == [(120_003, None, None, "data-after-empty-row")]
    assert check.record_count == 60_000


def test_a_row_blank_but_for_an_unknown_column_is_not_empty(tmp_path: Path) -> None:
    check = check_lines(tmp_path, HEADINGS + ",Notes", GOOD + ",", ",,,note", GOOD + ",")
    assert check.record_count == 3
    assert codes(check) == ["unknown-column", *["missing-value"] * 3]


@pytest.mark.parametrize("blank", range(1, 6))
@pytest.mark.parametrize("mark", ["", "sep=,\n"])
def test_rows_below_blank_ones_are_counted_where_the_file_is_refused(
    tmp_path: Path, blank: int, mark: str
) -> None:
    check = check_bytes(tmp_path, (mark + "\n" * blank + "A,B\n" + "1,2\n" * 3).encode())
    assert set(codes(check)) == {"missing-column"}
    assert check.counts == RowCounts(there=4, left_out=4)


NOTHING = (
    b"",
    b"\xef\xbb\xbf",
    b"\n\n",
    b"\x1a",
    b"sep=;",
    b"sep=;\n",
    b"sep=,\n\x1a",
    HEADINGS.encode(),
)


@pytest.mark.parametrize("content", NOTHING)
def test_a_file_without_records_is_empty_whatever_else_it_lacks(
    tmp_path: Path, content: bytes
) -> None:
    assert "empty-file" in codes(check_bytes(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "row"),
    [
        (PLAIN.encode() + b"C3,\xe9,2017-04-03\n", 4),  # a Windows byte in UTF-8 text
        (PLAIN.encode("utf-8-sig") + b"C3,\xe9,2017-04-03\n", 4),
        (f"{HEADINGS}\nC1,".encode() + b"\x81\xe9,2017-04-03\n", 2),  # not Windows text either
        (f'{HEADINGS}\nC1,"a\nb",2017-04-03\nC1,'.encode() + b"\x81,2017-04-03\n", 3),
        (PLAIN.encode() + b"C3,\0,2017-04-03\n", 4),
        (PLAIN.encode("cp1252") + b"C3,\0,2017-04-03\n", 4),
        (PLAIN.encode("utf-16-le"), 1),  # nothing says which encoding it is
        (PLAIN.encode("utf-16") + b"\x00\xd8", 4),
        (("sep=,\r" + PLAIN.replace("\n", "\r")).encode("utf-16") + b"\x00\xd8", 4),
        ((PLAIN + "C3,\0,2017-04-03\n").encode("utf-16"), 4),
        ((PLAIN + "C3,\0,2017-04-03\n").replace("\n", "\r").encode("utf-16"), 4),
        (("sep=;\n" + PLAIN).replace(",", ";").encode() + b"C3;\0;2017-04-03\n", 4),
        (f'"SEP=;"\r{HEADINGS}\rC1;"a\rb";2017-04-03\rC1;\0'.replace(",", ";").encode(), 3),
        (f"{HEADINGS}\nC1;2".encode() + b"\x81\xe9,2017-04-03\n", 2),
        (f'{HEADINGS};Notes\nC1;1;2017-04-03;"a\nb"\nC1;\0'.replace(",", ";").encode(), 3),
        (PLAIN.encode("utf-16")[:-1], 3),
        (PLAIN.encode()[: PLAIN.encode().index(b"\xa9")], 2),  # cut off inside a character
    ],
)
def test_bytes_that_are_no_text_are_found_in_their_row(
    tmp_path: Path, content: bytes, row: int
) -> None:
    check = check_bytes(tmp_path, content)
    if content.endswith(b"\xc3"):
        assert codes(check) == ["ragged-row"]  # one lone byte may be Windows text
        return
    assert found(check) == [(row, None, None, "bad-encoding")]
    assert check.refused


@pytest.mark.parametrize(
    "notes",
    ["RENÉ’S", "CAFÉ”", "ÜBUNG: SÃO", "È…", "Ø – ÅL Ñ™", "VOILÀ’", "ÉTÉ»", "“RENÉ” and café"],
)
def test_windows_text_is_no_mixture_though_some_of_it_looks_like_utf8(
    tmp_path: Path, notes: str
) -> None:
    lines = f"{HEADINGS},Notes\nC1,{notes},2017-04-03,café\n"
    check = check_bytes(tmp_path, lines.encode("cp1252"))
    assert stored(check, "Patient ID") == [notes]


def test_windows_text_that_is_utf8_by_chance_is_windows_text(tmp_path: Path) -> None:
    check = check_bytes(tmp_path, f"{HEADINGS}\nC1,RENÉ’S,2017-04-03\n".encode("cp1252"))
    assert stored(check, "Patient ID") == ["RENÉ’S"]


@pytest.mark.parametrize("letter", ["é", "’", "ą", "π", "жд", "名", "😀"])
def test_a_mixture_is_none_of_both(tmp_path: Path, letter: str) -> None:
    lines = f"{HEADINGS}\nC1,{letter},2017-04-03\n".encode() + b"C1,\xe9,2017-04-03\n"
    check = check_bytes(tmp_path, lines)
    assert found(check) == [(3, None, None, "bad-encoding")]


@pytest.mark.parametrize("encoding", ["utf-32", "utf-32-le", "utf-32-be"])
def test_utf32_is_refused(tmp_path: Path, encoding: str) -> None:
    check = check_bytes(tmp_path, PLAIN.encode(encoding))
    assert codes(check) == ["bad-encoding"]
    assert check.refused


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("1.23457E+15", "bad-number"),
        ("1,23457E+15", "bad-number"),
        ("1.2e+15", "bad-number"),
        ("-1.5E-7", "bad-number"),
        ("1E+15", "bad-number"),
        ("1.E+15", "bad-number"),
        ("1.E15", "bad-number"),
        (".5E+15", "bad-number"),
        ("1 E +15", "bad-number"),
        ("1.2 E 15", "bad-number"),
        ("1.2\uff25+15", "bad-number"),
        ("1\uff45\uff0b15", "bad-number"),
        ("1\u00a0E\u00a0+ 15", "bad-number"),
        ("1E5", None),
        ("1 E 5", None),
        ("1\uff255", None),
        ("12E34", None),
        ("1.5", None),
        ("E+15", None),
    ],
)
def test_an_identifier_whose_digits_were_rounded_away_is_no_identifier(
    tmp_path: Path, value: str, code: str | None
) -> None:
    check = check_lines(tmp_path, HEADINGS, f'C1,"{value}",2017-04-03')
    assert [error for *_, error in found(check)] == ([code] if code else [])


def test_the_fast_way_is_the_one_that_reads_plain_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a plain file went line by line")

    monkeypatch.setattr(csv_file.CsvSource, "_exactly", refuse)
    check = check_lines(tmp_path, HEADINGS, *['"C1","1,2",2017-04-03'] * 1000)
    assert check.record_count == 1000


@pytest.mark.parametrize("rows", [0, 10, 30_000])
def test_how_many_chunks_there_will_be_is_known_before(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "activity.csv"
    path.write_text("\n".join([HEADINGS, *([GOOD] * rows), ""]))
    with open_file(path, SMALL, chunk_rows=5_000) as reading:
        expected = reading.expected_chunks()
        assert expected is not None
        assert abs(expected - sum(1 for _ in reading.chunks())) <= 1
    with open_file(path, SMALL, transpose=True) as reading:
        assert reading.expected_chunks() is None


ERRORS = ["#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#ref!"]


@pytest.mark.parametrize("value", [*ERRORS, " #REF! ", "#REF!\u200b", "##", "########"])
def test_what_a_program_saves_for_an_error_is_no_value(tmp_path: Path, value: str) -> None:
    good = {
        **dict(zip(HEADINGS.split(","), ("C1", "1", "2017-04-03"), strict=True)),
        "LSOA": "E01000001",
        "Age": "3",
        "Medium": "01",
        "Practice": "A12345",
    }
    wrong = {"LSOA": "unknown-lsoa", "Age": "bad-number", "Medium": "unknown-code",
             "Attendance Date": "bad-date"}  # fmt: skip
    for name in good:
        cells = {**good, name: value}
        check = check_lines(tmp_path, ",".join(cells), ",".join(cells.values()))
        expected = [(2, name, value.strip(" \u200b"), wrong.get(name, "bad-pattern"))]
        assert found(check) == expected
        said = "did not fit its column" if "##" in value else "the Excel error"
        assert said in check.errors["message"][0].as_py()


@pytest.mark.parametrize("value", ["'#N/A", "#1", "#", "#A1", "N/A", "##1"])
def test_a_text_with_a_number_sign_is_a_text(tmp_path: Path, value: str) -> None:
    check = check_lines(tmp_path, HEADINGS, f"C1,{value},2017-04-03")
    assert found(check) == []


def test_several_records_of_no_value_are_not_one_patient(tmp_path: Path) -> None:
    one, several = (
        check_lines(tmp_path, HEADINGS, *["C1,#N/A,2017-04-03"] * rows, GOOD) for rows in (1, 2)
    )
    assert (found(one), stored(one, "Patient ID")) == ([], ["#N/A", "1"])
    assert found(several) == [(row, "Patient ID", "#N/A", "bad-pattern") for row in (2, 3)]


@pytest.mark.parametrize(
    ("field", "code"), [("Age", "bad-number"), ("Medium", "unknown-code"), ("LSOA", "unknown-lsoa")]
)
def test_no_value_where_no_text_stands_is_an_error_of_excel(
    tmp_path: Path, field: str, code: str
) -> None:
    check = check_lines(tmp_path, f"{HEADINGS},{field}", f"{GOOD},#N/A")
    assert found(check) == [(2, field, "#N/A", code)]
    assert "the Excel error" in check.errors["message"][0].as_py()
