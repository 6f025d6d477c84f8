"""Whether a service answers."""

from __future__ import annotations

from functools import cache

import httpx2


def answers(url: str, auth: httpx2.Auth | None = None) -> bool:
    """Whether ``url`` is served with 200."""
    try:
        return client().get(url, auth=auth).status_code == httpx2.codes.OK
    except httpx2.TransportError:
        return False


@cache
def client() -> httpx2.Client:
    """One client for all probes: each new one reads all certificates, which takes 40 ms."""
    return httpx2.Client(timeout=5)
