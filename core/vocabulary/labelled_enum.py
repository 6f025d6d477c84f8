"""Enumerations whose members have a sentence for people."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class LabelledEnum(StrEnum):
    """A value, as the database stores it, and its text: ``READY = "ready", "Ready to submit."``"""

    text: str

    def __new__(cls, value: str, text: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.text = text
        return member
