"""The addresses of webhooks: public ones only, judged by the address that a name resolves to."""

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
    """The name does not resolve at present."""


def networks_of(text: str) -> tuple[Network, ...]:
    """The networks that a setting names, separated by commas; raises ``ValueError``."""
    return tuple(ipaddress.ip_network(each.strip()) for each in text.split(",") if each.strip())


def checked_address(host: str, port: int, allowed: tuple[Network, ...]) -> Address:
    """The address to connect to. Raises ``UserError`` where the name resolves to an address that is
    neither public nor allowed, and ``NotResolved``."""
    addresses = _resolved(host, port)
    if not all(is_public(each) or _is_allowed(each, allowed) for each in addresses):
        raise UserError(INSIDE)
    return addresses[0]


def is_public(address: Address) -> bool:
    """Whether the address is public, as is the IPv4 address that it may wrap."""
    inner = _wrapped(address)
    if inner is not None:
        return is_public(inner)
    special = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not special


def is_allowed(host: str, allowed: tuple[Network, ...]) -> bool:
    """Whether all addresses that the name resolves to are in the allowed networks."""
    try:
        return all(_is_allowed(each, allowed) for each in _resolved(host, 0))
    except NotResolved:
        return False


def _is_allowed(address: Address, allowed: tuple[Network, ...]) -> bool:
    return any(address in network for network in allowed)


def _resolved(host: str, port: int) -> list[Address]:
    """Resolves as the operating system does, to which 127.1 and 0x7f000001 are addresses."""
    name = unicodedata.normalize("NFKC", host).rstrip(".")
    name = "".join(
        str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in name
    )
    try:
        answers = socket.getaddrinfo(name, port or None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotResolved(host) from error
    texts = dict.fromkeys(str(answer[4][0]).partition("%")[0] for answer in answers)
    return [ipaddress.ip_address(text) for text in texts]


def _wrapped(address: Address) -> Address | None:
    """The IPv4 address that an IPv6 address stands for, by one of the ways to write or carry it."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    for inner in (address.ipv4_mapped, address.sixtofour):
        if inner is not None:
            return inner
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in NAT64) or address in COMPATIBLE:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return None
