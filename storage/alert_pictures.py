"""What a decision about an organization's alerts is made of, read in a handful of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.alert_calls import tally_of
from domain.alert_notices import webhook_key
from domain.alert_picture import (
    AlertEndpoint,
    AlertPicture,
    AlertTarget,
    CallTally,
    CertificateOwner,
    KnownCertificate,
    ProbeReply,
    WatchedTrunk,
)
from domain.certificates import certificates_in
from domain.failover_commands import Window
from domain.failover_route import Route
from domain.failover_state import AlertKind as RouteAlertKind
from domain.health_history import unpack_minutes
from domain.health_observation import HealthState
from domain.live_call_story import ANSWER_NOT_SEEN, CANCELLED_UNANSWERED
from domain.trunk_config import STANDARD_WINDOW_MINUTES, AlertConfig
from sip.transports import Transport
from storage.alert_recipients import failing_of, how_many
from storage.health_history import HistoryHour, hours_of

__all__ = ["picture_of_organization"]

HOUR: Final = timedelta(hours=1)
REPLIES: Final = timedelta(minutes=15)
"""How far back replies are looked at; samples are written every five minutes."""

LONGEST_CALL: Final = timedelta(hours=12)
"""A call that ended within the window began so long before it at most."""


async def picture_of_organization(
    session: AsyncSession, org_id: str, *, now: datetime
) -> AlertPicture:
    """Its trunks whose alerts are enabled, as they stand, and who can be told."""
    rows = (await session.execute(_TRUNKS, {"org_id": org_id})).all()
    configs = {row.id: AlertConfig.model_validate(row.alerts) for row in rows}
    watched = [row for row in rows if configs[row.id].enabled]
    ids = [row.id for row in watched]
    endpoints = await _endpoints(session, ids, await _timed(session, ids, configs, now))
    tallies = await _tallies(session, {each: configs[each] for each in ids}, now)
    own = {
        webhook_key(each)
        for row in watched
        if isinstance(each := configs[row.id].channels.webhook, str)
    }
    return AlertPicture(
        org_id=org_id,
        trunks=tuple(
            _trunk(row, configs[row.id], endpoints.get(row.id, ()), tallies.get(row.id))
            for row in watched
        ),
        recipients=await how_many(session, org_id),
        failing=await failing_of(session, org_id, own),
    )


def _trunk(
    row: Row[Any],
    config: AlertConfig,
    endpoints: tuple[AlertEndpoint, ...],
    tally: CallTally | None,
) -> WatchedTrunk:
    route = None if row.route is None else Route.model_validate(row.route)
    names = {each.position: each.name_id for each in endpoints}
    return WatchedTrunk(
        trunk_id=row.id,
        name=row.name or row.sip_endpoint or row.id,
        numbers=row.numbers,
        alerts=config,
        windows=() if route is None else tuple(_windows(route, names)),
        endpoints=endpoints,
        calls=tally,
        certificates=tuple(_certificates(row.client_certificate)),
        by_hand=route is not None
        and any(each.kind is RouteAlertKind.FLAPPING for each in route.alerts),
    )


def _windows(route: Route, names: Mapping[int, str]) -> Iterable[Window]:
    for each in route.maintenance:
        if each.position is None or each.position in names:
            yield Window(
                window_id=each.window_id,
                name_id=None if each.position is None else names[each.position],
                starts_at=each.starts_at,
                ends_at=each.ends_at,
            )


def _certificates(pem: str | None) -> Iterable[KnownCertificate]:
    try:
        ours = () if pem is None else certificates_in(pem)[:1]
    except ValueError:
        # What cannot be read has no end to tell of; the connection says what is wrong with it.
        return
    for each in ours:
        yield KnownCertificate(
            owner=CertificateOwner.CLIENT,
            fingerprint=each.fingerprint(SHA256()).hex(),
            subject=each.subject.rfc4514_string(),
            expires_at=each.not_valid_after_utc,
        )


async def _timed(
    session: AsyncSession,
    trunk_ids: Collection[str],
    configs: Mapping[str, AlertConfig],
    now: datetime,
) -> Mapping[str, tuple[ProbeReply, ...]]:
    """Replies by target, of the trunks that want to be told of slow ones."""
    wanting = [each for each in trunk_ids if configs[each].thresholds.response_time_ms is not None]
    if not wanting:
        return {}
    targets = list(await session.scalars(_TARGETS, {"trunks": wanting}))
    since = now - REPLIES
    first = since.replace(minute=0, second=0, microsecond=0)
    replies: defaultdict[str, list[ProbeReply]] = defaultdict(list)
    for hour in await hours_of(session, targets, since=first, until=now):
        replies[hour.target_id] += [each for each in _replies(hour) if each.at >= since]
    return {target: tuple(found) for target, found in replies.items()}


def _replies(hour: HistoryHour) -> Iterable[ProbeReply]:
    for minute, sample in sorted(unpack_minutes(hour.minutes or b"").items()):
        if sample.ms is not None:
            yield ProbeReply(at=hour.hour + timedelta(minutes=minute), ms=sample.ms)


async def _endpoints(
    session: AsyncSession,
    trunk_ids: Collection[str],
    replies: Mapping[str, tuple[ProbeReply, ...]],
) -> Mapping[str, tuple[AlertEndpoint, ...]]:
    """By trunk, in the order of their positions."""
    found: dict[tuple[str, int], list[Row[Any]]] = {}
    for row in await session.execute(_ENDPOINTS, {"trunks": list(trunk_ids)}):
        found.setdefault((row.trunk_id, row.place), []).append(row)
    endpoints: defaultdict[str, tuple[AlertEndpoint, ...]] = defaultdict(tuple)
    for (trunk_id, _), rows in found.items():
        endpoints[trunk_id] += (_endpoint(rows, replies),)
    return endpoints


def _endpoint(
    rows: Sequence[Row[Any]], replies: Mapping[str, tuple[ProbeReply, ...]]
) -> AlertEndpoint:
    first = rows[0]
    return AlertEndpoint(
        position=first.place,
        label=first.label,
        name_id=first.name_id,
        host=first.host,
        targets=tuple(
            AlertTarget(
                address=row.address,
                port=row.port,
                transport=Transport(row.transport),
                state=HealthState.UNCHECKED if row.state is None else HealthState(row.state),
                since=row.since,
                reason=row.reason or "",
                replies=replies.get(row.target_id, ()),
            )
            for row in rows
            if row.target_id is not None
        ),
        error=first.error,
        error_since=first.error_since,
    )


async def _tallies(
    session: AsyncSession, configs: Mapping[str, AlertConfig], now: datetime
) -> Mapping[str, CallTally]:
    """Calls of real traffic that ended within each trunk's own window."""
    windows = {
        trunk_id: now
        - timedelta(minutes=limits.failure_rate_window_minutes or STANDARD_WINDOW_MINUTES)
        for trunk_id, config in configs.items()
        if (limits := config.thresholds).failure_rate_percent is not None
    }
    if not windows:
        return {}
    values = {
        "trunks": list(windows),
        "since": list(windows.values()),
        "first": min(windows.values()) - LONGEST_CALL,
        "left_out": [ANSWER_NOT_SEEN, CANCELLED_UNANSWERED],
    }
    statuses: defaultdict[str, list[int | None]] = defaultdict(list)
    for row in await session.execute(_CALLS, values):
        statuses[row.trunk_id] += [row.status] * row.calls
    return {trunk_id: tally_of(found) for trunk_id, found in statuses.items()}


_TRUNKS = text(
    """
    SELECT t.id, t.name, t.sip_endpoint, t.alerts, r.route,
           t.options ->> 'client_certificate' AS client_certificate,
           (SELECT count(DISTINCT b.phone_number) FROM number_bindings b
             WHERE b.trunk_id = t.id) AS numbers
      FROM trunks t LEFT JOIN trunk_routes r ON r.org_id = t.org_id AND r.trunk_id = t.id
     WHERE t.org_id = :org_id AND t.alerts IS NOT NULL
     ORDER BY t.id
    """
)

_TARGETS = text(
    """
    SELECT DISTINCT l.target_id
      FROM trunk_endpoints e JOIN health_name_targets l ON l.name_id = e.name_id
     WHERE e.trunk_id = ANY (CAST(:trunks AS text[]))
    """
)

# An error has no beginning of its own: it began with the first change behind the last one that told of
# targets, whatever its words were since; when that is forgotten, with the trunk.
_ENDPOINTS = text(
    """
    SELECT e.trunk_id, e.position AS place, e.label, e.name_id, n.host, n.error,
           CASE WHEN n.error IS NOT NULL THEN
               coalesce((SELECT min(c.at) FROM name_changes c
                          WHERE c.name_id = n.id AND c.error IS NOT NULL
                            AND c.id > (SELECT coalesce(max(g.id), 0) FROM name_changes g
                                         WHERE g.name_id = n.id AND g.error IS NULL)),
                        k.created_at) END AS error_since,
           t.id AS target_id, t.address, t.port, t.transport, s.state, s.since, s.reason
      FROM trunk_endpoints e
      JOIN trunks k ON k.id = e.trunk_id
      JOIN health_names n ON n.id = e.name_id
      LEFT JOIN health_name_targets l ON l.name_id = e.name_id
      LEFT JOIN health_targets t ON t.id = l.target_id
      LEFT JOIN health_states s ON s.target_id = t.id AND s.rule_key = e.rule_key
     WHERE e.trunk_id = ANY (CAST(:trunks AS text[]))
     ORDER BY e.trunk_id, e.position, l.priority, l.position, t.id
    """
)

_CALLS = text(
    """
    SELECT c.trunk_id, CASE WHEN c.answered_at IS NOT NULL THEN 200 ELSE c.sip_code END AS status,
           count(*) AS calls
      FROM unnest(CAST(:trunks AS text[]), CAST(:since AS timestamptz[])) AS w (trunk_id, since)
      JOIN live_calls c ON c.trunk_id = w.trunk_id AND c.ended_at >= w.since
     WHERE c.ended AND c.at >= :first
       AND (c.answered_at IS NOT NULL OR c.sip_code IS NOT NULL
            OR c.sip_reason IS NULL OR c.sip_reason <> ALL (CAST(:left_out AS text[])))
     GROUP BY 1, 2
    """
)
