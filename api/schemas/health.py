"""How trunks and numbers stand: answers of the routes of health (contract 5.3)."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, Field

from domain.health_observation import HealthState
from domain.health_rule import HealthRule
from domain.trunk_health import HealthWord
from sip.transports import Transport

__all__ = [
    "EXAMPLE_HEALTH",
    "EXAMPLE_STATUS",
    "EXAMPLE_WINDOWS",
    "EndpointHealthView",
    "InboundView",
    "LastProbeView",
    "NumberStatusView",
    "OutboundView",
    "TargetHealthView",
    "TrunkHealthView",
    "WindowView",
    "WindowsView",
]

EXAMPLE_WINDOWS: Final[dict[str, Any]] = {
    "24h": {
        "uptime_percent": 99.931,
        "avg_response_ms": 42,
        "max_response_ms": 187,
        "probes": 1440,
    },
    "7d": {
        "uptime_percent": 99.99,
        "avg_response_ms": 41,
        "max_response_ms": 312,
        "probes": 10080,
    },
    "30d": {
        "uptime_percent": 99.998,
        "avg_response_ms": 41,
        "max_response_ms": 480,
        "probes": 43200,
    },
}
EXAMPLE_STATUS: Final[dict[str, Any]] = {
    "configured": True,
    "status": "healthy",
    "response_time_ms": 42,
    "checked_at": "2026-03-09T12:00:00Z",
    "health": "healthy",
    "state": "reachable",
    "since": "2026-03-02T08:14:05Z",
    "reason": "reachable since 2026-03-02 08:14:05 UTC: answered 401; next probe in 8 s",
    "trunk_id": "trk_9mWc2RzKp0nLq4TbXs7VhE",
    "inbound": None,
    "outbound": {"endpoint": "sip:pbx.example.com:5061;transport=tls", "active": True},
    "uptime_percent": 99.931,
    "uptime_percent_7d": 99.99,
    "uptime_percent_30d": 99.998,
    "avg_response_ms": 42,
    "avg_response_ms_7d": 41,
    "avg_response_ms_30d": 41,
    "last_checked": "2026-03-09T12:00:00Z",
}
EXAMPLE_HEALTH: Final[dict[str, Any]] = {
    "trunk_id": "trk_9mWc2RzKp0nLq4TbXs7VhE",
    "health": "unreachable",
    "state": "down",
    "since": "2026-03-09T14:03:05Z",
    "reason": "down since 14:03:05 UTC: 3 of 3 probes unanswered; next probe in 8 s; back after 3 "
    "good replies",
    "last_checked": "2026-03-09T14:05:11Z",
    "windows": EXAMPLE_WINDOWS,
    "inbound": None,
    "rule": {"preset": "standard", "down_codes": [], "up_codes": [], "source": "options"},
    "endpoints": [
        {
            "position": 0,
            "label": "sip1.acme.example:5061/tls",
            "host": "sip1.acme.example",
            "port": 5061,
            "transport": "tls",
            "state": "down",
            "error": None,
            "resolved_at": "2026-03-09T14:01:00Z",
            "resolved_again_at": "2026-03-09T14:06:00Z",
            "targets": [
                {
                    "target_id": "tgt_3rZt024eRrmoapKsIym3Ov",
                    "address": "203.0.113.10",
                    "port": 5061,
                    "transport": "tls",
                    "priority": 10,
                    "weight": 60,
                    "health": "unreachable",
                    "state": "down",
                    "since": "2026-03-09T14:03:05Z",
                    "reason": "3 of 3 probes unanswered",
                    "explanation": "down since 14:03:05 UTC: 3 of 3 probes unanswered; next probe "
                    "in 8 s; back after 3 good replies",
                    "misses": 3,
                    "good_replies": 0,
                    "maintenance_until": None,
                    "last_probe": {
                        "at": "2026-03-09T14:05:11Z",
                        "status": None,
                        "response_time_ms": None,
                    },
                    "next_probe_at": "2026-03-09T14:06:10Z",
                    "windows": EXAMPLE_WINDOWS,
                }
            ],
        }
    ],
}


class WindowView(BaseModel):
    """What was counted in a window; `null` where nothing was."""

    uptime_percent: float | None
    avg_response_ms: int | None
    max_response_ms: int | None
    probes: int


class WindowsView(BaseModel):
    """Windows that end now, in whole hours."""

    last_24h: Annotated[WindowView, Field(alias="24h")]
    last_7d: Annotated[WindowView, Field(alias="7d")]
    last_30d: Annotated[WindowView, Field(alias="30d")]


class LastProbeView(BaseModel):
    """The last probe or call that was written down: changes at once, what goes on as it was every
    few minutes."""

    at: AwareDatetime
    status: Annotated[int | None, Field(description="Where it is known.")]
    response_time_ms: float | None


class TargetHealthView(BaseModel):
    """One address of an endpoint."""

    target_id: str
    address: str
    port: int
    transport: Transport
    priority: int
    weight: int
    health: HealthWord
    state: HealthState
    since: AwareDatetime | None
    reason: str
    explanation: Annotated[str, Field(description="Where it stands, why, and what comes next.")]
    misses: Annotated[int, Field(description="Unanswered in a row, up to the 3 that count.")]
    good_replies: Annotated[
        int, Field(description="Replies in a row that speak for another state, up to 3.")
    ]
    maintenance_until: Annotated[
        AwareDatetime | None, Field(description="It asked not to be probed (`Retry-After`).")
    ]
    last_probe: LastProbeView | None
    next_probe_at: Annotated[
        AwareDatetime | None, Field(description="`null` when calls alone count.")
    ]
    windows: WindowsView


class EndpointHealthView(BaseModel):
    """One endpoint of the trunk, with every address that its name leads to."""

    position: Annotated[int, Field(description="0 is the primary.")]
    label: str
    host: str
    port: int | None
    transport: Transport | None
    state: HealthState
    error: Annotated[str | None, Field(description="Why the last look-up of the name failed.")]
    resolved_at: AwareDatetime | None
    resolved_again_at: Annotated[
        AwareDatetime | None, Field(description="`null` for an address, and before the first time.")
    ]
    targets: list[TargetHealthView]


class InboundView(BaseModel):
    """The side that calls come in by. Nothing is sent there, so it is not checked."""

    endpoint: str | None
    active: bool
    last_call_at: Annotated[AwareDatetime | None, Field(description="Where it is known.")] = None
    last_options_at: Annotated[AwareDatetime | None, Field(description="Where it is known.")] = None


class OutboundView(BaseModel):
    """The side that calls go out by."""

    endpoint: str
    active: bool


class TrunkHealthView(BaseModel):
    """How a trunk stands: as its best target."""

    trunk_id: str
    health: HealthWord
    state: HealthState
    since: AwareDatetime | None
    reason: str
    last_checked: AwareDatetime | None
    windows: Annotated[
        WindowsView,
        Field(description="In each hour the trunk counts as the target that did best."),
    ]
    inbound: Annotated[
        InboundView | None, Field(description="Only for trunks that carry inbound calls.")
    ]
    rule: HealthRule
    endpoints: list[EndpointHealthView]


class NumberStatusView(BaseModel):
    """How a number stands, in the keys of both generations: `status`, `response_time_ms` and
    `checked_at` are the older one's. Without a configuration, `inbound`, `outbound` and
    `last_checked` are not there."""

    configured: bool
    status: Annotated[str, Field(description="healthy, unreachable or unchecked.")]
    response_time_ms: Annotated[int | None, Field(description="Of the last reply, while it is up.")]
    checked_at: AwareDatetime | None
    health: HealthWord
    state: Annotated[HealthState, Field(description="What `health` says, more finely.")]
    since: AwareDatetime | None
    reason: str
    trunk_id: Annotated[str | None, Field(description="The trunk that `health` is of.")]
    inbound: InboundView | None = None
    outbound: OutboundView | None = None
    uptime_percent: Annotated[float | None, Field(description="Over 24 hours.")]
    uptime_percent_7d: float | None
    uptime_percent_30d: float | None
    avg_response_ms: Annotated[int | None, Field(description="Over 24 hours.")]
    avg_response_ms_7d: int | None
    avg_response_ms_30d: int | None
    last_checked: AwareDatetime | None = None
