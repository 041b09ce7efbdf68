"""What is seen of a call: captured messages, and the facts that are remembered of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from domain.live_call_media import MediaSeen

__all__ = [
    "Address",
    "CauseSeen",
    "Correlation",
    "Parties",
    "SeenMessage",
    "Sighting",
    "SightingKey",
    "microseconds_of",
    "moment_of",
    "moment_order",
]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

Address = tuple[str, int]
SightingKey = tuple[Address, Address, str, int, int, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenMessage:
    """What an exporter sent of one message.

    ``at`` is its moment of capture (aware UTC), ``transport`` upper case, the addresses an IP literal
    without brackets and a port. ``correlation_id`` and ``node`` are the exporter's own words.
    """

    at: datetime
    transport: str
    source: Address
    destination: Address
    data: bytes
    correlation_id: str | None = None
    node: str | None = None


class Correlation(NamedTuple):
    """What ties the two Call-IDs of a back-to-back user agent; the lowest of several counts."""

    rank: int
    at: int
    value: str


class CauseSeen(NamedTuple):
    """Why a call ended, in the words of a peer; ``q850`` is a cause value of ITU-T Q.850."""

    q850: int | None
    text: str


class Parties(NamedTuple):
    """Who calls whom by an INVITE; ``callers`` and ``callees`` are numbers and names, likeliest first."""

    from_user: str | None
    to_user: str | None
    request_user: str | None
    callers: tuple[str, ...]
    callees: tuple[str, ...]


class Sighting(NamedTuple):
    """The first capture of a message on one way. ``at`` is in microseconds since 1970, ``status`` 0
    for a request, ``method`` that of CSeq, ``hops`` the number of Via of an INVITE, ``branch`` that of the
    topmost.
    """

    at: int
    hops: int
    digest: int
    source: Address
    destination: Address
    transport: str
    method: str
    status: int
    cseq: int
    from_tag: str
    to_tag: str
    branch: str
    reason: str
    agent: str | None = None
    parties: Parties | None = None
    media: MediaSeen | None = None
    cause: CauseSeen | None = None

    @property
    def key(self) -> SightingKey:
        """What all copies and retransmissions of it share."""
        return (
            *(self.source, self.destination, self.method),
            *(self.status, self.cseq, self.from_tag, self.to_tag),
        )


def moment_order(sighting: Sighting) -> tuple[int, int, int]:
    """What sightings are sorted by: capture time; at the same moment the one with fewer hops behind it."""
    return sighting.at, sighting.hops, sighting.digest


def microseconds_of(moment: datetime) -> int:
    """Microseconds since 1970 of an aware moment."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(at: int) -> datetime:
    """The moment (aware UTC) that microseconds since 1970 stand for."""
    return _EPOCH + at * _MICROSECOND
