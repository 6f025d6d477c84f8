"""A month of submission, as people write it."""

from __future__ import annotations

import datetime
import re

from core.user_errors import UserError

_MONTH = re.compile(r"([12]\d{3})-(0[1-9]|1[0-2])")


def parse_month(text: str) -> datetime.date:
    """The first day of a month given as ``YYYY-MM``; raises ``UserError``."""
    match = _MONTH.fullmatch(text.strip())
    if not match:
        raise UserError(f"{text!r} is not a month; write it as 2017-04")
    return datetime.date(int(match[1]), int(match[2]), 1)
