"""What a decision about a trunk's calls is made of: its endpoints as they stand, and its own calls.

An endpoint is a name as it was configured; it stands for the targets that RFC 3263 makes of it.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict

from domain.health_observation import HealthState, Observed
from domain.trunk_config import STANDARD_HOLD_DOWN, Failback, FailoverTrigger
from sip.transports import Transport

__all__ = [
    "CallOutcome",
    "CallSign",
    "EndpointPicture",
    "FailoverRules",
    "TargetPicture",
    "TrunkPicture",
]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class CallSign(StrEnum):
    """What a call that ended says of the endpoint it was sent to."""

    ALIVE = "alive"
    """The endpoint took the call and decided about it, whatever it decided."""
    TRIED = "tried"
    """One address of it did not take the call, and another one was tried: no verdict."""
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    AUTH_FAILURE = "auth_failure"


class CallOutcome(_Value):
    """A call of this trunk that ended; the endpoint as it was configured.

    ``status`` is the final response to the INVITE, ``None`` without one.
    """

    at: AwareDatetime
    host: str
    port: int | None = None
    transport: Transport | None = None
    sign: CallSign
    status: int | None = None


class TargetPicture(_Value):
    """One address of an endpoint. ``since`` is when ``state`` began, ``seq`` counts its changes,
    ``missed_by`` is how the last miss came, of one that is down."""

    target_id: str
    address: str
    port: int
    transport: Transport
    priority: int = 0
    weight: int = 0
    state: HealthState = HealthState.UNCHECKED
    since: AwareDatetime | None = None
    seq: int = 0
    reason: str = ""
    missed_by: Observed | None = None


class EndpointPicture(_Value):
    """One endpoint of the trunk; ``position`` 0 is the primary.

    ``host``, ``port`` and ``transport`` are as configured. ``error`` says why the last look-up of
    the name failed.
    """

    position: int
    label: str
    name_id: str
    host: str
    port: int | None = None
    transport: Transport | None = None
    targets: tuple[TargetPicture, ...] = ()
    error: str | None = None


class FailoverRules(_Value):
    """What the customer set. With ``canary`` an endpoint that comes back gets one call, then a
    tenth of the new calls, then all. ``hold_down_seconds`` is the first hold-down."""

    enabled: bool = False
    triggers: tuple[FailoverTrigger, ...] = (FailoverTrigger.UNREACHABLE, FailoverTrigger.TIMEOUT)
    failback: Failback = Failback.AUTO
    canary: bool = False
    hold_down_seconds: int = STANDARD_HOLD_DOWN


class TrunkPicture(_Value):
    """A trunk at one moment. ``calls`` are its own, the oldest first.

    ``generation`` is that of the route which is published, ``open_drills`` the ids of the drills
    that have not ended by what is written of them.
    """

    revision: int
    failover: FailoverRules = FailoverRules()
    endpoints: tuple[EndpointPicture, ...] = ()
    calls: tuple[CallOutcome, ...] = ()
    generation: int = 0
    open_drills: tuple[str, ...] = ()
