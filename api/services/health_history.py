"""What was seen of a trunk's endpoints, in pages, the newest first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from api.cursors import cursor_of, not_a_cursor, text_of
from api.services.trunk_health import the_trunk
from api.services.trunk_health_views import counted, window_of
from domain.health_history import OutcomeClass, unpack_minutes
from domain.health_rule import STANDARD_RULE, HealthRule
from sip.masking import masked
from storage.health_reads import (
    EndpointStanding,
    HistoryHour,
    HoursBehind,
    TargetStanding,
    changes_of_names,
    newest_hours,
    picture_of,
    transitions_of,
)

__all__ = ["dns_changes", "hours", "transitions"]

KEPT: Final = timedelta(days=32)
MINUTES_KEPT: Final = timedelta(hours=48)
MAX_ID: Final = 2**63 - 1


async def hours(
    session: AsyncSession,
    org_id: str,
    trunk_id: str,
    *,
    target_id: str | None,
    limit: int,
    cursor: str | None,
    now: datetime,
) -> dict[str, Any]:
    """A ``HistoryPage`` as JSON, of one target or of all. Raises ``NotFound``, ``InvalidRequest``."""
    behind = None if cursor is None else _place(cursor)
    rule, targets = await _targets(session, org_id, trunk_id, target_id)
    found = await newest_hours(session, targets, since=now - KEPT, behind=behind, limit=limit + 1)
    page = found[:limit]
    last = page[-1] if len(found) > limit else None
    return {
        "hours": [_hour(each, targets[each.target_id], rule, now) for each in page],
        "next_cursor": None if last is None else _cursor(last),
    }


async def transitions(
    session: AsyncSession,
    org_id: str,
    trunk_id: str,
    *,
    target_id: str | None,
    limit: int,
    cursor: str | None,
) -> dict[str, Any]:
    """A ``TransitionPage`` as JSON. Raises ``NotFound`` and ``InvalidRequest``."""
    before_id = None if cursor is None else _id(cursor)
    rule, targets = await _targets(session, org_id, trunk_id, target_id)
    found = await transitions_of(
        session, [(each, rule.key) for each in targets], limit=limit + 1, before_id=before_id
    )
    page = found[:limit]
    return {
        "transitions": [
            {
                **_address(targets[each.target_id]),
                "id": each.id,
                "at": each.at,
                "before": each.before.value,
                "after": each.after.value,
                "reason": each.reason,
                "evidence": each.evidence,
                "request": _text(each.request),
                "reply": _text(each.reply),
            }
            for each in page
        ],
        "next_cursor": str(page[-1].id) if len(found) > limit else None,
    }


async def dns_changes(
    session: AsyncSession, org_id: str, trunk_id: str, *, limit: int, cursor: str | None
) -> dict[str, Any]:
    """A ``DnsChangePage`` as JSON. Raises ``NotFound`` and ``InvalidRequest``."""
    before_id = None if cursor is None else _id(cursor)
    endpoints = await _endpoints(session, org_id, trunk_id)
    by_name = {each.name_id: each for each in reversed(endpoints)}
    found = await changes_of_names(session, by_name, limit=limit + 1, before_id=before_id)
    page = found[:limit]
    return {
        "changes": [
            {
                "id": each.id,
                "at": each.at,
                "position": by_name[each.name_id].position,
                "host": by_name[each.name_id].identity.host,
                "added": each.added,
                "removed": each.removed,
                "error": each.error,
            }
            for each in page
        ],
        "next_cursor": str(page[-1].id) if len(found) > limit else None,
    }


async def _endpoints(
    session: AsyncSession, org_id: str, trunk_id: str
) -> tuple[EndpointStanding, ...]:
    await the_trunk(session, org_id, trunk_id)
    return await picture_of(session, trunk_id)


async def _targets(
    session: AsyncSession, org_id: str, trunk_id: str, target_id: str | None
) -> tuple[HealthRule, Mapping[str, TargetStanding]]:
    """The trunk's rule, and its targets by id; of one that it does not have there is nothing."""
    endpoints = await _endpoints(session, org_id, trunk_id)
    targets = {
        target.target_id: target
        for endpoint in endpoints
        for target in endpoint.targets
        if target_id in (None, target.target_id)
    }
    return endpoints[0].rule if endpoints else STANDARD_RULE, targets


def _hour(
    hour: HistoryHour, target: TargetStanding, rule: HealthRule, now: datetime
) -> dict[str, Any]:
    totals = window_of(counted(rule, hour.totals))
    fresh = hour.minutes is not None and hour.hour > now - MINUTES_KEPT
    return {
        **_address(target),
        "hour": hour.hour,
        **totals,
        "outcomes": {
            outcome.name.lower(): hour.totals.count_of(outcome)
            for outcome in OutcomeClass
            if hour.totals.count_of(outcome)
        },
        "minutes": _minutes(hour.minutes or b"") if fresh else None,
    }


def _minutes(packed: bytes) -> list[dict[str, Any]]:
    return [
        {
            "minute": minute,
            "outcome": sample.outcome.name.lower(),
            "response_time_ms": sample.ms,
        }
        for minute, sample in sorted(unpack_minutes(packed).items())
    ]


def _address(target: TargetStanding) -> dict[str, Any]:
    identity = target.identity
    return {
        "target_id": target.target_id,
        "address": identity.address,
        "port": identity.port,
        "transport": identity.transport.value,
    }


def _text(data: bytes | None) -> str | None:
    """Bytes of a message as they are shown: others may share the target, so numbers are hidden."""
    return None if data is None else masked(data, hide_numbers=True).decode("utf-8", "replace")


def _cursor(last: HistoryHour) -> str:
    return cursor_of(f"{int(last.hour.timestamp())} {last.target_id}")


def _place(cursor: str) -> HoursBehind:
    try:
        text = text_of(cursor)
        moment, _, target_id = text.partition(" ")
        hour = datetime.fromtimestamp(int(moment), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise not_a_cursor() from error
    if not target_id.startswith("tgt_") or not target_id.isprintable():
        raise not_a_cursor()
    return HoursBehind(hour, target_id)


def _id(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit()) or not 0 < int(cursor) <= MAX_ID:
        raise not_a_cursor()
    return int(cursor)
