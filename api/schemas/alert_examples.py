"""Examples of alerts for the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

__all__ = [
    "EXAMPLE_ALERT",
    "EXAMPLE_ALERTS",
    "EXAMPLE_TRIAL",
    "EXAMPLE_TRIAL_REQUEST",
    "EXAMPLE_WHOLE_ALERT",
]

EXAMPLE_ALERT: Final[dict[str, Any]] = {
    "alert_id": "alt_5f2c8d0e9b1a4c3d7e6f8a90",
    "kind": "unreachable",
    "severity": "critical",
    "open": True,
    "title": "No answer from sip1.carrier.example",
    "what_happened": "sip1.carrier.example is down since 2026-03-09 12:00:00 UTC: no answer within 4 s. "
    "Concerned: Sales, 1 trunk with 12 numbers; no other endpoint works, so calls fail.",
    "what_to_change": "Ask the operator of sip1.carrier.example whether it is in service.",
    "cause": "sip1.carrier.example",
    "trunks_total": 1,
    "numbers_total": 12,
    "in_maintenance": False,
    "flaps": 0,
    "opened_at": "2026-03-09T12:05:10Z",
    "changed_at": "2026-03-09T12:05:10Z",
    "resolved_at": None,
    "acknowledged_at": None,
    "acknowledged_by": None,
}

EXAMPLE_ALERTS: Final[dict[str, Any]] = {"alerts": [EXAMPLE_ALERT], "next_cursor": None}

_MESSAGES: Final[list[dict[str, Any]]] = [
    {
        "message_id": "dlv_2Nq0bVxT7mKpYc4RwLsZa9",
        "channel": "email",
        "recipient": "n***@example.com",
        "notice": "opened",
        "state": "delivered",
        "created_at": "2026-03-09T12:05:10Z",
        "ended_at": "2026-03-09T12:05:11Z",
        "next_attempt_at": None,
        "attempts_total": 1,
        "attempts": [
            {
                "at": "2026-03-09T12:05:11Z",
                "delivered": True,
                "ms": 212,
                "detail": "accepted by the mail server",
            }
        ],
    },
    {
        "message_id": "dlv_8hKd3TzQp1nVy6WbXs5RmE",
        "channel": "webhook",
        "recipient": "whk_9sVt3QeUo6yHd1BgXn5MiC",
        "notice": "opened",
        "state": "pending",
        "created_at": "2026-03-09T12:05:10Z",
        "ended_at": None,
        "next_attempt_at": "2026-03-09T12:05:16Z",
        "attempts_total": 1,
        "attempts": [
            {
                "at": "2026-03-09T12:05:11Z",
                "delivered": False,
                "ms": 48,
                "detail": "HTTP 500",
            }
        ],
    },
]

EXAMPLE_WHOLE_ALERT: Final[dict[str, Any]] = {
    **EXAMPLE_ALERT,
    "members": [
        {
            "trunk_id": "trk_9mWc2RzKp0nLq4TbXs7VhE",
            "name": "Sales",
            "numbers": 12,
            "since": "2026-03-09T12:00:00Z",
            "left_at": None,
            "endpoints": ["sip1.carrier.example"],
            "no_route": True,
            "in_maintenance": False,
            "because": "sip1.carrier.example is down since 2026-03-09 12:00:00 UTC: no answer within 4 s",
        }
    ],
    "messages": _MESSAGES,
}

EXAMPLE_TRIAL_REQUEST: Final[dict[str, Any]] = {"channel": "email"}

EXAMPLE_TRIAL: Final[dict[str, Any]] = {
    "trial_id": "atr_6bZq1WnTx8mKc3RyVsLp0J",
    "created_at": "2026-03-09T12:05:10Z",
    "messages": [{**_MESSAGES[0], "notice": "test"}],
}
