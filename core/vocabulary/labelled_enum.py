"""Names that people read a sentence beside."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Worded(StrEnum):
    """A name, as the database keeps it, and its text: ``READY = "ready", "Ready to submit."``"""

    text: str

    def __new__(cls, value: str, text: str = "") -> Self:
        named = str.__new__(cls, value)
        named._value_ = value
        named.text = text
        return named
