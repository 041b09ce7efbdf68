"""One probe of a health check as a value: what is asked, what came of it, and what is known meanwhile.

Failure is a value: a probe that meets silence, a refusal, a broken handshake or garbage has found
something out.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, fields
from enum import StrEnum
from time import perf_counter, time
from typing import Final, NamedTuple

from sip.net.tls import TlsProfile
from sip.transports import Transport

__all__ = [
    "MAX_EVIDENCE",
    "PROBE_SECONDS",
    "HealthReply",
    "ProbeCounters",
    "ProbeEnd",
    "ProbeJob",
    "RunningProbe",
    "end_of_errno",
]

PROBE_SECONDS: Final = 4.0
"""A probe ends after this: three retransmissions over UDP, where RFC 3261's 32 s would be useless."""

MAX_EVIDENCE: Final = 4096
"""Bytes kept of what could not be read."""


class ProbeEnd(StrEnum):
    """How a probe ended."""

    REPLY = "reply"
    """A final response."""
    TIMEOUT = "timeout"
    """No final response that could be read within four seconds."""
    REFUSED = "refused"
    RESET = "reset"
    CLOSED = "closed"
    UNREACHABLE = "unreachable"
    TLS_FAILED = "tls_failed"
    CONNECT_FAILED = "connect_failed"
    BLOCKED = "blocked"
    """Nothing was sent: the address guard or the rules of SIP forbid it."""
    LOCAL_LIMIT = "local_limit"
    """This host had no room for the probe, which says nothing about the peer."""


@dataclass(frozen=True, slots=True)
class ProbeJob:
    """Whom to ask. ``key`` is the caller's name for it, and always stands for the same values.

    ``address`` is an IP literal without brackets. ``domain`` goes into Request-URI, SNI and what the
    certificate must name. ``from_uri`` is a SIP URI in place of our own. ``tls`` ``None`` verifies
    by the usual authorities; ``exact_tls_names`` does not accept a wildcard for the domain.
    """

    key: str
    address: str
    port: int
    transport: Transport
    domain: str
    from_uri: str | None = None
    tls: TlsProfile | None = None
    exact_tls_names: bool = False


class HealthReply(NamedTuple):
    """What one probe found.

    ``sent_at`` is in seconds since 1970. ``kind`` is a value of ``ProbeEnd``. ``status``, ``ms``
    (from the request to the final response, without connecting) and ``retry_after`` (seconds) belong
    to a reply. ``request`` is empty when nothing was sent. ``reply`` is the response, or what came
    in place of one and could not be read. ``source`` is where the response came from when that is
    another place than was asked. ``detail`` is the technical reason, short.
    """

    key: str
    sent_at: float
    kind: str
    status: int | None
    ms: float | None
    retry_after: int | None
    request: bytes
    reply: bytes | None
    source: tuple[str, int] | None
    detail: str | None


@dataclass(slots=True)
class ProbeCounters:
    """What was counted since the prober was opened."""

    probes: int = 0
    retransmissions: int = 0
    replies: int = 0
    late: int = 0
    """Replies to probes that had ended."""
    stray: int = 0
    """Messages that answer nothing, and requests."""
    unreadable: int = 0
    connects: int = 0
    repeated: int = 0
    """Probes that were sent again because a kept connection turned out to be closed."""

    def items(self) -> tuple[tuple[str, int], ...]:
        """Every counter with its name."""
        return tuple((each.name, getattr(self, each.name)) for each in fields(self))


class RunningProbe:
    """What is known of a probe that has not ended.

    ``sent_at`` and ``started`` say when the request left, in seconds since 1970 and by
    ``perf_counter``; 0 when it has not.
    """

    __slots__ = (
        "branch",
        "ended",
        "job",
        "odd",
        "odd_reason",
        "provisional",
        "request",
        "sent_at",
        "started",
    )

    def __init__(self, job: ProbeJob) -> None:
        self.job = job
        self.ended = False
        self.provisional: int | None = None
        self.odd: bytes | None = None
        self.odd_reason = ""
        self.branch = ""
        self.request = b""
        self.sent_at = self.started = 0.0

    def sending(self, branch: str, request: bytes) -> None:
        """Note that the request leaves now."""
        self.branch, self.request = branch, request
        self.sent_at = time()
        self.started = perf_counter()

    def was_answered_oddly(self, data: bytes, reason: str) -> None:
        """Keep the first thing that came in place of a response."""
        if self.odd is None:
            self.odd, self.odd_reason = data[:MAX_EVIDENCE], reason

    def silence(self) -> str | None:
        """What came although no final response did."""
        if self.odd is not None:
            return f"unreadable: {self.odd_reason}"
        if self.provisional is not None:
            return f"only a provisional {self.provisional}"
        return None


_NOT_THE_PEERS: Final = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}
)


def end_of_errno(number: int | None) -> tuple[ProbeEnd, str]:
    """How a probe ends at an ``errno`` of ``connect``, ``sendto`` or ICMP, and the detail of it."""
    name = errno.errorcode.get(number or 0, f"errno {number}")
    if number in _NOT_THE_PEERS:
        return ProbeEnd.LOCAL_LIMIT, name
    kinds = {errno.ECONNREFUSED: ProbeEnd.REFUSED, errno.ECONNRESET: ProbeEnd.RESET}
    return kinds.get(number or 0, ProbeEnd.UNREACHABLE), name
