"""The route of a trunk: where its new calls go, why, and where next. Shown, stored, and called by."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict

from domain.failover_state import CanaryStage, Cause, StandingAlert
from domain.health_observation import HealthState
from sip.transports import Transport

__all__ = [
    "Route",
    "RouteCanary",
    "RouteDrill",
    "RouteEndpoint",
    "RouteTarget",
    "RouteWindow",
    "RouteWord",
]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class RouteTarget(_Value):
    """One address of an endpoint. ``share`` is its part of the calls, in percent, by the weights of
    RFC 2782; 0 for one that is only tried behind those with a lower priority, or that is down."""

    address: str
    port: int
    transport: Transport
    state: HealthState
    priority: int = 0
    weight: int = 0
    share: int = 0


class RouteWord(StrEnum):
    """How an endpoint stands in the route."""

    UP = "up"
    UNCHECKED = "unchecked"
    DEGRADED = "degraded"
    MAINTENANCE = "maintenance"
    DOWN = "down"


class RouteEndpoint(_Value):
    """An endpoint of the route; ``targets`` in the order in which a call tries them."""

    position: int
    label: str
    name_id: str
    host: str
    port: int | None = None
    transport: Transport | None = None
    standing: RouteWord
    reason: str = ""
    targets: tuple[RouteTarget, ...] = ()


class RouteCanary(_Value):
    """The endpoint at ``position`` gets one call since ``since``, or a tenth of the new ones."""

    position: int
    stage: CanaryStage
    since: AwareDatetime


class RouteDrill(_Value):
    """For the calls of one binding, until then: the positions in their order, and why."""

    drill_id: str
    binding_id: str
    until: AwareDatetime
    order: tuple[int, ...]
    why: tuple[str, ...] = ()


class RouteWindow(_Value):
    """A maintenance window that is open or to come; without a position for the whole trunk."""

    window_id: str
    position: int | None
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class Route(_Value):
    """``why`` are sentences, the most telling first. ``next`` are the other endpoints in the order
    in which a call tries them when the active one does not take it.

    ``held_until`` is when calls return to a more preferred endpoint that stays up until then.
    ``revision`` is that of the configuration which the route was made for.
    """

    revision: int
    generation: int = 0
    active: RouteEndpoint | None = None
    since: AwareDatetime | None = None
    cause: Cause = Cause.PRIMARY
    why: tuple[str, ...] = ()
    next: tuple[RouteEndpoint, ...] = ()
    ready_to_fail_back: bool = False
    held_until: AwareDatetime | None = None
    pinned: bool = False
    pinned_until: AwareDatetime | None = None
    forced: bool = False
    canary: RouteCanary | None = None
    drill: RouteDrill | None = None
    maintenance: tuple[RouteWindow, ...] = ()
    alerts: tuple[StandingAlert, ...] = ()
