"""The price of a subscription before VAT, by the published terms; and VAT."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from core.vocabulary.permissions import Kind

PRICES: dict[Kind, Decimal] = {
    Kind.BASIC_PROVIDER: Decimal("0.00"),
    Kind.PROVIDER_PLUS: Decimal("680.00"),
    Kind.COMMISSIONER: Decimal("680.00"),
    Kind.CLUSTER_MANAGER: Decimal("680.00"),
    Kind.READ_ONLY: Decimal("0.00"),
    Kind.ADMINISTRATOR: Decimal("0.00"),
    Kind.OPERATOR: Decimal("0.00"),
}
"""Pounds a term, before VAT. The terms price three kinds; the others are priced when quoted."""
ADDED_ORGANISATION = Decimal("345.00")

_PENNY = Decimal("0.01")


def rounded(amount: Decimal) -> Decimal:
    """To the penny, halves away from zero."""
    return amount.quantize(_PENNY, ROUND_HALF_UP)


def vat_on(net: Decimal, percent: Decimal) -> Decimal:
    """The VAT on a net sum, to the penny."""
    return rounded(net * percent / 100)
