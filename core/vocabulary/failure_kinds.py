"""The kinds of work that may wait in the error queue."""

from __future__ import annotations

from enum import StrEnum


class FailureKind(StrEnum):
    """A kind of failed work, as the error queue names it."""

    FILE_CHECK = "file check"
    RUN = "run"
    REPORT = "report"
    EVENT_DELIVERY = "event delivery"
    NOTIFICATION = "notification"
    SPIDER = "spider"
    AREA = "area"
    MIGRATION = "migration"
    LEGACY_ROW = "legacy row"
    MEASURING = "measuring"
    TRIAL = "trial of an indicator"
    UNDONE = "run of a rule"
