"""Formats dates, months, money, counts and states for the portal."""

from __future__ import annotations

import datetime as dt
import re

from core.counting import counted
from core.engine.tariff.money import Money
from core.engine.tariff.months import Month


def day(date: dt.date) -> str:
    """3 April 2017."""
    return f"{date.day} {date:%B %Y}"


def moment(time: dt.datetime) -> str:
    """3 April 2017, 09:05, in UTC."""
    utc = time.astimezone(dt.UTC)
    return f"{day(utc.date())}, {utc:%H:%M}"


def instant(time: dt.datetime) -> str:
    """3 April 2017, 09:05:12, in UTC."""
    return f"{moment(time)}:{time:%S}"


def month(date: dt.date) -> str:
    """April 2017."""
    return Month.of(date).name


def pounds(pence: int) -> str:
    """£1,234.56."""
    return Money(pence).text


def count(number: int, noun: str) -> str:
    """1 record, 2 records."""
    return counted(number, noun)


def named(code: str, name: str | None) -> str:
    """STIB STI Intervention B; a name that begins with its code stands alone."""
    if not name:
        return code
    return name if name.split()[0] == code else f"{code} {name}"


_MARKUP = re.compile(
    r"[\\`*\[\]<~$|]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # inside a word, such as a field's name, it is no markup
    r"|:(?=/)|&(?=[#\w])"
    r"|^[#>+=-]|(?<=^\d)[.)]|(?<=^\d\d)[.)]"
    r"|(?<=\n)[#>+=-]|(?<=\n\d)[.)]|(?<=\n\d\d)[.)]"
)
_JOINED = re.compile(
    r"(?<=://)(?=\w)|(?<=www)(?=\.)|(?=@)"  # addresses
    r"|(?<=:)(?=[^\W\d]|[+-]|\d+:)"  # icons, colours and badges
    r"|(?<=-)(?=[->])|(?<=<)(?=[-=])|(?<=[>~])(?==)",  # arrows and signs
    re.IGNORECASE,
)
_ENDS = re.compile(r"\r\n?")
_MARGIN = re.compile(r"^[ \t]+", re.MULTILINE)
_NOTHING = "\N{WORD JOINER}"


def plain(text: str) -> str:
    """A text that people choose, such as a file's name, as Markdown that shows it as it stands.

    What begins markup is escaped. Addresses, icons and arrows are drawn even where they are
    escaped, so a character that nobody sees stands inside them. Labels are read aloud as they are
    written here, so no more is escaped than has to be.
    """
    text = _ENDS.sub("\n", text)
    return _JOINED.sub(_NOTHING, _MARKUP.sub(r"\\\g<0>", _MARGIN.sub("", text)))
