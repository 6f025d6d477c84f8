"""Gives people roles in tests as they get them in life: by subscriptions in force today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.accounts.subscriptions import Quote, quote_and_invoice
from core.accounts.today import today
from core.vocabulary.permissions import Kind

if TYPE_CHECKING:
    from sqlalchemy import Connection

KINDS = {
    "provider": Kind.PROVIDER_PLUS,
    "commissioner": Kind.COMMISSIONER,
    "operator": Kind.OPERATOR,
    "administrator": Kind.ADMINISTRATOR,
}


def subscribe(
    connection: Connection, user_id: int, role: str, organisation_id: int | None = None
) -> int:
    """A subscription from today on, of the kind that most people of the role have."""
    wanted = Quote(KINDS[role], user_id, organisation_id, first_day=today())
    return quote_and_invoice(connection, wanted, today=today(), user_id=None)
