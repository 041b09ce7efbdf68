"""What was seen of a target, and the states it can be in.

Times are seconds since 1970 (UTC) as ``float``: there are tens of thousands of observations a
minute, and nobody but ``domain.health`` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["HealthState", "Observation", "Observed"]


class HealthState(StrEnum):
    """How a target stands, for routing and for people."""

    UNCHECKED = "unchecked"
    """Nothing is known yet."""
    HEALTHY = "healthy"
    REACHABLE = "reachable"
    """Up for routing: it answers, though not with what says that all is well."""
    DEGRADED = "degraded"
    """Routable when there is nothing better."""
    DOWN = "down"

    @property
    def routable(self) -> bool:
        """Whether a call may be sent there: only what is known to be down is left out."""
        return self is not HealthState.DOWN


class Observed(StrEnum):
    """How a probe or a call ended."""

    REPLY = "reply"
    """A final response to OPTIONS; ``status`` says which."""
    TIMEOUT = "timeout"
    REFUSED = "refused"
    """ICMP port unreachable, or RST to the connection request."""
    RESET = "reset"
    """RST to an open connection."""
    CLOSED = "closed"
    """The peer closed the connection instead of answering."""
    UNREACHABLE = "unreachable"
    """ICMP or our own routes say that there is no way."""
    TLS_FAILED = "tls_failed"
    CONNECT_FAILED = "connect_failed"
    BLOCKED = "blocked"
    """Our address guard does not permit the address."""
    CALL = "call"
    """A call ended; ``status`` is the final response to its INVITE, ``None`` without one."""
    IDLE_CLOSED = "idle_closed"
    """The peer closed a connection on which nothing was asked: no miss, but a reason to look."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing seen of a target.

    ``at`` is when it was known (for silence: when waiting ended). ``ms`` from request to final
    response, ``retry_after`` in seconds. ``of_call`` tells what a call met from what a probe met.
    ``detail`` is the technical reason, for people.
    """

    at: float
    kind: Observed
    status: int | None = None
    ms: float | None = None
    retry_after: int | None = None
    detail: str | None = None
    of_call: bool = False
