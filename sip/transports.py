"""Transports of SIP (RFC 3261 section 18, RFC 5630 for ``sips``)."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Transport"]


class Transport(StrEnum):
    """Transports that SIP is spoken over here, as a URI writes them; TLS is TLS over TCP."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"

    @property
    def default_port(self) -> int:
        """Port of the transport when nothing names one (RFC 3261 19.1.2)."""
        return 5061 if self is Transport.TLS else 5060

    @property
    def srv_prefix(self) -> str:
        """Service and protocol labels of the SRV name (RFC 3263 4.1)."""
        return {"udp": "_sip._udp", "tcp": "_sip._tcp", "tls": "_sips._tcp"}[self]

    @property
    def encrypted(self) -> bool:
        """Whether signalling, and the SRTP keys inside it, is unreadable on the path."""
        return self is Transport.TLS
