"""Alerts, what was told of them, and trials of the channels."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.schemas.alert_examples import EXAMPLE_TRIAL_REQUEST
from api.validation import RequestModel
from domain.alert_condition import ORGANIZATION
from domain.alert_kinds import AlertKind, Severity
from domain.alert_notices import NoticeType
from domain.alert_picture import ChannelKind
from domain.alert_state import Alert, AlertMember
from storage.tables import DeliveryState

__all__ = [
    "AlertList",
    "AlertMemberView",
    "AlertMessageView",
    "AlertTrialRequest",
    "AlertTrialView",
    "AlertView",
    "AttemptView",
    "WholeAlertView",
]


class AlertView(BaseModel):
    """An alert as it stands; the words are those of the webhook's body."""

    alert_id: str
    kind: AlertKind
    severity: Severity
    open: bool
    title: Annotated[str, Field(description="One line for people.")]
    what_happened: str
    what_to_change: str
    cause: Annotated[
        str, Field(description="What it is about: a host, an address, a trunk, a certificate.")
    ]
    trunks_total: Annotated[
        int, Field(description="Trunks that it concerns; once it is over, that it concerned.")
    ]
    numbers_total: Annotated[int, Field(description="Numbers bound to them.")]
    in_maintenance: Annotated[
        bool, Field(description="Everything that it is about is worked on, so nobody is told.")
    ]
    flaps: Annotated[int, Field(description="How often it came back within minutes of its end.")]
    opened_at: AwareDatetime
    changed_at: AwareDatetime
    resolved_at: AwareDatetime | None
    acknowledged_at: AwareDatetime | None
    acknowledged_by: Annotated[str | None, Field(description="Id of the key that did.")]

    @classmethod
    def of(cls, alert: Alert) -> AlertView:
        """The alert without its members."""
        trunks = [each for each in members_of(alert) if each.active or not alert.is_open]
        return cls(
            alert_id=alert.alert_id,
            kind=alert.kind,
            severity=alert.severity,
            open=alert.is_open,
            title=alert.title,
            what_happened=alert.happened,
            what_to_change=alert.to_change,
            cause=alert.cause,
            trunks_total=len(trunks),
            numbers_total=sum(each.numbers for each in trunks),
            in_maintenance=alert.in_maintenance,
            flaps=alert.flaps,
            opened_at=alert.opened_at,
            changed_at=alert.changed_at,
            resolved_at=alert.resolved_at,
            acknowledged_at=alert.acknowledged_at,
            acknowledged_by=alert.acknowledged_by,
        )


def members_of(alert: Alert) -> list[AlertMember]:
    """The trunks among the members: an alert may be about the organization itself."""
    return [each for each in alert.members if each.trunk_id != ORGANIZATION]


class AlertList(BaseModel):
    """A page of alerts, the newest first."""

    alerts: list[AlertView]
    next_cursor: Annotated[str | None, Field(description="Give it as `cursor`; null at the end.")]


class AlertMemberView(BaseModel):
    """A trunk that the alert is about, or was until `left_at`."""

    trunk_id: str
    name: str
    numbers: Annotated[int, Field(description="How many numbers are bound to it.")]
    since: AwareDatetime
    left_at: AwareDatetime | None
    endpoints: Annotated[list[str], Field(description="Its endpoints that are out.")]
    no_route: Annotated[bool, Field(description="No endpoint of it is left that works.")]
    in_maintenance: bool
    because: Annotated[str, Field(description="What was found.")]

    @classmethod
    def of(cls, member: AlertMember) -> AlertMemberView:
        """The member as it stands."""
        return cls(
            trunk_id=member.trunk_id,
            name=member.name,
            numbers=member.numbers,
            since=member.since,
            left_at=member.left_at,
            endpoints=list(member.endpoints),
            no_route=member.no_route,
            in_maintenance=member.in_maintenance,
            because=member.because,
        )


class AttemptView(BaseModel):
    """One attempt to deliver a message."""

    at: AwareDatetime
    delivered: bool
    ms: Annotated[int, Field(description="How long it took.")]
    detail: Annotated[str, Field(description="What the other side said, or why it was not asked.")]


class AlertMessageView(BaseModel):
    """A message to one recipient.

    `pending`: `next_attempt_at` says when it is tried (again). `given_up`: refused for good, or a day
    has passed.
    """

    message_id: str
    channel: ChannelKind
    recipient: Annotated[
        str,
        Field(
            description="`a***@example.com`, `+1415***0100`, the id of a webhook endpoint, or the id of "
            "the trunk whose own webhook it is."
        ),
    ]
    notice: NoticeType
    state: DeliveryState
    created_at: AwareDatetime
    ended_at: AwareDatetime | None
    next_attempt_at: AwareDatetime | None
    attempts_total: int
    attempts: Annotated[list[AttemptView], Field(description="The latest 20, in their order.")]


class WholeAlertView(AlertView):
    """An alert with its trunks and its delivery log."""

    members: list[AlertMemberView]
    messages: Annotated[list[AlertMessageView], Field(description="The newest first, at most 200.")]


class AlertTrialRequest(RequestModel):
    """Which channel to try."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_TRIAL_REQUEST]})

    channel: Annotated[
        ChannelKind | None,
        Field(description="Left out: every channel for which the organization names recipients."),
    ] = None


class AlertTrialView(BaseModel):
    """A test alert, and how its messages fared."""

    trial_id: str
    created_at: AwareDatetime
    messages: list[AlertMessageView]
