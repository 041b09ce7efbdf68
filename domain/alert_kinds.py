"""Kinds of alerts and how serious one is."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["AlertKind", "Severity"]


class AlertKind(StrEnum):
    """What somebody should be told of.

    A new kind is a word here and one entry in ``domain.alert_table``.
    """

    UNREACHABLE = "unreachable"
    """All targets of an endpoint are down for as long as the trunk allows."""
    NO_HEALTHY_ENDPOINT = "no_healthy_endpoint"
    """Every endpoint of a trunk is down, and the trunk asks for no ``unreachable`` alert."""
    FAILURE_RATE = "failure_rate"
    RESPONSE_TIME = "response_time"
    CERTIFICATE_EXPIRING = "certificate_expiring"
    FLAPPING = "flapping"
    ALERTING_BROKEN = "alerting_broken"
    """Somebody who should be told of alerts cannot be."""


class Severity(StrEnum):
    """How much haste an alert asks for."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Grows with the severity."""
        return _RANKS[self]


_RANKS = {each: rank for rank, each in enumerate(Severity)}
