"""Text as people read it: invisible characters, and wrappers that only Excel needs, do not count.

The one rule for values, codes, identifiers and headings of every kind of file (docs/formats.md):

- invisible characters, control characters among them, are removed; white space around a text is
  trimmed, every kind of space inside it becomes a space, and every line break of another kind than
  LF becomes LF (a CR alone and a tab stay: people see where they stand);
- letters are composed (Unicode NFC) and compatibility digits are digits;
- ``="0001"``, a leading apostrophe (and its partner at the end) and quotes after a space wrap a
  text: the text is their content.

The functions take whole columns; values of printable ASCII, nearly all of them, are returned early.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from core.engine.columns.text_bytes import any_of, bytes_of

NUL_SHOWN = "\N{SYMBOL FOR NULL}"
"""Stands for a NUL, which is invisible and cannot be stored."""

_CONTROLS = "\x01-\x08\x0e-\x1f\x7f-\u0084\u0086-\u009f"
"""All but NUL, which is an error, and those that are white space to people: tabs, line breaks."""

_INVISIBLE = (
    _CONTROLS + "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Controls, Unicode's default ignorable characters, and the formats that show nothing.

Unicode Character Database, DerivedCoreProperties (Default_Ignorable_Code_Point) and general
category Cf without the Arabic and Syriac signs that are seen.
"""

_INNER_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u2800"
_BREAKS = "\n\v\f\r\u0085\u2028\u2029"
_SPACES = "\t " + _BREAKS + _INNER_SPACES
_LINE_BREAK = "\r*[\n\v\f\u0085\u2028\u2029]"

_DIGITS = {
    digit: f"[{chr(0xFF10 + digit)}{chr(0x1FBF0 + digit)}"
    + "".join(chr(0x1D7CE + 10 * style + digit) for style in range(5))
    + "]"
    for digit in range(10)
}
_ANY_DIGIT = f"[{''.join(form.strip('[]') for form in _DIGITS.values())}]"

_ODD = r"[^ -~]|^ *['=]|^ +\""
"""The values that need work: not printable ASCII, or in one of Excel's wrappers."""

_QUOTED = '"((?:[^"]|"")*)"'
_FORMULA = rf"^=[{_SPACES}]*{_QUOTED}$"
_QUOTES_LATE = rf"^[{_SPACES}{_INVISIBLE}]+{_QUOTED}[{_SPACES}]*$"
_TRIM = rf"^[{_SPACES}]+|[{_SPACES}]+$"
_IN_APOSTROPHES = rf"^(?:'[{_SPACES}]*)+([^']*?)(?:[{_SPACES}]*')+$"
_APOSTROPHES = rf"^(?:'[{_SPACES}]*)+"

INVISIBLE_CHARACTER = re.compile(f"[{_INVISIBLE}]")
_NULL = pa.scalar(None, pa.string())


def as_read(values: pa.Array) -> pa.Array:
    """Texts as people read them; null where nothing is left. A NUL becomes a symbol."""
    bare = pc.ascii_trim(values, characters=" ")
    if not _all_plain(values):
        odd = pc.fill_null(pc.match_substring_regex(values, _ODD), False)
        if pc.any(odd).as_py():
            bare = pc.replace_with_mask(bare, odd, _undressed(_clean(values.filter(odd))))
    return pc.if_else(pc.equal(bare, ""), _NULL, bare)


def text_as_read(text: str) -> str:
    """As ``as_read``, of one text; empty where nothing is left."""
    if text.isascii() and text.isprintable() and not set("\"'=") & set(text):
        return text.strip(" ")
    return _short_as_read(text) if len(text) <= _SHORT else _one_as_read(text)


def _one_as_read(text: str) -> str:
    return as_read(pa.array([text], pa.string()))[0].as_py() or ""


_SHORT = 200
_short_as_read = lru_cache(maxsize=4096)(_one_as_read)
"""The same headings and separators are read many times."""


def with_nul(values: pa.Array) -> pa.Array:
    """Which texts hold a NUL."""
    if not any_of(bytes_of(values), b"\0"):
        return pa.repeat(pa.scalar(False), len(values))
    return pc.fill_null(pc.match_substring(values, "\0"), False)


def made_visible(text: str) -> str:
    """The text with the number and name of each invisible character in it."""
    return INVISIBLE_CHARACTER.sub(lambda match: _named(match[0]), text.replace("\0", NUL_SHOWN))


def on_one_line(name: str) -> str:
    """A name as a terminal may show it: what could move its cursor or break the line is a sign."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name)


def _named(character: str) -> str:
    name = unicodedata.name(character, "").lower()
    return f"[U+{ord(character):04X}{' ' if name else ''}{name}]"


def _all_plain(values: pa.Array) -> bool:
    """Whether all bytes are printable ASCII that begins no wrapper."""
    content = bytes_of(values)
    printable = not len(content) or (content.min() >= ord(" ") and content.max() <= ord("~"))
    return bool(printable) and not any_of(content, b"\"'=")


def _clean(values: pa.Array) -> pa.Array:
    """Without invisible characters; composed; with spaces and digits of one kind."""
    values = _unwrapped(values, _QUOTES_LATE)  # while what stands before the quotes is there
    seen = pc.replace_substring_regex(values, f"[{_INVISIBLE}]+", "")
    composed = pc.utf8_normalize(seen, "NFC")
    spaced = pc.replace_substring_regex(composed, f"[{_INNER_SPACES}]", " ")
    spaced = pc.replace_substring_regex(spaced, _LINE_BREAK, "\n")
    shown = pc.replace_substring(spaced, "\0", NUL_SHOWN)
    return _with_digits(shown)


def _with_digits(values: pa.Array) -> pa.Array:
    if not pc.any(pc.match_substring_regex(values, _ANY_DIGIT)).as_py():
        return values
    for digit, forms in _DIGITS.items():
        values = pc.replace_substring_regex(values, forms, str(digit))
    return values


def _undressed(values: pa.Array) -> pa.Array:
    """Trimmed, without wrappers, which may be nested: each is twice as long as the next."""
    while True:
        bare = _unwrapped(_unwrapped(values, _FORMULA), _QUOTES_LATE)
        bare = pc.replace_substring_regex(bare, _TRIM, "")
        bare = pc.replace_substring_regex(bare, _IN_APOSTROPHES, r"\1")
        bare = pc.replace_substring_regex(bare, _APOSTROPHES, "")
        if bare.equals(values):
            return bare
        values = bare


def _unwrapped(values: pa.Array, dress: str) -> pa.Array:
    """What stands in quotes, where all of a value has this dress."""
    dressed = pc.match_substring_regex(values, dress)
    if not pc.any(dressed).as_py():
        return values
    inner = pc.replace_substring_regex(values, dress, r"\1")
    return pc.if_else(dressed, pc.replace_substring(inner, '""', '"'), values)
