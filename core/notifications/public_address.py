"""Where a webhook may lead: to public addresses, judged by what a name resolves to, never by it."""

from __future__ import annotations

import ipaddress
import socket
import unicodedata

from core.user_errors import UserError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
COMPATIBLE = ipaddress.IPv6Network("::/96")
INSIDE = "a webhook cannot be an address that only the service itself can reach"


class NotResolved(Exception):
    """The name leads nowhere now; it may later."""


def networks_of(text: str) -> tuple[Network, ...]:
    """The networks that a setting names, separated by commas; raises ``ValueError``."""
    return tuple(ipaddress.ip_network(each.strip()) for each in text.split(",") if each.strip())


def checked_address(host: str, port: int, allowed: tuple[Network, ...]) -> Address:
    """The address to connect to; raises ``UserError`` where the name leads to any that is neither
    public nor allowed, and ``NotResolved``."""
    addresses = _resolved(host, port)
    if not all(is_public(each) or _is_allowed(each, allowed) for each in addresses):
        raise UserError(INSIDE)
    return addresses[0]


def is_public(address: Address) -> bool:
    """Whether everybody reaches the same machine there, also through what the address wraps."""
    inner = _wrapped(address)
    if inner is not None:
        return is_public(inner)
    special = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not special


def is_allowed(host: str, allowed: tuple[Network, ...]) -> bool:
    """Whether everything that the name leads to now is in a network that is allowed by name."""
    try:
        return all(_is_allowed(each, allowed) for each in _resolved(host, 0))
    except NotResolved:
        return False


def _is_allowed(address: Address, allowed: tuple[Network, ...]) -> bool:
    return any(address in network for network in allowed)


def _resolved(host: str, port: int) -> list[Address]:
    """As the operating system does when it connects: 127.1 and 0x7f000001 are addresses to it."""
    name = unicodedata.normalize("NFKC", host).rstrip(".")
    name = "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in name)
    try:
        found = socket.getaddrinfo(name, port or None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotResolved(host) from error
    texts = dict.fromkeys(str(each[4][0]).partition("%")[0] for each in found)
    return [ipaddress.ip_address(text) for text in texts]


def _wrapped(address: Address) -> Address | None:
    """The IPv4 address that an IPv6 address stands for, by one of the ways to write or carry it."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    for found in (address.ipv4_mapped, address.sixtofour):
        if found is not None:
            return found
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in NAT64) or address in COMPATIBLE:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return None
