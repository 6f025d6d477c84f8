"""A document that cannot be read is the mistake of who named it, and says so."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from core.documents import parse_document, read_document
from core.user_errors import DocumentError


def test_a_document_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"nowhere\.yaml: cannot be read"):
        read_document(tmp_path / "nowhere.yaml")


def test_a_folder_is_no_document(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be read"):
        read_document(tmp_path)


@pytest.mark.parametrize(
    "number",
    ["010", "0x1F", "0b11", "1:30", "1:30.5", "1_000", "1.0e+3", "1.5E-7", "1.", ".inf",
     "-.inf", ".nan", "-010"],
)  # fmt: skip
def test_numbers_that_people_do_not_write_are_refused_with_their_line(number: str) -> None:
    for text in (f"a: 1\nb: {number}\n", f"a:\n  - {number}\n", f"a:\n  {number}: x\n"):
        with pytest.raises(DocumentError, match=r"a\.yaml:[12]: write .* as a decimal number"):
            parse_document(text, name="a.yaml")


def test_decimal_numbers_are_exact_and_texts_are_texts() -> None:
    text = 'a: [0, -5, 12, 1.05, .5, 0.12345678901234567890, "010", 1e25, 0o17, 08, 2017-04]\n'
    assert parse_document(text, name="a.yaml").data["a"] == [
        0, -5, 12, Decimal("1.05"), Decimal("0.5"), Decimal("0.12345678901234567890"),
        "010", "1e25", "0o17", "08", "2017-04",
    ]  # fmt: skip


def _refusal(text: str) -> str:
    with pytest.raises(DocumentError) as refused:
        parse_document(text, name="a.yaml")
    return str(refused.value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("2017-02-30", "2017-02-30 is no date"),
        ("2017-13-01", "2017-13-01 is no date"),
        ("0000-01-01", "0000-01-01 is no date"),
        ("!!timestamp x", "x is no date"),
        ("!!bool maybe", "maybe is no truth value"),
        ("9" * 5000, "9 is no whole number"),
        ("!!binary é", "base64"),
        ('"a\\0b"', "holds a NUL character"),
        ("a\0b", "U\\+0000"),
        ("a\x1fb", "U\\+001F"),
        ("{[a, b]: c}", "a name that is a list or a mapping"),
        ("{? {a: b} : c}", "a name that is a list or a mapping"),
    ],
)
def test_a_value_that_is_none_is_refused_with_its_line(value: str, reason: str) -> None:
    for text in (f"a: 1\nb: {value}\n", f"a: 1\n\nb:\n  - {value}\n"):
        refusal = _refusal(text)
        assert re.search(rf"a\.yaml:{text.count(chr(10))}: .*{reason}", refusal), refusal[:300]


def test_aliases_stand_for_what_they_name() -> None:
    text = "a: &one {factor: 1.5}\nb: *one\nc: {<<: *one, d: 2}\n"
    data = parse_document(text, name="a.yaml").data
    assert data["b"] == {"factor": Decimal("1.5")}
    assert data["c"] == {"factor": Decimal("1.5"), "d": 2}


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]\n",
        "a: &a {b: *a}\n",
        "a: &a {c: 1, <<: *a}\n",
        f"a: {'[' * 101}{']' * 101}\n",
        f"a: {'[' * 5000}{']' * 5000}\n",
    ],
)
def test_a_document_without_an_end_is_refused(text: str) -> None:
    assert "more than 100 deep" in _refusal(text)


def test_a_document_that_repeats_itself_beyond_measure_is_refused_at_once() -> None:
    lines = ["p0: &p0 [x]"]
    lines += [f"p{n}: &p{n} [{', '.join([f'*p{n - 1}'] * 9)}]" for n in range(1, 60)]
    assert "more than 1,000,000 values" in _refusal("\n".join(lines))


def test_bytes_that_are_no_text_are_named_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: 1\n\nb: \xe9\n")
    with pytest.raises(DocumentError, match=r"a\.yaml:3: not UTF-8 text \(byte 10\)"):
        read_document(path)
