"""The decision about an organization's alerts: what opens, changes and ends.

A pure function of the picture, the alerts that are open, and the time. One cause is one alert, however
many trunks it concerns. The rules, in short:

- A trunk counts when its own threshold has passed, and nothing counts while it is worked on.
- A new alert waits ``GATHERING`` for others of its cause, and for endpoints of the same trunk that are
  about to count, ``domain.alert_outages.TOGETHER`` at most.
- A member leaves when nothing has spoken for it during the kind's ``settle``, and an alert without
  members is over. It comes back as the same alert within ``REOPENED_WITHIN``.
- A trunk that is removed, or whose alerts are switched off, leaves at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from domain.alert_condition import Condition
from domain.alert_grouping import Assigned, assign, group
from domain.alert_kinds import AlertKind, Severity
from domain.alert_members import members_after
from domain.alert_outages import TOGETHER
from domain.alert_picture import AlertPicture
from domain.alert_state import Alert, AlertChange, AlertDecision, AlertMember
from domain.alert_table import KINDS, conditions_in
from domain.alert_words import cause_of, count, happened, line
from domain.failover_commands import Window
from domain.failover_words import span

__all__ = ["GATHERING", "REOPENED_WITHIN", "decide"]

GATHERING: Final = timedelta(seconds=10)
"""Trunks of one cause are found within seconds of each other, on several workers."""

REOPENED_WITHIN: Final = timedelta(minutes=10)


def decide(picture: AlertPicture, alerts: Sequence[Alert], now: datetime) -> AlertDecision:
    """Decide about one organization; every time is aware.

    ``alerts`` are the open ones and those resolved within ``REOPENED_WITHIN``; older ones do not
    matter. Only what changed is in the decision. A repetition with its outcome decides nothing.
    """
    standing = [each for each in alerts if each.is_open]
    recent = [each for each in alerts if _recently(each.resolved_at, now)]
    conditions = conditions_in(picture, now)
    assigned, rest = assign(conditions, standing)
    watched = frozenset(each.trunk_id for each in picture.trunks if each.alerts.enabled)
    kept = [_kept(each, watched, now) for each in assigned]
    times: list[datetime | None] = []
    opened: list[AlertChange] = []
    for members in group(rest):
        when = _opens_at(members, now)
        if when is None or when > now:
            times += [when, *(each.ready_at for each in members if not each.in_maintenance)]
            continue
        change = _opened(picture.org_id, members, recent, now)
        recent = [each for each in recent if each.alert_id != change.alert.alert_id]
        opened.append(change)
    changes = [each for each in kept if each is not None]
    over = [each for each in changes if not each.alert.is_open]
    after = {each.alert.alert_id: each.alert for each in (*changes, *opened)}
    times += _settling(after.get(each.alert_id, each) for each in standing)
    times += [each.ready_at for each in conditions if not each.in_maintenance]
    times += [end for trunk in picture.trunks for each in trunk.windows for end in _ends(each)]
    return AlertDecision(
        opened=tuple(opened),
        updated=tuple(each for each in changes if each.alert.is_open),
        resolved=tuple(over),
        wake_at=min((each for each in times if each is not None and each > now), default=None),
    )


def _ends(window: Window) -> tuple[datetime, datetime]:
    return window.starts_at, window.ends_at


def _recently(resolved_at: datetime | None, now: datetime) -> bool:
    return resolved_at is not None and now - resolved_at <= REOPENED_WITHIN


def _opens_at(conditions: Sequence[Condition], now: datetime) -> datetime | None:
    """When these become an alert; ``None`` while none of them counts."""
    counting = [each for each in conditions if each.counts(now)]
    if not counting:
        return None
    first = min(each.ready_at for each in counting)
    if not any(each.waits for each in counting):
        return first
    trunks = {each.trunk_id for each in counting}
    behind = [
        each.ready_at
        for each in conditions
        if each.trunk_id in trunks and not each.in_maintenance and each.ready_at <= first + TOGETHER
    ]
    return max(first + GATHERING, *behind)


def _opened(
    org_id: str,
    conditions: Sequence[Condition],
    recent: Sequence[Alert],
    now: datetime,
) -> AlertChange:
    counting = [each for each in conditions if each.counts(now)]
    kind = counting[0].kind
    causes = tuple(sorted({token for each in counting for token in each.tokens}))
    members = members_after((), counting, None, KINDS[kind].settle, now)
    before = next(
        (each for each in recent if each.kind is kind and not set(causes).isdisjoint(each.causes)),
        None,
    )
    cause = cause_of(counting)
    severity = max((each.severity for each in counting), key=lambda each: each.rank)
    alert = Alert(
        alert_id=_alert_id(org_id, kind, causes, now) if before is None else before.alert_id,
        org_id=org_id,
        kind=kind,
        cause=cause,
        causes=causes,
        severity=severity,
        opened_at=now,
        changed_at=now,
        title=line(KINDS[kind].title.format(cause=cause)),
        happened=happened(counting, members),
        to_change=KINDS[kind].to_change.format(cause=cause),
        members=members,
        flaps=0 if before is None else before.flaps + 1,
    )
    because = [each.because for each in counting[:1]]
    because.append(f"{count(len(members), 'member')} of one cause: {cause}")
    if before is not None:
        because.append(f"the same ended less than {span(REOPENED_WITHIN)} ago: it counts as one")
    joined = tuple(each.trunk_id for each in members)
    return AlertChange(alert=alert, because=tuple(because), joined=joined)


def _kept(assigned: Assigned, watched: frozenset[str], now: datetime) -> AlertChange | None:
    """What becomes of an alert that is open; ``None`` when nothing does."""
    alert, conditions = assigned.alert, assigned.conditions
    settle = KINDS[alert.kind].settle
    members = members_after(alert.members, conditions, watched, settle, now)
    active = [each for each in members if each.active]
    before = {each.trunk_id for each in alert.active_members}
    joined = tuple(each.trunk_id for each in active if each.trunk_id not in before)
    left = tuple(sorted(before - {each.trunk_id for each in active}))
    severity = _severity(alert.severity, conditions, active)
    said = {}
    if joined or severity is not alert.severity:
        concerned = [each for each in conditions if each.trunk_id in {m.trunk_id for m in active}]
        said = {"happened": happened(concerned, active)}
    changed = alert.model_copy(
        update={
            "members": members,
            "causes": tuple(sorted(assigned.tokens)),
            "severity": severity,
            "in_maintenance": _maintained(alert, active),
            "resolved_at": None if active else now,
            **said,
        }
    )
    if changed == alert:
        return None
    raised = severity is not alert.severity
    because = _why(alert, changed, joined, left, watched, raised=raised)
    return AlertChange(
        alert=changed.model_copy(update={"changed_at": now}),
        because=because,
        joined=joined,
        left=left,
        raised=raised,
    )


def _maintained(alert: Alert, active: Sequence[AlertMember]) -> bool:
    """Whether everything concerned is worked on; at the end, whether it was."""
    return all(each.in_maintenance for each in active) if active else alert.in_maintenance


def _severity(
    before: Severity, conditions: Iterable[Condition], active: Sequence[AlertMember]
) -> Severity:
    trunks = {each.trunk_id for each in active}
    found = [each.severity for each in conditions if each.trunk_id in trunks]
    return max((before, *found), key=lambda each: each.rank)


def _why(
    before: Alert,
    after: Alert,
    joined: tuple[str, ...],
    left: tuple[str, ...],
    watched: frozenset[str],
    *,
    raised: bool,
) -> tuple[str, ...]:
    said = []
    if joined:
        said.append(f"{count(len(joined), 'trunk')} joined: the same cause")
    if left:
        gone = sum(bool(each) and each not in watched for each in left)
        said.append(f"{count(len(left), 'member')} left: nothing speaks for it any more")
        if gone:
            said.append(f"{gone} of them not watched any more: removed, or alerts switched off")
    if raised:
        said.append(f"the severity grew from {before.severity} to {after.severity}")
    if after.in_maintenance is not before.in_maintenance:
        now_is = "is" if after.in_maintenance else "is not any more"
        said.append(f"everything concerned {now_is} in maintenance")
    if not after.is_open:
        settle = KINDS[after.kind].settle
        said.append(f"over: nothing has spoken for it for {span(settle)}" if settle else "over")
    return tuple(said) or ("what is known of its members changed",)


def _settling(alerts: Iterable[Alert]) -> list[datetime | None]:
    """When members leave that nothing speaks for."""
    return [
        each.clear_since + KINDS[alert.kind].settle
        for alert in alerts
        if alert.is_open
        for each in alert.active_members
        if each.clear_since is not None
    ]


def _alert_id(org_id: str, kind: AlertKind, causes: Sequence[str], now: datetime) -> str:
    """Made of what it is about, so that a decision repeated after a crash names the same alert."""
    seed = "\n".join((org_id, kind.value, now.isoformat(), *causes))
    return f"alt_{hashlib.sha256(seed.encode()).hexdigest()[:24]}"
