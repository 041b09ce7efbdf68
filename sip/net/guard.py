"""The address guard: which addresses an outbound connection may reach.

It stands at connect time on the resolved address, never on a name, so that a name which changes its
answer between look-ups cannot pass. Rules, in this order:

1. A cloud metadata service is reached only when an allowed network names that address alone (/32 or
   /128): a wide allowance meant for a laboratory must not open credentials.
2. An address outside the allowed networks must be an ordinary public one, without a scope, and not a
   form that carries an IPv4 address.
3. An IPv6 form that carries an IPv4 address is judged twice: the form must lie in an allowed network
   and the address inside must be permitted by itself. Allowing 127.0.0.0/8 therefore does not permit
   ::ffff:127.0.0.1, and allowing 64:ff9b::/96 (a network with NAT64) does not permit 64:ff9b::10.0.0.5.

A NAT64 prefix of an operator's own (RFC 6052 network-specific) cannot be told from public addresses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from sip.special_addresses import (
    METADATA_SERVICES,
    IPAddress,
    IPNetwork,
    embedded_ipv4,
    special_use,
)

__all__ = ["AddressGuard", "TargetNotAllowed"]


class TargetNotAllowed(Exception):
    """An outbound connection was refused before a packet was sent.

    `address` is the address as text; `reason` is a sentence without a full stop, for a person:
    "10.0.0.5 is a private address (RFC 1918)".
    """

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(address, reason)
        self.address = address
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """Permits public addresses, and beyond them what lies in `allowed`."""

    allowed: Sequence[IPNetwork] = ()

    def check(self, address: IPAddress | str) -> None:
        """Raises `TargetNotAllowed` unless a connection to the address is permitted.

        Text must be one address in standard form; anything else (a name, 127.1) is refused.
        """
        reason = self.objection(address)
        if reason is not None:
            raise TargetNotAllowed(str(address), reason)

    def permits(self, address: IPAddress | str) -> bool:
        return self.objection(address) is None

    def objection(self, address: IPAddress | str) -> str | None:
        """Why a connection to the address is refused, as a sentence; `None` when it is permitted."""
        try:
            address = ip_address(address)
        except ValueError:
            return f"{str(address)[:80]!r} is not an IP address"
        scope = address.scope_id if isinstance(address, IPv6Address) else None
        plain = IPv6Address(int(address)) if isinstance(address, IPv6Address) else address
        for embedded in embedded_ipv4(plain):
            words = self._words_against(embedded.address)
            if words is not None:
                return f"{address} is {embedded.form} {embedded.address}, which is {words}"
        words = self._words_against(plain)
        if words is None and scope is not None and not self._is_allowed(plain):
            words = "an address with a scope, which has a meaning on one machine only (RFC 4007)"
        return None if words is None else f"{address} is {words}"

    def _words_against(self, address: IPAddress) -> str | None:
        if address in METADATA_SERVICES:
            alone = any(
                network.num_addresses == 1 and network.network_address == address
                for network in self.allowed
            )
            return None if alone else special_use(address)
        if self._is_allowed(address):
            return None
        inside = embedded_ipv4(address)
        if inside:
            return f"{inside[0].form} {inside[0].address}"
        return special_use(address)

    def _is_allowed(self, address: IPAddress) -> bool:
        return any(
            network.version == address.version and address in network for network in self.allowed
        )
