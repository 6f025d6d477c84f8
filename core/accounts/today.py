"""Today's date for subscriptions; the database's ``grouper_today()`` returns the same."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

TIME_ZONE = ZoneInfo("Europe/London")


def today() -> dt.date:
    """Today in the time zone of the councils."""
    return dt.datetime.now(TIME_ZONE).date()
