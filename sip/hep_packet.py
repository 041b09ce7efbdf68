"""One message on its way to a collector, as HEP version 3 says it: what was heard, where, and when.

Source: "HEP3 Network Protocol Specification", revision 37, of the Homer project (sipcapture.org).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Final

from sip.capture import CapturedMessage
from sip.errors import SipError

__all__ = [
    "MAX_HEP_PACKET",
    "MAX_HEP_PAYLOAD",
    "HepError",
    "HepPacket",
    "HepProtocol",
    "HepWrongKey",
    "IpProtocol",
    "hep_of",
]

MAX_HEP_PACKET: Final = 65_535
"""The length of a packet is written in two octets."""

MAX_HEP_PAYLOAD: Final = 65_535
"""Of a compressed payload too, which could become a thousand times as long."""


class HepError(SipError):
    """The bytes are no HEP packet of version 3; the text is a sentence for a person."""


class HepWrongKey(HepError):
    """The packet does not carry the key that the collector asks for."""


class HepProtocol(IntEnum):
    """What a payload is (chunk 0x000b), as far as the numbers are known."""

    SIP = 0x01
    XMPP = 0x02
    SDP = 0x03
    RTP = 0x04
    RTCP_JSON = 0x05
    MGCP = 0x06
    MEGACO = 0x07
    MOS_REPORT = 0x22
    MOS_SHORT_REPORT = 0x23
    SIP_JSON = 0x32
    DNS_JSON = 0x35
    DIAMETER_JSON = 0x38
    CDR = 0x3C
    LOG = 0x64
    """Lines of a log, such as Kamailio's `hlog` writes; the specification has no name for it."""


class IpProtocol(IntEnum):
    """The carrier of a message (chunk 0x0002): numbers of IP, and one that stands for TLS."""

    TCP = 6
    UDP = 17
    TLS = 22
    """IP has no number for it. Kamailio and others write that of a protocol which died out (XNS IDP)
    for TLS and for WebSockets; who captures on the network writes TCP."""
    SCTP = 132


_TRANSPORTS: Final = {each.value: each.name for each in IpProtocol}


@dataclass(frozen=True, slots=True, kw_only=True)
class HepPacket:
    """A captured message.

    `source` and `destination` are an IP literal without brackets or zone and a port, both of one
    family. `at` is aware UTC, to the microsecond, by the exporter's clock. `protocol` is mostly one of
    `HepProtocol`, `ip_protocol` of `IpProtocol`. `capture_id` and `node` are the exporter's number and
    name. `correlation_id` joins packets of one call, often its Call-ID. Text that was not UTF-8, or
    held a zero, has U+FFFD there.
    """

    ip_protocol: int
    source: tuple[str, int]
    destination: tuple[str, int]
    at: datetime
    protocol: int
    capture_id: int
    payload: bytes
    auth_key: str | None = field(default=None, repr=False)
    correlation_id: str | None = None
    node: str | None = None

    @property
    def transport(self) -> str:
        """`UDP`, `TCP`, `TLS` or `SCTP`; `IP-` and the number for another carrier.

        A message over TLS counts as `TCP` when the exporter did not tell it apart.
        """
        return _TRANSPORTS.get(self.ip_protocol) or f"IP-{self.ip_protocol}"

    @property
    def is_sip(self) -> bool:
        """Whether the payload is said to be one SIP message."""
        return self.protocol == HepProtocol.SIP


def hep_of(message: CapturedMessage, *, correlation_id: str | None = None) -> HepPacket:
    """A message of our own for a collector, its bytes as they are: mask it first.

    Raises ValueError for a transport that is not in `IpProtocol`.
    """
    try:
        carrier = IpProtocol[message.transport]
    except KeyError:
        raise ValueError(f"{message.transport!r} is no transport that HEP can name") from None
    return HepPacket(
        ip_protocol=carrier,
        source=message.source,
        destination=message.destination,
        at=message.at,
        protocol=HepProtocol.SIP,
        capture_id=0,
        payload=message.data,
        correlation_id=correlation_id,
    )
