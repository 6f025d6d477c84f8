"""The day by which subscriptions hold; the database's ``grouper_today()`` says the same."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

HERE = ZoneInfo("Europe/London")


def today() -> dt.date:
    """Today where the councils are."""
    return dt.datetime.now(HERE).date()
