"""The members of an alert: who joins, who stays, who left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.alert_condition import ORGANIZATION, Condition
from domain.alert_state import AlertMember
from domain.alert_words import line

__all__ = ["members_after"]


def members_after(
    members: Sequence[AlertMember],
    conditions: Sequence[Condition],
    watched: frozenset[str] | None,
    settle: timedelta,
    now: datetime,
) -> tuple[AlertMember, ...]:
    """The members, those that left among them, in the order they joined.

    ``conditions`` are of this alert only; ``watched`` are the trunks that may stay, ``None`` all.
    """
    by_trunk: dict[str, list[Condition]] = {}
    for each in conditions:
        by_trunk.setdefault(each.trunk_id, []).append(each)
    after = [
        _after(each, by_trunk.pop(each.trunk_id, []), watched, settle, now) for each in members
    ]
    after += [
        _joined(found, now)
        for found in by_trunk.values()
        if any(each.counts(now) for each in found)
    ]
    return tuple(after)


def _after(
    member: AlertMember,
    found: Sequence[Condition],
    watched: frozenset[str] | None,
    settle: timedelta,
    now: datetime,
) -> AlertMember:
    if not member.active:
        back = any(each.counts(now) for each in found)
        return _joined(found, now) if back else member
    if found:
        return _described(member, found)
    is_gone = watched is not None and member.trunk_id not in {*watched, ORGANIZATION}
    since = member.clear_since or now
    if is_gone or now - since >= settle:
        return member.model_copy(update={"clear_since": since, "left_at": now})
    return member.model_copy(update={"clear_since": since})


def _joined(found: Sequence[Condition], now: datetime) -> AlertMember:
    first = min(found, key=lambda each: each.since)
    member = AlertMember(trunk_id=first.trunk_id, name=first.name, since=min(first.since, now))
    return _described(member, found)


def _described(member: AlertMember, found: Sequence[Condition]) -> AlertMember:
    endpoints = tuple(sorted({each.endpoint for each in found if each.endpoint is not None}))
    no_route = any(each.no_route for each in found)
    # A figure that moves with every look would make every look a change.
    is_same = member.because and (member.endpoints, member.no_route) == (endpoints, no_route)
    because = line("; ".join(dict.fromkeys(each.because for each in found)))
    return member.model_copy(
        update={
            "name": line(found[0].name),
            "numbers": found[0].numbers,
            "endpoints": endpoints,
            "no_route": no_route,
            "in_maintenance": all(each.in_maintenance for each in found),
            "clear_since": None,
            "because": member.because if is_same else because,
        }
    )
