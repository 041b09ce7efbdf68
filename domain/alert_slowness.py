"""Endpoints that answer slowly: the ``response_time`` alert.

One slow reply says little, so what counts is the median of the last three, and it must stay above the
threshold for three minutes. An endpoint is slow when every target of it that answers is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from domain.alert_condition import Condition, in_maintenance
from domain.alert_kinds import AlertKind, Severity
from domain.alert_outages import endpoint_cause, target_word
from domain.alert_picture import AlertEndpoint, AlertPicture, AlertTarget, ProbeReply, WatchedTrunk
from domain.failover_words import moment

__all__ = ["SLOW_FOR", "slow_since", "slowness"]

SLOW_FOR: Final = timedelta(minutes=3)

_REPLIES: Final = 3
_STALE: Final = timedelta(minutes=15)


def slowness(picture: AlertPicture, now: datetime) -> Iterator[Condition]:
    """Targets and endpoints whose replies take longer than the trunk allows."""
    for trunk in picture.trunks:
        limit = trunk.alerts.thresholds.response_time_ms
        if limit is None:
            continue
        for endpoint in trunk.endpoints:
            yield from _slow_parts(trunk, endpoint, limit, now)


def slow_since(replies: Sequence[ProbeReply], limit_ms: float, now: datetime) -> datetime | None:
    """Since when every median of three replies in a row is above the limit; ``None`` when the last
    one is not, or when no reply is recent. ``replies`` are ordered by time."""
    if not replies or replies[-1].at < now - _STALE:
        return None
    since = None
    for end in range(len(replies), _REPLIES - 1, -1):
        if median(each.ms for each in replies[end - _REPLIES : end]) <= limit_ms:
            break
        since = replies[end - 1].at
    return since


def _slow_parts(
    trunk: WatchedTrunk, endpoint: AlertEndpoint, limit: float, now: datetime
) -> Iterator[Condition]:
    answering = [each for each in endpoint.targets if each.state.routable and each.replies]
    slow = [
        (each, since)
        for each in answering
        if (since := slow_since(each.replies, limit, now)) is not None
    ]
    if slow and len(slow) == len(answering):
        cause, tokens = endpoint_cause(endpoint)
        since = max(each for _, each in slow)
        yield _condition(trunk, endpoint, slow[0][0], cause, tokens, since, limit, now)
        return
    for target, since in slow:
        word = target_word(target)
        yield _condition(
            trunk, endpoint, target, word, frozenset({f"target:{word}"}), since, limit, now
        )


def _condition(
    trunk: WatchedTrunk,
    endpoint: AlertEndpoint,
    target: AlertTarget,
    cause: str,
    tokens: frozenset[str],
    since: datetime,
    limit: float,
    now: datetime,
) -> Condition:
    typical = round(median(each.ms for each in target.replies[-_REPLIES:]))
    return Condition(
        kind=AlertKind.RESPONSE_TIME,
        cause=cause,
        tokens=tokens,
        trunk_id=trunk.trunk_id,
        name=trunk.name,
        numbers=trunk.numbers,
        since=since,
        ready_at=since + SLOW_FOR,
        severity=Severity.WARNING,
        because=f"{cause} takes about {typical} ms to answer since {moment(since)}; "
        f"the limit is {limit:g} ms",
        endpoint=endpoint.label,
        in_maintenance=in_maintenance(trunk, now, (endpoint,)),
        waits=True,
    )
