"""Messages about alerts: what a webhook receives as JSON, and what every other channel is made of.

``docs/alerts/alert-event.schema.json`` is the JSON Schema of ``AlertMessage``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from domain.alert_condition import ORGANIZATION
from domain.alert_kinds import AlertKind, Severity
from domain.alert_notices import NoticeType
from domain.alert_state import Alert, AlertMember

__all__ = [
    "ALERT_MESSAGE",
    "MEMBERS_AT_MOST",
    "AlertData",
    "AlertDigest",
    "AlertEvent",
    "AlertEventType",
    "AlertLinks",
    "AlertMessage",
    "AlertTrunk",
    "DigestData",
    "DigestLine",
    "digest_of",
    "event_of",
    "trial_event",
]

MEMBERS_AT_MOST: Final = 100
"""Keeps a body near the 20 kB that Standard Webhooks recommends; ``trunks_total`` says how many."""

LINES_AT_MOST: Final = 50


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class AlertEventType(StrEnum):
    """What happened to the alert."""

    OPENED = "sip.alert.opened"
    UPDATED = "sip.alert.updated"
    REMINDER = "sip.alert.reminder"
    RESOLVED = "sip.alert.resolved"
    TEST = "sip.alert.test"


class AlertTrunk(_Wire):
    """A trunk that the alert is about."""

    trunk_id: str
    name: str
    numbers: Annotated[int, Field(ge=0, description="How many numbers are bound to it.")]
    endpoints: Annotated[tuple[str, ...], Field(description="Its endpoints that are out.")] = ()
    no_route: Annotated[bool, Field(description="No endpoint of it is left that works.")] = False
    since: AwareDatetime


class AlertLinks(_Wire):
    """Where to read more."""

    alert: Annotated[str | None, Field(description="The alert in the API.")] = None
    dashboard: Annotated[str | None, Field(description="The alert as a page for people.")] = None


class AlertData(_Wire):
    """The alert as it stood when the event happened."""

    alert_id: str
    kind: AlertKind
    severity: Severity
    title: Annotated[str, Field(description="One line for people.")]
    what_happened: str
    what_to_change: str
    cause: Annotated[
        str, Field(description="What it is about: a host, an address, a trunk, a certificate.")
    ]
    trunks: Annotated[
        tuple[AlertTrunk, ...],
        Field(max_length=MEMBERS_AT_MOST, description="The first trunks that it concerns."),
    ] = ()
    trunks_total: Annotated[int, Field(ge=0, description="How many trunks it concerns.")] = 0
    numbers_total: Annotated[int, Field(ge=0, description="Numbers bound to all of them.")] = 0
    opened_at: AwareDatetime
    resolved_at: AwareDatetime | None = None
    acknowledged_at: AwareDatetime | None = None
    flaps: Annotated[
        int, Field(ge=0, description="How often it came back within minutes of its end.")
    ] = 0
    links: AlertLinks = AlertLinks()


class AlertEvent(_Wire):
    """Something that happened to an alert.

    ``id`` stays the same when a delivery is repeated: whoever keeps it acts once.
    """

    type: AlertEventType
    id: str
    timestamp: Annotated[AwareDatetime, Field(description="When it happened, not when it is sent.")]
    org_id: str
    data: AlertData


class DigestLine(_Wire):
    """An alert that opened and ended in quiet hours."""

    alert_id: str
    kind: AlertKind
    severity: Severity
    title: str
    trunks_total: Annotated[int, Field(ge=0)]
    opened_at: AwareDatetime
    resolved_at: AwareDatetime


class DigestData(_Wire):
    """The alerts in the order they opened."""

    alerts: Annotated[tuple[DigestLine, ...], Field(max_length=LINES_AT_MOST)]
    alerts_total: Annotated[int, Field(ge=1)]


class AlertDigest(_Wire):
    """What opened and ended while nobody was to be disturbed."""

    type: Literal["sip.alert.digest"] = "sip.alert.digest"
    id: str
    timestamp: AwareDatetime
    org_id: str
    data: DigestData


AlertMessage = AlertEvent | AlertDigest

ALERT_MESSAGE: Final[TypeAdapter[AlertMessage]] = TypeAdapter(AlertMessage)


def event_of(
    alert: Alert, type_: AlertEventType, at: datetime, links: AlertLinks | None = None
) -> AlertEvent:
    """The event; its id follows from the alert, the type and the time."""
    trunks = _shown(alert)
    data = AlertData(
        alert_id=alert.alert_id,
        kind=alert.kind,
        severity=alert.severity,
        title=alert.title,
        what_happened=alert.happened,
        what_to_change=alert.to_change,
        cause=alert.cause,
        trunks=tuple(_trunk(each) for each in trunks[:MEMBERS_AT_MOST]),
        trunks_total=len(trunks),
        numbers_total=sum(each.numbers for each in trunks),
        opened_at=alert.opened_at,
        resolved_at=alert.resolved_at,
        acknowledged_at=alert.acknowledged_at,
        flaps=alert.flaps,
        links=links or AlertLinks(),
    )
    return AlertEvent(
        type=type_,
        id=_event_id(alert.alert_id, type_.value, at),
        timestamp=at,
        org_id=alert.org_id,
        data=data,
    )


def trial_event(org_id: str, at: datetime, links: AlertLinks | None = None) -> AlertEvent:
    """What somebody asked for to see whether alerts arrive."""
    data = AlertData(
        alert_id=f"alt_test_{at:%Y%m%d%H%M%S}",
        kind=AlertKind.UNREACHABLE,
        severity=Severity.INFO,
        title="Test alert",
        what_happened="Somebody asked for a test alert. Nothing is wrong with any trunk.",
        what_to_change="Nothing: this message arrived, so alerts do.",
        cause="test",
        opened_at=at,
        links=links or AlertLinks(),
    )
    return AlertEvent(
        type=AlertEventType.TEST,
        id=_event_id(org_id, AlertEventType.TEST.value, at),
        timestamp=at,
        org_id=org_id,
        data=data,
    )


def digest_of(alerts: Sequence[Alert], at: datetime) -> AlertDigest:
    """One message for several alerts that are over; at least one. Alerts that are open are left out.

    Raises ``ValueError`` when none is over.
    """
    lines = [
        DigestLine(
            alert_id=each.alert_id,
            kind=each.kind,
            severity=each.severity,
            title=each.title,
            trunks_total=len(_shown(each)),
            opened_at=each.opened_at,
            resolved_at=each.resolved_at,
        )
        for each in sorted(alerts, key=lambda each: (each.opened_at, each.alert_id))
        if each.resolved_at is not None
    ]
    if not lines:
        raise ValueError("a digest needs an alert that is over")
    return AlertDigest(
        id=_event_id("\n".join(each.alert_id for each in lines), NoticeType.DIGEST.value, at),
        timestamp=at,
        org_id=alerts[0].org_id,
        data=DigestData(alerts=tuple(lines[:LINES_AT_MOST]), alerts_total=len(lines)),
    )


def _shown(alert: Alert) -> list[AlertMember]:
    """The trunks it concerns; at its end all that it ever concerned."""
    kept = [each for each in alert.members if each.trunk_id != ORGANIZATION]
    if alert.is_open:
        return [each for each in kept if each.active]
    return kept


def _trunk(member: AlertMember) -> AlertTrunk:
    return AlertTrunk(
        trunk_id=member.trunk_id,
        name=member.name,
        numbers=member.numbers,
        endpoints=member.endpoints,
        no_route=member.no_route,
        since=member.since,
    )


def _event_id(subject: str, type_: str, at: datetime) -> str:
    """Without a full stop, which separates the parts that a signature covers."""
    seed = "\n".join((subject, type_, at.isoformat()))
    return f"evt_{hashlib.sha256(seed.encode()).hexdigest()[:24]}"
