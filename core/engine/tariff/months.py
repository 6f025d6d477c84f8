"""A month of submission: its text, its days, its arithmetic."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.user_errors import UserError

_MONTH = re.compile(r"([12]\d{3})-(0[1-9]|1[0-2])")
YEAR_BEGINS = 4
"""The financial year begins in April."""


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month; ``str`` writes it as ``2017-04``."""

    year: int
    number: int  # 1 is January

    @classmethod
    def of(cls, day: dt.date) -> Month:
        """The month in which the day lies."""
        return cls(day.year, day.month)

    @classmethod
    def parse(cls, text: str) -> Month:
        """The month written as ``2017-04``; raises ``UserError``."""
        match = _MONTH.fullmatch(text.strip())
        if not match:
            raise UserError(f"{text!r} is not a month; write it as 2017-04")
        return cls(int(match[1]), int(match[2]))

    @property
    def first(self) -> dt.date:
        """Its first day."""
        return dt.date(self.year, self.number, 1)

    @property
    def last(self) -> dt.date:
        """Its last day."""
        return self.plus(1).first - dt.timedelta(days=1)

    @property
    def name(self) -> str:
        """``April 2017``."""
        return f"{self.first:%B %Y}"

    @property
    def financial_year(self) -> int:
        """The calendar year in which its financial year begins."""
        return self.year - (self.number < YEAR_BEGINS)

    def plus(self, months: int) -> Month:
        """The month so many later; negative: earlier."""
        number = self.year * 12 + self.number - 1 + months
        return Month(number // 12, number % 12 + 1)

    def through(self, last: Month) -> Iterator[Month]:
        """This month and all after it up to ``last``; none where ``last`` is before it."""
        month = self
        while month <= last:
            yield month
            month = month.plus(1)

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"


def parse_month(text: str) -> dt.date:
    """The first day of a month given as ``YYYY-MM``; raises ``UserError``."""
    return Month.parse(text).first
