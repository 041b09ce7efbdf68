"""Conditions put together by cause: with the open alert they belong to, or in groups of their own.

A condition belongs to an alert that shares a token with it. What belongs to none is grouped: by
shared tokens, and trunk by trunk when its endpoints failed within moments of each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.alert_condition import Condition
from domain.alert_kinds import AlertKind
from domain.alert_outages import TOGETHER
from domain.alert_state import Alert

__all__ = ["Assigned", "assign", "group"]

_TOKENS_AT_MOST = 256
"""A host behind more addresses than that is found by those."""


@dataclass(slots=True)
class Assigned:
    """An alert that was open before, with what speaks for it now."""

    alert: Alert
    conditions: list[Condition]
    tokens: set[str]


_Index = dict[tuple[AlertKind, str], Assigned]
_Began = dict[tuple[AlertKind, str], tuple[datetime, Assigned]]


def assign(
    conditions: Sequence[Condition], alerts: Sequence[Alert]
) -> tuple[list[Assigned], list[Condition]]:
    """What belongs to which alert, and what belongs to none.

    An alert that gains a condition gains its tokens, as far as no other alert holds them, and with
    them whatever shares those. So does an endpoint that failed at about the same time as another of
    its trunk. Trunks without a route belong to an ``unreachable`` alert about the same cause.
    """
    assigned = [Assigned(each, [], set(each.causes)) for each in _oldest_first(alerts)]
    index: _Index = {}
    began: _Began = {}
    for each in assigned:
        for token in each.alert.causes:
            index.setdefault((each.alert.kind, token), each)
        for member in each.alert.active_members:
            began.setdefault((each.alert.kind, member.trunk_id), (member.since, each))
    rest = list(conditions)
    while True:
        left = [each for each in rest if not _placed(each, _home_of(each, index), index)]
        if len(left) == len(rest):
            left = [each for each in rest if not _placed(each, _beside(each, began), index)]
        if len(left) == len(rest):
            return assigned, left
        rest = left


def group(conditions: Sequence[Condition]) -> list[list[Condition]]:
    """Groups of one kind each that share a cause, in the order of their first condition."""
    leader = list(range(len(conditions)))

    def find(index: int) -> int:
        while leader[index] != index:
            leader[index] = leader[leader[index]]
            index = leader[index]
        return index

    def join(one: int, other: int) -> None:
        first, second = sorted((find(one), find(other)))
        leader[second] = first

    by_token: dict[tuple[AlertKind, str], int] = {}
    by_link: dict[tuple[AlertKind, str], int] = {}
    for index in sorted(leader, key=lambda each: conditions[each].since):
        condition = conditions[index]
        for token in condition.tokens:
            join(by_token.setdefault((condition.kind, token), index), index)
        for link in condition.links:
            before = by_link.get((condition.kind, link))
            by_link[condition.kind, link] = index
            if before is not None and condition.since - conditions[before].since <= TOGETHER:
                join(before, index)
    groups: dict[int, list[Condition]] = {}
    for index, condition in enumerate(conditions):
        groups.setdefault(find(index), []).append(condition)
    return list(groups.values())


def _oldest_first(alerts: Sequence[Alert]) -> list[Alert]:
    return sorted(alerts, key=lambda each: (each.opened_at, each.alert_id))


def _placed(condition: Condition, home: Assigned | None, index: _Index) -> bool:
    if home is None:
        return False
    home.conditions.append(condition)
    for token in sorted(condition.tokens):
        has_room = len(home.tokens) < _TOKENS_AT_MOST
        if has_room and index.setdefault((home.alert.kind, token), home) is home:
            home.tokens.add(token)
    return True


def _home_of(condition: Condition, index: _Index) -> Assigned | None:
    """The oldest alert that shares a token."""
    kinds = [condition.kind]
    if condition.kind is AlertKind.NO_HEALTHY_ENDPOINT:
        kinds.append(AlertKind.UNREACHABLE)
    for kind in kinds:
        homes = [index[kind, token] for token in condition.tokens if (kind, token) in index]
        if homes:
            return min(homes, key=_age)
    return None


def _beside(condition: Condition, began: _Began) -> Assigned | None:
    """The alert about the same trunk that began at about the same time."""
    for link in condition.links:
        since, home = began.get((condition.kind, link), (None, None))
        if since is not None and abs(condition.since - since) <= TOGETHER:
            return home
    return None


def _age(assigned: Assigned) -> tuple[datetime, str]:
    return assigned.alert.opened_at, assigned.alert.alert_id
