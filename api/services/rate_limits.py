"""What a client is told of a limit that it shares with its organization's other clients.

``RateLimit-Limit``, ``RateLimit-Remaining`` and ``RateLimit-Reset`` as in
draft-ietf-httpapi-ratelimit-headers-03; the reset in whole seconds, when the first start of the sliding
window no longer counts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from typing import Any

from storage.calls import Usage

__all__ = ["HEADERS", "limit_headers"]

HEADERS: dict[str, Any] = {
    "RateLimit-Limit": {
        "description": "Test calls that the window holds.",
        "schema": {"type": "integer", "minimum": 1},
        "example": 10,
    },
    "RateLimit-Remaining": {
        "description": "Test calls that may be started now.",
        "schema": {"type": "integer", "minimum": 0},
        "example": 9,
    },
    "RateLimit-Reset": {
        "description": "Seconds until the oldest one leaves the window.",
        "schema": {"type": "integer", "minimum": 0},
        "example": 900,
    },
}
"""OpenAPI entries of the headers."""


def limit_headers(usage: Usage, *, now: datetime) -> dict[str, str]:
    """The headers of an answer that was counted, or refused."""
    left = max(usage.resets_at - now, timedelta(0))
    return {
        "RateLimit-Limit": str(usage.limit),
        "RateLimit-Remaining": str(max(0, usage.limit - usage.used)),
        "RateLimit-Reset": str(ceil(left.total_seconds())),
    }
