"""Where a webhook may be sent: to the internet, and never into the desk's own network.

What counts is the address that is connected to: names are resolved once, every address that they have is checked, and
the connection goes to one of those. However an address is spelt (2130706433, 0x7f.1, ::ffff:127.0.0.1), the resolver
makes it what it is before it is looked at.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from frontdesk.queue.errors import UserError

LONGEST = 2000

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host and port. Raises OSError."""

REFUSED_4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # Azure's own services, which answer each of its machines
    )
)  # fmt: skip
UNICAST_6 = ipaddress.IPv6Network("2000::/3")  # the only space given out; loopback, local, mapped ones lie outside
REFUSED_6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # of protocols, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4: has an address of IPv4 in it
        "3fff::/20",
    )
)


class BadWebhookError(UserError):
    """A webhook's address that is not taken."""


class ForbiddenAddressError(OSError):
    """A name led into a network that webhooks are not sent to."""


def parsed(url: str, *, private: bool) -> SplitResult:
    """An address by its form; https alone, or http as well where private ones are allowed. Raises BadWebhookError."""
    parts = _split(url)
    if (
        parts is None
        or len(url) > LONGEST
        or not url.isascii()
        or not url.isprintable()
        or any(sign in url for sign in ' \\<>"{}|^`')
        or not parts.hostname
    ):
        raise BadWebhookError("A webhook is an address such as https://example.org/frontdesk.")
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise BadWebhookError("A webhook's address begins with https://.")
    if "@" in parts.netloc or parts.fragment or "%" in parts.netloc:
        raise BadWebhookError("A webhook's address has no user, no password and no fragment.")
    return parts


def _split(url: str) -> SplitResult | None:
    with suppress(ValueError):
        parts = urlsplit(url)
        _ = parts.port  # raises for one that is none
        return parts
    return None


def port_of(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def public(address: Address) -> bool:
    """Whether it is one of the internet's."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in REFUSED_4)
    return address in UNICAST_6 and not any(address in network for network in REFUSED_6)


def checked(found: Iterable[str], *, private: bool) -> list[str]:
    """Addresses that may be connected to. One that may not spoils all: who answers so means harm. Raises
    ForbiddenAddressError."""
    addresses = [ipaddress.ip_address(each.partition("%")[0]) for each in found]
    if not addresses:
        raise ForbiddenAddressError("the name has no address")
    if not private and not all(map(public, addresses)):
        raise ForbiddenAddressError("the name leads to an address that is not the internet's")
    return [str(address) for address in addresses]


async def resolve(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def refuse_literal(parts: SplitResult, *, private: bool) -> None:
    """Refuse at once a host that is an address, however it is spelt; names are checked when they are connected to.
    Raises BadWebhookError."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            parts.hostname, port_of(parts), type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
        )
    except (OSError, UnicodeError):  # a name
        return
    try:
        checked((str(address[0]) for *_, address in found), private=private)
    except ForbiddenAddressError:
        raise BadWebhookError("Webhooks are sent to addresses of the internet only.") from None
