"""How the commands read and write moments: ``--since 2h`` and times of this machine's clock."""

from __future__ import annotations

import datetime as dt
import re

import click

AGO = re.compile(r"(\d+)\s*(s|m|h|d)")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Since(click.ParamType[dt.datetime]):
    """A moment: so long ago (``30m``, ``2h``, ``7d``), or a date or time (``2026-11-24``,
    ``2026-11-24T09:30``) of this machine's clock."""

    name = "moment"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.datetime:
        if isinstance(value, dt.datetime):
            return value
        text = str(value).strip()
        ago = AGO.fullmatch(text)
        try:
            if ago:
                span = dt.timedelta(seconds=int(ago[1]) * SECONDS[ago[2]])
                return dt.datetime.now(dt.UTC) - span
            return dt.datetime.fromisoformat(text).astimezone()
        except (ValueError, OverflowError):
            self.fail(
                f"{text!r} is no moment: write 30m, 2h, 7d, 2026-11-24 or 2026-11-24T09:30",
                param,
                ctx,
            )


def written(moment: dt.datetime) -> str:
    """A moment as the commands print it, by this machine's clock."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def span(seconds: float) -> str:
    """45 s, 12 min, 3 h, 2 days."""
    for unit, size in (("days", 2 * 86400), ("h", 2 * 3600), ("min", 120)):
        if seconds >= size:
            return f"{seconds // SECONDS[unit[0]]:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
