"""Number formats: whether a cell shows a date, its number as stored, or something else.

Excel stores a number and shows it through its format, so ``1001`` may stand there as ``0001001``
or as 27 September 1902. ECMA-376 part 1, 18.8.30 and 18.8.31 describe the codes of formats.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property, lru_cache

GENERAL = "General"
BUILT_IN = {
    0: GENERAL, 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00",
    5: '"£"#,##0', 6: '"£"#,##0', 7: '"£"#,##0.00', 8: '"£"#,##0.00',
    9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??",
    14: "dd/mm/yyyy", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "dd/mm/yyyy h:mm",
    37: "#,##0;(#,##0)", 38: "#,##0;(#,##0)", 39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;(#,##0.00)",
    41: '_-* #,##0_-', 42: '_-"£"* #,##0_-', 43: '_-* #,##0.00_-', 44: '_-"£"* #,##0.00_-',
    45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
    **dict.fromkeys([*range(27, 37), *range(50, 59)], "yyyy-mm-dd"),
}  # fmt: skip
"""Formats by number, in British spelling; 27 to 36 and 50 to 58 are dates of East Asian Excel."""

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_(?P<space>.)|\*(?P<fill>.)'
    r"|\[(?P<bracket>[^\]]*)\]|(?P<general>General)|(?P<ampm>AM/PM|A/P)|(?P<exponent>E[+-])"
    r"|(?P<plain>.)",
    re.IGNORECASE | re.DOTALL,
)
_ELAPSED = re.compile(r"h+|m+|s+", re.IGNORECASE)
_CONDITION = re.compile(r"[<>=]")
_DATE_LETTERS = frozenset("ymdhsbgeYMDHSBGE")
_PLACEHOLDERS = frozenset("0#?")


@dataclass(frozen=True)
class Section:
    """One of up to four parts of a format, taken apart."""

    tokens: tuple[tuple[str, str], ...]  # what kind, and its text

    @cached_property
    def kinds(self) -> frozenset[str]:
        return frozenset(kind for kind, _ in self.tokens)

    @property
    def is_date(self) -> bool:
        return bool(self.kinds & {"date", "elapsed", "ampm"})

    @property
    def is_elapsed(self) -> bool:
        return "elapsed" in self.kinds


@dataclass(frozen=True)
class NumberFormat:
    """A format, known by its code."""

    code: str

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        return tuple(_section(text) for text in _split(self.code))

    @cached_property
    def is_general(self) -> bool:
        """Whether numbers and texts are shown as stored."""
        return self.code.strip().lower() in ("", "general", "@")

    @cached_property
    def is_date(self) -> bool:
        """Whether numbers are shown as dates or times."""
        return bool(self.sections) and self.sections[0].is_date

    @cached_property
    def is_elapsed(self) -> bool:
        """Whether numbers are shown as a time that has passed."""
        return bool(self.sections) and self.sections[0].is_elapsed

    @cached_property
    def changes_texts(self) -> bool:
        """Whether a text may be shown as another one."""
        return self.shown_text("\0") != "\0"

    def shown_text(self, text: str) -> str:
        """What the cell shows of a text: only a fourth part, or one with ``@``, says how."""
        with_text = [section for section in self.sections if "@" in section.kinds]
        if not with_text:
            return "" if len(self.sections) > 3 and not self.sections[3].tokens else text
        return "".join(text if kind == "@" else _literal(kind, literal)
                       for kind, literal in with_text[-1].tokens)  # fmt: skip

    def shown(self, number: float) -> str | None:
        """What the cell shows of a number; None where that cannot be told."""
        section, negative = self._section_for(number)
        if section is None or section.kinds & {"condition", "exponent", "/", "date", "elapsed"}:
            return None
        if not section.tokens:
            return ""
        if section.kinds & {"general", "@"}:
            return None if len(section.kinds) > 1 else _stored(number)
        return _filled_in(section, Decimal(repr(abs(number))), negative=negative)

    def _section_for(self, number: float) -> tuple[Section | None, bool]:
        """The part for this number, and whether a minus is shown before it."""
        numeric = [s for s in self.sections if "@" not in s.kinds] or list(self.sections)
        if any("condition" in section.kinds for section in numeric):
            return None, False
        if number < 0 and len(numeric) > 1:
            return numeric[1], False
        if number == 0 and len(numeric) > 2:
            return numeric[2], False
        return (numeric[0] if numeric else None), number < 0


@lru_cache(maxsize=4096)
def number_format(code: str) -> NumberFormat:
    """The format with this code; each is taken apart once."""
    return NumberFormat(code)


def _split(code: str) -> list[str]:
    """The parts between semicolons that are no literals."""
    parts, begin = [], 0
    for token in _TOKEN.finditer(code):
        if token["plain"] == ";":
            parts.append(code[begin : token.start()])
            begin = token.end()
    return [*parts, code[begin:]]


def _section(text: str) -> Section:
    tokens = [_token(match) for match in _TOKEN.finditer(text)]
    return Section(tuple(token for token in tokens if token is not None))


def _token(match: re.Match[str]) -> tuple[str, str] | None:
    kind, text = str(match.lastgroup), match[str(match.lastgroup)] or ""
    if kind == "bracket":
        return _bracket(text)
    if kind == "plain":
        return _plain(text)
    if kind in ("quoted", "escaped"):
        return "literal", text
    return ("literal", " ") if kind == "space" else (None if kind == "fill" else (kind, text))


def _bracket(text: str) -> tuple[str, str] | None:
    if _ELAPSED.fullmatch(text):
        return "elapsed", text
    if _CONDITION.match(text):
        return "condition", text
    # [$£-809] shows the sign; [Red] and [$-409] show nothing
    sign = text[1:].split("-", maxsplit=1)[0] if text.startswith("$") else ""
    return ("literal", sign) if sign else None


def _plain(text: str) -> tuple[str, str]:
    if text in _PLACEHOLDERS:
        return "digit", text
    if text in _DATE_LETTERS:
        return "date", text
    if text in ".,%@/":
        return text, text
    return "literal", text


def _literal(kind: str, text: str) -> str:
    return text if kind == "literal" else ""


def _stored(number: float) -> str:
    return str(int(number)) if number.is_integer() else repr(number)


def _filled_in(section: Section, number: Decimal, *, negative: bool) -> str:
    """The number in the places that the part has for it."""
    tokens = _without_scale(list(section.tokens))
    scale = sum(kind == "," for kind, _ in section.tokens) - sum(kind == "," for kind, _ in tokens)
    number = number.scaleb(2 * ("%" in section.kinds) - 3 * scale)
    point = next((at for at, (kind, _) in enumerate(tokens) if kind == "."), len(tokens))
    places = [text for kind, text in tokens[point:] if kind == "digit"]
    rounded = number.quantize(Decimal(1).scaleb(-len(places)), ROUND_HALF_UP)
    whole, _, rest = f"{rounded:f}".partition(".")
    grouped = any(kind == "," for kind, _ in tokens[:point])
    before = _before_point(tokens[:point], "" if whole == "0" else whole, grouped=grouped)
    minus = "-" if negative and rounded else ""
    return minus + before + _after_point(tokens[point:], rest)


def _without_scale(tokens: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without the commas after the last digit, each of which divides by a thousand."""
    last = max((at for at, (kind, _) in enumerate(tokens) if kind == "digit"), default=-1)
    return [token for at, token in enumerate(tokens) if token[0] != "," or at < last]


def _before_point(tokens: list[tuple[str, str]], digits: str, *, grouped: bool) -> str:
    """Digits from the right; the first place takes all that are left."""
    places = sum(kind == "digit" for kind, _ in tokens)
    out, used = "", 0
    for kind, place in reversed(tokens):
        if kind == "digit":
            places -= 1
            count = 1 if places else max(len(digits) - used, 1)
            for _ in range(count):
                digit = digits[-1 - used] if used < len(digits) else _no_digit(place)
                out = digit + ("," if grouped and used and used % 3 == 0 and digit else "") + out
                used += 1
        elif kind != ",":
            out = place + out
    return out


def _no_digit(place: str) -> str:
    return {"0": "0", "?": " "}.get(place, "")


def _after_point(tokens: list[tuple[str, str]], digits: str) -> str:
    out, used = "", 0
    significant = len(digits.rstrip("0"))
    for kind, place in tokens:
        if kind == "digit":
            out += digits[used] if used < significant or place == "0" else _no_digit(place)
            used += 1
        else:
            out += place
    return out


def format_of(number: int, code: Callable[[int], str | None]) -> NumberFormat:
    """The format with this number: the file's own, else Excel's, else General."""
    return number_format(code(number) or BUILT_IN.get(number, GENERAL))
