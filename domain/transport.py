"""SIP transports that Trunkline speaks (RFC 3261 18, RFC 5630 for ``sips``)."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["DEFAULT_SIPS_PORT", "DEFAULT_SIP_PORT", "Transport"]

DEFAULT_SIP_PORT = 5060
DEFAULT_SIPS_PORT = 5061


class Transport(StrEnum):
    """The ``transport`` values of the public contract (section 2), lower case as in a URI."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"

    @property
    def default_port(self) -> int:
        """Port of the transport when nothing names one (RFC 3261 19.1.2)."""
        return DEFAULT_SIPS_PORT if self is Transport.TLS else DEFAULT_SIP_PORT

    @property
    def encrypted(self) -> bool:
        """Whether signalling, and the SRTP keys inside it, is unreadable on the path."""
        return self is Transport.TLS
