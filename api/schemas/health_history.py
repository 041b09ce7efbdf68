"""What was seen of a trunk's endpoints: hours with their minutes, changes of state, DNS changes."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, Field

from domain.health_observation import HealthState
from sip.transports import Transport

__all__ = [
    "EXAMPLE_DNS_CHANGES",
    "EXAMPLE_HISTORY",
    "EXAMPLE_TRANSITIONS",
    "DnsChangePage",
    "HistoryPage",
    "TransitionPage",
]

_TARGET: Final[dict[str, Any]] = {
    "target_id": "tgt_3rZt024eRrmoapKsIym3Ov",
    "address": "203.0.113.10",
    "port": 5061,
    "transport": "tls",
}
EXAMPLE_HISTORY: Final[dict[str, Any]] = {
    "hours": [
        {
            **_TARGET,
            "hour": "2026-03-09T14:00:00Z",
            "probes": 6,
            "uptime_percent": 50.0,
            "avg_response_ms": 42,
            "max_response_ms": 44,
            "outcomes": {"ok": 3, "timeout": 3},
            "minutes": [
                {"minute": 0, "outcome": "ok", "response_time_ms": 41},
                {"minute": 1, "outcome": "ok", "response_time_ms": 44},
                {"minute": 2, "outcome": "ok", "response_time_ms": 41},
                {"minute": 3, "outcome": "timeout", "response_time_ms": None},
                {"minute": 4, "outcome": "timeout", "response_time_ms": None},
                {"minute": 5, "outcome": "timeout", "response_time_ms": None},
            ],
        }
    ],
    "next_cursor": None,
}
EXAMPLE_TRANSITIONS: Final[dict[str, Any]] = {
    "transitions": [
        {
            "id": 4711,
            "at": "2026-03-09T14:03:05Z",
            **_TARGET,
            "before": "healthy",
            "after": "down",
            "reason": "3 of 3 probes unanswered",
            "evidence": {
                "misses": 3,
                "goods": 0,
                "rule_key": "standard",
                "rule": {},
                "seen_by": "probe",
                "kind": "timeout",
                "sent_at": 1773064981.4,
            },
            "request": "OPTIONS sip:sip1.acme.example SIP/2.0\r\n...",
            "reply": None,
        }
    ],
    "next_cursor": None,
}
EXAMPLE_DNS_CHANGES: Final[dict[str, Any]] = {
    "changes": [
        {
            "id": 815,
            "at": "2026-03-09T13:00:00Z",
            "position": 0,
            "host": "sip1.acme.example",
            "added": [{"address": "203.0.113.11", "port": 5061, "transport": "tls"}],
            "removed": [{"address": "203.0.113.9", "port": 5061, "transport": "tls"}],
            "error": None,
        }
    ],
    "next_cursor": None,
}


class AddressView(BaseModel):
    """Where a name leads."""

    address: str
    port: int
    transport: Transport


class TargetView(AddressView):
    """One address of an endpoint."""

    target_id: str


class MinuteView(BaseModel):
    """A minute: its worst outcome, and how long the reply took."""

    minute: int
    outcome: str
    response_time_ms: int | None


class HourView(TargetView):
    """An hour of one address."""

    hour: AwareDatetime
    probes: Annotated[int, Field(description="Regular ones; what confirms a doubt is not counted.")]
    uptime_percent: float | None
    avg_response_ms: int | None
    max_response_ms: int | None
    outcomes: Annotated[dict[str, int], Field(description="How many of each; others are 0.")]
    minutes: Annotated[
        list[MinuteView] | None,
        Field(description="Those that are known; `null` when they are older than 48 hours."),
    ]


class HistoryPage(BaseModel):
    """Hours, the newest first; within one, addresses by their id."""

    hours: list[HourView]
    next_cursor: str | None


class TransitionView(TargetView):
    """A change of state of one address, and what proves it."""

    id: int
    at: AwareDatetime
    before: HealthState
    after: HealthState
    reason: str
    evidence: Annotated[
        dict[str, Any],
        Field(description="The counters that decided, the rule, and what was seen by whom."),
    ]
    request: Annotated[
        str | None,
        Field(description="The probe that decided, byte for byte but for `*` over secrets."),
    ]
    reply: str | None


class TransitionPage(BaseModel):
    """Changes of state, the newest first."""

    transitions: list[TransitionView]
    next_cursor: str | None


class DnsChangeView(BaseModel):
    """What a look-up of an endpoint's name changed, or why it began to fail."""

    id: int
    at: AwareDatetime
    position: Annotated[int, Field(description="Of the endpoint; 0 is the primary.")]
    host: str
    added: list[AddressView]
    removed: list[AddressView]
    error: str | None


class DnsChangePage(BaseModel):
    """Changes that the DNS made, the newest first."""

    changes: list[DnsChangeView]
    next_cursor: str | None
