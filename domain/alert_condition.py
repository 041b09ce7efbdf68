"""Something that speaks for an alert now, about one trunk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.alert_kinds import AlertKind, Severity
from domain.alert_picture import AlertEndpoint, WatchedTrunk

__all__ = ["ORGANIZATION", "Condition", "in_maintenance"]

ORGANIZATION: Final = ""
"""``trunk_id`` of what concerns no trunk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What was found.

    ``cause`` names it to people. ``tokens`` are the words that it shares with others of the same
    cause. It counts from ``ready_at`` on, when the trunk's own threshold has passed; before, it only
    keeps an alert that is open. ``links`` join it to conditions that began at about the same time.
    ``waits`` says that others of its cause may be seconds behind.
    """

    kind: AlertKind
    cause: str
    tokens: frozenset[str]
    trunk_id: str
    name: str
    numbers: int
    since: datetime
    ready_at: datetime
    severity: Severity
    because: str
    endpoint: str | None = None
    no_route: bool = False
    in_maintenance: bool = False
    links: frozenset[str] = frozenset()
    waits: bool = False

    def counts(self, now: datetime) -> bool:
        """Whether it may open an alert or join one."""
        return self.ready_at <= now and not self.in_maintenance


def in_maintenance(
    trunk: WatchedTrunk, now: datetime, endpoints: Iterable[AlertEndpoint] = ()
) -> bool:
    """Whether the trunk is worked on, or any of these endpoints."""
    names = {None, *(each.name_id for each in endpoints)}
    return any(
        each.name_id in names and each.starts_at <= now < each.ends_at for each in trunk.windows
    )
