"""Where a trunk's calls go, as answers show it, and the orders that change it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from api.validation import RequestModel
from domain.failover_route import RouteWord
from domain.failover_state import AlertKind, CanaryStage, Cause
from domain.health_observation import HealthState
from sip.transports import Transport

__all__ = [
    "EXAMPLE_MAINTENANCE",
    "EXAMPLE_ROUTE",
    "AlertView",
    "CanaryView",
    "FailBackRequest",
    "FailOverRequest",
    "MaintenanceRequest",
    "MaintenanceView",
    "PinRequest",
    "RouteDrillView",
    "RouteEndpointView",
    "RouteTargetView",
    "RouteView",
    "WindowView",
]

MAX_POSITION: Final = 15
MAX_MINUTES: Final = 7 * 24 * 60

EXAMPLE_ROUTE: Final[dict[str, Any]] = {
    "trunk_id": "trk_9mWc2RzKp0nLq4TbXs7VhE",
    "generation": 7,
    "revision": 3,
    "current": True,
    "changed_at": "2026-03-09T14:03:32Z",
    "active": {
        "position": 1,
        "label": "sip2.acme.example:5061/tls",
        "standing": "up",
        "reason": "",
        "targets": [
            {
                "address": "203.0.113.9",
                "port": 5061,
                "transport": "tls",
                "state": "healthy",
                "priority": 10,
                "weight": 60,
                "share_percent": 100,
            }
        ],
    },
    "since": "2026-03-09T14:03:32Z",
    "cause": "timeout",
    "why": [
        "Calls went over to sip2.acme.example:5061/tls (secondary) at 2026-03-09 14:03:32 "
        "UTC, since the one before it failed: 3 of 3 probes unanswered.",
        "sip1.acme.example (primary) works again; calls return at 2026-03-09 14:25:10 UTC when it "
        "stays up until then (hold-down 5 minutes).",
    ],
    "next": [
        {
            "position": 0,
            "label": "sip1.acme.example",
            "standing": "up",
            "reason": "",
            "targets": [
                {
                    "address": "198.51.100.7",
                    "port": 5060,
                    "transport": "udp",
                    "state": "healthy",
                    "priority": 0,
                    "weight": 0,
                    "share_percent": 100,
                }
            ],
        }
    ],
    "ready_to_fail_back": False,
    "held_until": "2026-03-09T14:25:10Z",
    "pinned": False,
    "pinned_until": None,
    "forced": False,
    "canary": None,
    "drill": None,
    "maintenance": [],
    "alerts": [],
}

EXAMPLE_MAINTENANCE: Final[dict[str, Any]] = {
    "window_id": "mwn_4fJq0ZxYbT1mN8cRw2LkPa",
    "route": {
        **EXAMPLE_ROUTE,
        "maintenance": [
            {
                "window_id": "mwn_4fJq0ZxYbT1mN8cRw2LkPa",
                "position": 0,
                "starts_at": "2026-03-10T02:00:00Z",
                "ends_at": "2026-03-10T03:00:00Z",
            }
        ],
    },
}

Position = Annotated[
    int,
    Field(
        ge=0,
        le=MAX_POSITION,
        strict=True,
        description="0 is the primary, 1 the secondary and so on, as `route` shows them.",
    ),
]
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d.{2,24}", re.ASCII)


def _written_out(value: object) -> object:
    """Numbers are no times here, though pydantic reads them as seconds since 1970."""
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return value
    raise ValueError("must be a time with its zone, such as 2026-03-10T02:00:00Z")


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]
Minutes = Annotated[int, Field(ge=1, le=MAX_MINUTES, strict=True)]


class FailOverRequest(RequestModel):
    """Where calls are to go."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"to": 1}]})

    to: Annotated[Position | None, Field(description="Default: the best other endpoint.")] = None
    even_if_down: Annotated[
        bool, Field(strict=True, description="Also to an endpoint that is known to be down.")
    ] = False


class FailBackRequest(RequestModel):
    """How calls are to come back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"canary": True}]})

    canary: Annotated[
        bool,
        Field(
            strict=True,
            description="The endpoint gets one call first, then a tenth of the new ones, then all; "
            "one that fails ends the trial.",
        ),
    ] = False


class PinRequest(RequestModel):
    """Which endpoint gets the calls, whatever becomes of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"to": 1, "minutes": 120}]})

    to: Position
    minutes: Annotated[
        Minutes | None, Field(description="Default: until the pin is taken away.")
    ] = None


class MaintenanceRequest(RequestModel):
    """A maintenance window."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"position": 0, "starts_at": "2026-03-10T02:00:00Z", "minutes": 60}]
        }
    )

    position: Annotated[
        Position | None,
        Field(
            description="The endpoint that calls leave while there is another one. Default: the "
            "whole trunk is worked on; calls go as always, and nothing raises an alert."
        ),
    ] = None
    starts_at: Annotated[Moment | None, Field(description="Default: now.")] = None
    minutes: Minutes


class RouteTargetView(BaseModel):
    """One address of an endpoint, in the order in which calls try them."""

    address: str
    port: int
    transport: Transport
    state: HealthState
    priority: int
    weight: int
    share_percent: Annotated[
        int, Field(description="Its part of the endpoint's calls by SRV weight (RFC 2782).")
    ]


class RouteEndpointView(BaseModel):
    """An endpoint and how it stands: as good as its best target."""

    position: int
    label: str
    standing: RouteWord
    reason: str
    targets: list[RouteTargetView]


class CanaryView(BaseModel):
    """The endpoint that came back and has to prove itself."""

    position: int
    stage: CanaryStage
    since: AwareDatetime


class RouteDrillView(BaseModel):
    """What a drill does to the calls of its number; all others go by the route."""

    drill_id: str
    until: AwareDatetime
    order: Annotated[list[int], Field(description="Positions, the first to try first.")]
    why: list[str]


class WindowView(BaseModel):
    """A maintenance window that is open or to come."""

    window_id: str
    position: Annotated[int | None, Field(description="`null`: the whole trunk.")]
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class AlertView(BaseModel):
    """What somebody should look after."""

    kind: AlertKind
    since: AwareDatetime


class RouteView(BaseModel):
    """Where the trunk's new calls go, why, and where next. Calls in progress are never moved."""

    trunk_id: str
    generation: Annotated[int, Field(description="Grows with every change; 0 before the first.")]
    revision: Annotated[int, Field(description="The trunk's revision that it was decided for.")]
    current: Annotated[
        bool, Field(description="False while a change of the trunk waits to be decided about.")
    ]
    changed_at: AwareDatetime | None
    active: RouteEndpointView | None
    since: AwareDatetime | None
    cause: Cause | None
    why: Annotated[list[str], Field(description="Sentences, the one that tells most first.")]
    next: Annotated[
        list[RouteEndpointView],
        Field(description="The other endpoints, in the order in which a call tries them."),
    ]
    ready_to_fail_back: Annotated[
        bool, Field(description="A better choice works again and waits for an operator.")
    ]
    held_until: Annotated[
        AwareDatetime | None, Field(description="End of the hold-down of a better choice.")
    ]
    pinned: bool
    pinned_until: AwareDatetime | None
    forced: bool
    canary: CanaryView | None
    drill: RouteDrillView | None
    maintenance: list[WindowView]
    alerts: list[AlertView]


class MaintenanceView(BaseModel):
    """The new window, and the route with it."""

    window_id: str
    route: RouteView
