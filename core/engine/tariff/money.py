"""Money in whole pence; pounds appear only where people read or write it."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal


class Money(int):
    """An amount in whole pence: an integer with its texts."""

    @classmethod
    def parse(cls, text: str) -> Money:
        """``44.57`` is 4457 pence; the text is a decimal with at most two places."""
        return cls(int(Decimal(text).scaleb(2)))

    @property
    def pounds(self) -> Decimal:
        """Pounds with two places."""
        return Decimal(self).scaleb(-2)

    @property
    def plain(self) -> str:
        """``1234.50``: for machines."""
        return f"{self.pounds:.2f}"

    @property
    def grouped(self) -> str:
        """``1,234.50``: for tables of pounds."""
        return f"{self.pounds:,.2f}"

    @property
    def text(self) -> str:
        """``£1,234.50``, ``-£12.50``: for sentences."""
        return f"{'-' if self < 0 else ''}£{abs(self.pounds):,.2f}"


def multiplied(rate: int, factor: Decimal) -> int:
    """Rate × factor in whole pence, half a penny rounded up: each charge line on its own."""
    return int((rate * factor).quantize(Decimal(1), ROUND_HALF_UP))


def shortest(factor: Decimal) -> str:
    """A factor as text: ``1.170`` is ``1.17``, ``1E+1`` is ``10``."""
    return f"{factor.normalize():f}"
