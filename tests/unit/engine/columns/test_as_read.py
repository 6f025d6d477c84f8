"""Text as people read it: one value a case, then what holds for all texts."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine.columns.as_read import as_read, made_visible, text_as_read, with_nul

INVISIBLE = [
    "\u00ad", "\u034f", "\u061c", "\u115f", "\u17b4", "\u180e", "\u200b", "\u200c", "\u200d",
    "\u200e", "\u200f", "\u202a", "\u202e", "\u2060", "\u2063", "\u2066", "\u2069", "\u3164",
    "\x01", "\x08", "\x0e", "\x1a", "\x1b", "\x1c", "\x1f", "\x7f", "\x80", "\x84", "\x86",
    "\x9f", "\ufe0f", "\ufeff", "\uffa0", "\ufff9", "\U0001d173", "\U000e0020", "\U000e0100",
]  # fmt: skip
SPACES = ["\t", "\n", "\r", "\v", "\f", " ", "\u0085", "\u00a0", "\u1680", "\u2003",
          "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"]  # fmt: skip


def read(*texts: str | None) -> list[str | None]:
    return as_read(pa.array(texts, pa.string())).to_pylist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("character", INVISIBLE, ids=[f"U+{ord(c):04X}" for c in INVISIBLE])
def test_what_nobody_can_see_makes_no_difference(character: str) -> None:
    around = f"{character}10{character}01{character}"
    assert read(around, "1001", character, f" {character} ") == ["1001", "1001", None, None]
    assert text_as_read(around) == "1001"
    assert f"U+{ord(character):04X}" in made_visible(around)


@pytest.mark.parametrize("space", SPACES, ids=[f"U+{ord(c):04X}" for c in SPACES])
def test_white_space_of_every_kind_is_trimmed(space: str) -> None:
    assert read(f"{space}1001{space}{space}", space) == ["1001", None]


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r\r\n", "\v", "\f", "\u0085", "\u2028"])
def test_a_line_break_inside_a_text_is_one_whatever_it_is_made_of(line_break: str) -> None:
    assert read(f"10{line_break}01", "1001") == ["10\n01", "1001"]
    assert text_as_read(f"10{line_break}01") == "10\n01"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('="0001"', "0001"),
        ('= "0001"', "0001"),
        (' ="0001" ', "0001"),
        ('="a ""b"""', 'a "b"'),
        ('=" 1 "', "1"),
        ('=""', None),
        ("'0001", "0001"),
        (" '0001", "0001"),
        ("'", None),
        ('\'="1"', "1"),
        (' "1001"', "1001"),
        ('\t"1001"', "1001"),
        ('\u00a0"1001" ', "1001"),
        (' "a ""b"""', 'a "b"'),
        ("e\u0301", "é"),
        ("\u1100\u1161", "가"),
        ("１２\U0001d7d1\U0001fbf4", "1234"),
        ("10\u00a001", "10 01"),
        ("\x1a", None),
        ("1001\x1a", "1001"),
        ("1\0", "1␀"),
    ],
)
def test_a_text_is_what_stands_in_its_dress(text: str, expected: str | None) -> None:
    assert read("x", text) == ["x", expected]
    assert text_as_read(text) == (expected or "")


@pytest.mark.parametrize(
    "text",
    ["=1+1", '="a"&"b"', "O'Brien", '"x"', '5" x 6"', "+44", "-5", "@SUM(A1)", "1E5", "#N/A",
     "a\tb", "line1\nline2", "cr\rx", "\ue000private", "\ufffe", "\uffff", "\u0600",
     "²", "①", "٣", "ﬁ", "Ａ", "😀"],
)  # fmt: skip
def test_what_people_can_tell_apart_stays_as_it_is(text: str) -> None:
    assert read(text) == [text]
    assert made_visible(text) == text


def test_a_nul_is_found() -> None:
    assert with_nul(pa.array(["1\0", "1", None])).to_pylist() == [True, False, False]


@given(texts=st.lists(st.none() | st.text(alphabet=st.characters(codec="utf-8"))))
def test_what_was_read_reads_the_same_again(texts: list[str | None]) -> None:
    once = read(*texts)
    assert read(*once) == once
    assert [text_as_read(text or "") or None for text in texts] == once


@pytest.mark.parametrize("ends", ["\r\f", "\r\r\u2028", "\r\u200b\n", "\v", "\r\n"])
def test_a_line_break_of_several_characters_is_one(ends: str) -> None:
    assert read(f"a{ends}b") == ["a\nb"]


dressed = st.text(st.sampled_from("'\"= a1\u200b\u00a0\n"), max_size=12)


@given(texts=st.lists(dressed))
def test_no_dress_is_left_on(texts: list[str]) -> None:
    once = read(*texts)
    assert read(*once) == once


@given(text=st.text(alphabet=st.characters(codec="utf-8")))
def test_composed_and_decomposed_letters_are_one(text: str) -> None:
    apart, together = (unicodedata.normalize(form, text) for form in ("NFD", "NFC"))
    assert read(apart) == read(together)


@given(text=st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1))
def test_plain_text_comes_back_whatever_stands_beside_it(text: str) -> None:
    assert read(text) == read(text, "é\u200b")[:1] == [text]
