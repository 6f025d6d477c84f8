"""Money is whole pence; it is pounds only where people read or write it."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal


def pounds(pence: int) -> str:
    """``4457`` is ``44.57``."""
    sign = "-" if pence < 0 else ""
    return f"{sign}{abs(pence) // 100}.{abs(pence) % 100:02d}"


def pence(text: str) -> int:
    """``44.57`` is ``4457``; the text is a decimal with at most two places."""
    return int(Decimal(text).scaleb(2))


def multiplied(rate: int, factor: Decimal) -> int:
    """Rate × factor in whole pence, half a penny rounded up: each charge line on its own."""
    return int((rate * factor).quantize(Decimal(1), ROUND_HALF_UP))


def shortest(factor: Decimal) -> str:
    """A factor as text: ``1.170`` is ``1.17``, ``1E+1`` is ``10``."""
    return f"{factor.normalize():f}"
