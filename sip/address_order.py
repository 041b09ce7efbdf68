"""Which of a host's addresses to try first (RFC 6724 section 6, as RFC 7984 asks of SIP).

Rules 1, 2, 5, 6 and 8 decide; the others need facts that a socket does not tell (deprecated and home
addresses, tunnels), and rule 9 would undo a name server's rotation. Equal addresses keep their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from sip.special_addresses import IPAddress

__all__ = ["order_addresses"]

# RFC 6724 2.1: prefix, precedence, label; the longest matching prefix counts.
_POLICY = tuple(
    (IPv6Network(prefix), precedence, label)
    for prefix, precedence, label in (
        ("::1/128", 50, 0),
        ("::ffff:0:0/96", 35, 4),
        ("::/96", 1, 3),
        ("2001::/32", 5, 5),
        ("2002::/16", 30, 2),
        ("3ffe::/16", 1, 12),
        ("fec0::/10", 1, 11),
        ("fc00::/7", 3, 13),
        ("::/0", 40, 1),
    )
)

_LINK_LOCAL_SCOPE = 2
_SITE_LOCAL_SCOPE = 5
_GLOBAL_SCOPE = 14


def order_addresses(
    addresses: Iterable[str], source_of: Callable[[str], str | None]
) -> tuple[str, ...]:
    """Best first. `source_of` names the local address that would be used, `None` without a route.

    All texts are IP addresses.
    """
    return tuple(sorted(addresses, key=lambda address: _rank(address, source_of(address))))


def _rank(destination: str, source: str | None) -> tuple[bool, bool, bool, int, int]:
    there = ip_address(destination)
    precedence, label = _policy(there)
    if source is None:
        return True, False, False, -precedence, _scope(there)
    here = ip_address(source)
    return (
        False,
        _scope(there) != _scope(here),
        label != _policy(here)[1],
        -precedence,
        _scope(there),
    )


def _policy(address: IPAddress) -> tuple[int, int]:
    mapped = int(address) | 0xFFFF << 32 if isinstance(address, IPv4Address) else int(address)
    as_ipv6 = IPv6Address(mapped)
    return next((precedence, label) for net, precedence, label in _POLICY if as_ipv6 in net)


def _scope(address: IPAddress) -> int:
    if address.is_loopback or address.is_link_local:
        return _LINK_LOCAL_SCOPE
    if isinstance(address, IPv6Address) and address.is_site_local:
        return _SITE_LOCAL_SCOPE
    return _GLOBAL_SCOPE
