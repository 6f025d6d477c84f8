"""Where a request comes from, as the audit writes it."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Address

FORWARDED = "x-forwarded-for"


def address_of(headers: Mapping[str, str], client: Address | None) -> str | None:
    """The peer, and whom it says it speaks for where it is a proxy."""
    peer = client.host if client else None
    said = headers.get(FORWARDED, "").strip()[:100]
    return f"{said} by {peer}" if said else peer
