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


def plain(text: str) -> str:
    """A text that users choose, such as a file's name, escaped so that none of it is markup."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)
