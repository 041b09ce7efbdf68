"""Endpoints that are out: ``unreachable`` and ``no_healthy_endpoint``.

An endpoint is out when every target of it is down, or when its name leads to none. The cause is its
host when that is a name, so that all targets and transports of a carrier are one outage; an address
that was configured as such is a cause by itself. Whoever shares a target shares the outage.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final

from domain.alert_condition import Condition, in_maintenance
from domain.alert_kinds import AlertKind, Severity
from domain.alert_picture import AlertEndpoint, AlertPicture, AlertTarget, WatchedTrunk
from domain.failover_words import moment
from domain.health_observation import HealthState

__all__ = ["NO_ROUTE_AFTER", "TOGETHER", "endpoint_cause", "outages", "routeless", "target_word"]

TOGETHER: Final = timedelta(minutes=2)
"""Endpoints that went down within this time are one outage: a target is looked at once a minute, and
half a minute passes until it counts as down."""

NO_ROUTE_AFTER: Final = timedelta(minutes=1)
"""For trunks without an ``unreachable`` threshold: longer than a restart of a proxy takes."""


@dataclass(frozen=True, slots=True)
class _Outage:
    endpoint: AlertEndpoint
    since: datetime
    reason: str
    last: bool
    """Nothing else works, and it was among the last to go."""


def outages(picture: AlertPicture, now: datetime) -> Iterator[Condition]:
    """Endpoints that are out, of trunks that ask to be told after some minutes."""
    for trunk in picture.trunks:
        minutes = trunk.alerts.thresholds.unreachable_minutes
        if minutes is None:
            continue
        for outage in _outages_of(trunk, now):
            yield _condition(AlertKind.UNREACHABLE, trunk, outage, timedelta(minutes=minutes), now)


def routeless(picture: AlertPicture, now: datetime) -> Iterator[Condition]:
    """Trunks with nothing left that works and no ``unreachable`` threshold of their own; the others
    are members without a route of their ``unreachable`` alert."""
    for trunk in picture.trunks:
        if trunk.alerts.thresholds.unreachable_minutes is not None:
            continue
        for outage in _outages_of(trunk, now):
            if outage.last:
                yield _condition(AlertKind.NO_HEALTHY_ENDPOINT, trunk, outage, NO_ROUTE_AFTER, now)


def endpoint_cause(endpoint: AlertEndpoint) -> tuple[str, frozenset[str]]:
    """The cause in words, and the tokens it is found by."""
    targets = frozenset(f"target:{target_word(each)}" for each in endpoint.targets)
    try:
        ip_address(endpoint.host)
    except ValueError:
        host = endpoint.host.lower()
        return host, targets | {f"host:{host}"}
    named = min((target_word(each) for each in endpoint.targets), default=endpoint.label)
    return named, targets or frozenset({f"host:{endpoint.host}"})


def target_word(target: AlertTarget) -> str:
    """``203.0.113.5:5060/udp``, an IPv6 address in brackets."""
    address = f"[{target.address}]" if ":" in target.address else target.address
    return f"{address}:{target.port}/{target.transport.value}"


def _outages_of(trunk: WatchedTrunk, now: datetime) -> list[_Outage]:
    found = {each.name_id: began for each in trunk.endpoints if (began := _out_since(each, now))}
    routeless = len(found) == len(trunk.endpoints)
    newest = max((since for since, _ in found.values()), default=now)
    return [
        _Outage(
            endpoint=each,
            since=found[each.name_id][0],
            reason=found[each.name_id][1],
            last=routeless and found[each.name_id][0] >= newest - TOGETHER,
        )
        for each in trunk.endpoints
        if each.name_id in found
    ]


def _out_since(endpoint: AlertEndpoint, now: datetime) -> tuple[datetime, str] | None:
    """When the last target went down, and what is said of it; ``None`` while one is not down."""
    if not endpoint.targets:
        if endpoint.error is None:
            return None
        return endpoint.error_since or now, endpoint.error
    if any(each.state is not HealthState.DOWN for each in endpoint.targets):
        return None
    last = max(endpoint.targets, key=lambda each: each.since or now)
    return last.since or now, last.reason


def _condition(
    kind: AlertKind, trunk: WatchedTrunk, outage: _Outage, patience: timedelta, now: datetime
) -> Condition:
    cause, tokens = endpoint_cause(outage.endpoint)
    reason = f": {outage.reason}" if outage.reason else ""
    return Condition(
        kind=kind,
        cause=cause,
        tokens=tokens,
        trunk_id=trunk.trunk_id,
        name=trunk.name,
        numbers=trunk.numbers,
        since=outage.since,
        ready_at=outage.since + patience,
        severity=Severity.CRITICAL if outage.last else Severity.WARNING,
        because=f"{outage.endpoint.label} is down since {moment(outage.since)}{reason}",
        endpoint=outage.endpoint.label,
        no_route=outage.last,
        in_maintenance=in_maintenance(trunk, now, (outage.endpoint,)),
        links=frozenset({trunk.trunk_id}),
        waits=True,
    )
