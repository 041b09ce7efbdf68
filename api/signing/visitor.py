"""Who stands before a signing page, as the record of a signature names them."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request

from domain.porting.signature_trail import SignatureAction, TrailEvent
from settings import Network
from storage.columns import storable

__all__ = ["Visitor", "visitor_of"]

_UNKNOWN: Final = "unknown"
_MAX_AGENT: Final = 400
"""Characters of a browser's name; the longest real ones have 250."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """An address and a browser. ``source`` is what requests are counted by: of IPv6 the network of 64 bits,
    because whoever has one address has all of them."""

    ip: str
    user_agent: str

    @property
    def source(self) -> str:
        try:
            address = ipaddress.ip_address(self.ip)
        except ValueError:
            return _UNKNOWN
        if address.version == 6:
            return str(ipaddress.ip_network((address, 64), strict=False))
        return str(address)

    def event(self, action: SignatureAction, **values: Any) -> TrailEvent:
        """Something that this visitor did."""
        return TrailEvent(action=action, ip=self.ip, user_agent=self.user_agent, **values)


def visitor_of(request: Request, trusted: Sequence[Network]) -> Visitor:
    """The visitor; behind proxies that are trusted, whom the first of them saw."""
    peer = request.client.host if request.client is not None else ""
    hops = [
        each.strip()
        for header in request.headers.getlist("x-forwarded-for")
        for each in header.split(",")
    ]
    agent = str(storable(request.headers.get("user-agent", "")))
    return Visitor(_first_stranger([*hops, peer], trusted), agent[:_MAX_AGENT])


def _first_stranger(hops: Sequence[str], trusted: Sequence[Network]) -> str:
    """The last address of the way that no trusted proxy has; what lies before it, it may have made up."""
    seen = _UNKNOWN
    for hop in reversed(hops):
        try:
            address = ipaddress.ip_address(hop)
        except ValueError:
            return seen
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        address = mapped or address
        seen = str(address)
        if not any(address in each for each in trusted):
            return seen
    return seen
