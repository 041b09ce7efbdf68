"""What webhooks receive about port orders.

``docs/porting/port-event.schema.json`` is the JSON Schema. Values are codes and dates and the customer's own
numbers; neither secrets nor names of people are among them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.porting.effects import Audience, Notice, NoticeKind
from domain.porting.notice_facts import NoticeFacts
from domain.porting.rejections import REJECTIONS, Fixer, RejectionCode
from domain.porting.state import Warned
from domain.porting.words import (
    NumberStatus,
    PublicStatus,
    SubStatus,
    next_step,
    number_public_status,
    public_status,
    public_text,
)

__all__ = [
    "EVENT_TYPES",
    "PortEventBody",
    "PortEventData",
    "event_body",
    "event_type",
    "is_for_webhooks",
]

_TOLD: Final = {
    NoticeKind.ACTION_REMINDER: "port.reminder",
    NoticeKind.FOC_CHANGED: "port.foc_changed",
    NoticeKind.FOC_NEAR: "port.foc_near",
    NoticeKind.ACTIVATION_DUE: "port.activation_due",
    NoticeKind.CANCEL_ASKED: "port.cancel_requested",
    NoticeKind.CANCEL_REFUSED: "port.cancel_refused",
    NoticeKind.RESCHEDULE_REFUSED: "port.reschedule_refused",
}

EVENT_TYPES: Final = (
    *(f"port.{each.value}" for each in SubStatus if each is not SubStatus.DRAFT),
    *_TOLD.values(),
)
"""Every type, those of transitions first."""


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class EventNumber(_Wire):
    """A number of the order."""

    number: str
    status: PublicStatus
    sub_status: NumberStatus
    rejection: RejectionCode | None = None


class EventRejection(_Wire):
    """Why the request came back."""

    code: RejectionCode
    fix: Annotated[str, Field(description="What cures it, for people.")]
    who: Annotated[Fixer, Field(description="Who can make the fix.")]
    phone_numbers: Annotated[
        tuple[str, ...], Field(description="The numbers it concerns; empty when it is all.")
    ] = ()


class PortEventData(_Wire):
    """The order as it stood when the event happened."""

    id: Annotated[str, Field(description="The order, as `GET /v1/sip/port/{id}` has it.")]
    status: PublicStatus
    sub_status: SubStatus
    text: Annotated[str, Field(description="One sentence that says where it stands.")]
    next_step: Annotated[str, Field(description="What the customer does now.")]
    customer_reference: str | None = None
    phone_numbers: tuple[EventNumber, ...] = ()
    rejections: tuple[EventRejection, ...] = ()
    warnings: tuple[Warned, ...] = ()
    foc_date: AwareDatetime | None = None
    previous_foc_date: Annotated[
        AwareDatetime | None, Field(description="The date that `foc_date` took the place of.")
    ] = None
    expires_at: Annotated[
        AwareDatetime | None, Field(description="When the order ends if nobody acts.")
    ] = None
    cancel_requested_at: AwareDatetime | None = None
    cancel_cutoff_at: AwareDatetime | None = None
    completed_at: AwareDatetime | None = None
    reminder: Annotated[int, Field(ge=0, description="Which reminder this is; 0 when none.")] = 0


class PortEventBody(_Wire):
    """Something that happened to a port order.

    ``id`` stays the same when a delivery is repeated: whoever keeps it acts once.
    """

    type: Annotated[str, Field(json_schema_extra={"enum": list(EVENT_TYPES)})]
    id: str
    timestamp: Annotated[AwareDatetime, Field(description="When it happened, not when it is sent.")]
    org_id: str
    data: PortEventData


def is_for_webhooks(notice: Notice) -> bool:
    """Whether webhooks hear of it: what is for a signer's mailbox or the porting desk is not for them."""
    told = notice.kind is NoticeKind.STATUS or notice.kind in _TOLD
    return told and notice.audience is Audience.CUSTOMER


def event_type(notice: Notice) -> str:
    """``port.`` and the sub-status that the order came to, or what else happened to it."""
    return _TOLD.get(notice.kind, f"port.{notice.status.value}")


def event_body(notice: Notice, facts: NoticeFacts, *, event_id: str, at: datetime) -> PortEventBody:
    """The body of a webhook; ``event_id`` is the notice's."""
    status = notice.status
    data = PortEventData(
        id=facts.order_id,
        status=public_status(status),
        sub_status=status,
        text=public_text(status),
        next_step=next_step(status),
        customer_reference=facts.reference,
        phone_numbers=tuple(
            EventNumber(
                number=each.number,
                status=number_public_status(each.status, status),
                sub_status=each.status,
                rejection=each.rejection,
            )
            for each in facts.numbers
        ),
        rejections=tuple(
            EventRejection(
                code=each.code,
                fix=REJECTIONS[each.code].fix,
                who=REJECTIONS[each.code].who,
                phone_numbers=each.numbers,
            )
            for each in facts.rejections
        ),
        warnings=facts.warnings,
        foc_date=facts.foc_at,
        previous_foc_date=facts.foc_before,
        expires_at=facts.expires_at,
        cancel_requested_at=facts.cancel_requested_at,
        cancel_cutoff_at=facts.cancel_cutoff_at,
        completed_at=facts.completed_at,
        reminder=notice.count if notice.kind is NoticeKind.ACTION_REMINDER else 0,
    )
    return PortEventBody(
        type=event_type(notice), id=event_id, timestamp=at, org_id=facts.org_id, data=data
    )
