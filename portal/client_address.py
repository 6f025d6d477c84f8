"""The address of a client, as the audit records it."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Address

FORWARDED = "x-forwarded-for"


def address_of(headers: Mapping[str, str], client: Address | None) -> str | None:
    """The peer's address, after the client's address that the peer, a proxy, forwards."""
    peer = client.host if client else None
    forwarded = headers.get(FORWARDED, "").strip()[:100]
    return f"{forwarded} by {peer}" if forwarded else peer
