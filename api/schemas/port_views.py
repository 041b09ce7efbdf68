"""Port orders as they are shown (contract 6.3, 6.4, and what is ours beside it)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from api.schemas.port_checks import ExcludedView, GroupView
from domain.porting.findings import Severity
from domain.porting.rejections import Fixer, NewLoa, RejectionCode
from domain.porting.words import NumberStatus, PortKind, PortType, PublicStatus, SubStatus

__all__ = [
    "ActionView",
    "CancelRequestedView",
    "CanceledView",
    "DraftView",
    "EstimateView",
    "FindingView",
    "InitiatedPart",
    "InitiatedView",
    "LetterView",
    "NumberStatusView",
    "PlannedView",
    "PortList",
    "PortNumberView",
    "PortView",
    "WholePortView",
]


class FindingView(BaseModel):
    """Something that carriers send orders back for."""

    severity: Severity
    code: Annotated[str, Field(description="For programs.")]
    field: Annotated[str, Field(description="Where it stands in a body.")]
    what: str
    to_change: str
    submitted: Annotated[str | None, Field(description="The value; never that of a secret.")]
    phone_number: Annotated[str | None, Field(description="The number that it is about alone.")]


class InitiatedPart(BaseModel):
    """One of the orders that a request was split into."""

    port_request_id: str
    status: PublicStatus
    sub_status: SubStatus
    signature_url: Annotated[str, Field(description="Each part has a letter of its own.")]
    phone_numbers: list[str]
    losing_carrier: str | None
    kind: PortKind


class InitiatedView(BaseModel):
    """An order that was placed."""

    port_request_id: str
    status: PublicStatus
    signature_url: Annotated[
        str, Field(description="Page that mails the link to the letter to the representative.")
    ]
    phone_numbers: Annotated[list[str], Field(description="Every number that is ordered.")]
    sub_status: SubStatus
    children: Annotated[
        list[InitiatedPart], Field(description="The parts of an order that was split.")
    ]
    excluded: Annotated[list[ExcludedView], Field(description="Numbers that are not ordered.")]
    groups: list[GroupView]
    findings: Annotated[list[FindingView], Field(description="Warnings; see to them soon.")]


class DraftView(BaseModel):
    """A draft that is kept."""

    port_request_id: str
    status: Literal[PublicStatus.DRAFT] = PublicStatus.DRAFT


class PlannedView(BaseModel):
    """What a request would come to: nothing was written."""

    dry_run: Literal[True] = True
    valid: Annotated[bool, Field(description="Whether it would be taken.")]
    phone_numbers: list[str]
    excluded: list[ExcludedView]
    groups: list[GroupView]
    findings: list[FindingView]


class NumberStatusView(BaseModel):
    """A number as the contract shows it."""

    number: str
    status: PublicStatus


class ActionView(BaseModel):
    """Something that has to be corrected before the order can go on."""

    code: RejectionCode
    fix: Annotated[str, Field(description="What to do, for people.")]
    who: Fixer
    needs_new_loa: NewLoa
    recoverable: bool
    fields: Annotated[list[str], Field(description="What a resubmission may change for it.")]
    phone_numbers: Annotated[
        list[str], Field(description="The numbers it is about; empty: the whole order.")
    ]
    submitted: Annotated[
        dict[str, str], Field(description="What was sent, by field; secrets are left out.")
    ]


class EstimateView(BaseModel):
    """When the order will probably be done."""

    earliest: date
    latest: date
    reason: str


class PortView(BaseModel):
    """An order of the list."""

    id: str
    status: PublicStatus
    phone_numbers: list[NumberStatusView]
    authorized_rep_email: str
    notification_emails: list[str]
    created_at: AwareDatetime
    updated_at: AwareDatetime
    sub_status: SubStatus
    status_text: Annotated[str, Field(description="Where it stands, in a sentence.")]
    next_step: Annotated[str, Field(description="What to do now.")]
    kind: PortKind
    port_type: PortType
    requested_port_date: Annotated[date | None, Field(description="A wish.")]
    foc_date: Annotated[
        AwareDatetime | None, Field(description="What the losing carrier committed itself to.")
    ]
    completed_at: AwareDatetime | None
    cancelable: Annotated[
        bool | Literal["best_effort"], Field(description="`best_effort`: it may come too late.")
    ]
    cancel_reason: Annotated[str, Field(description="Why so, in a sentence.")]
    cancel_cutoff_at: AwareDatetime | None
    cancel_requested_at: AwareDatetime | None
    action_required: list[ActionView]
    warnings: Annotated[list[str], Field(description="Words for what stays to be known.")]
    losing_carrier: str | None
    carrier: Annotated[str, Field(description="Who takes the numbers over.")]
    carrier_order_id: str | None
    customer_reference: str | None
    trunk_id: str | None
    signature_url: Annotated[str | None, Field(description="While the letter waits.")]
    estimated_completion: EstimateView | None
    parent_id: str | None
    children: Annotated[list[str], Field(description="Ids of the parts of a split order.")]


class PortList(BaseModel):
    """Orders, the newest first."""

    port_requests: list[PortView]
    next_cursor: Annotated[
        str | None, Field(description="Give it as `cursor`; null at the end, or without `limit`.")
    ]


class PortNumberView(BaseModel):
    """A number with all that is known of it."""

    number: str
    status: PublicStatus
    number_status: NumberStatus
    number_type: str
    carrier_status_raw: Annotated[str | None, Field(description="The carrier's own word.")]
    rejection: str | None
    order_id: Annotated[str, Field(description="The part that has it, in a split order.")]
    ported_at: AwareDatetime | None
    attached_at: Annotated[AwareDatetime | None, Field(description="Since when the trunk has it.")]
    first_inbound_at: AwareDatetime | None
    verified_at: AwareDatetime | None


class LetterView(BaseModel):
    """A letter of authorization."""

    revision: int
    sha256: Annotated[str, Field(description="Of the newest form, in hexadecimal.")]
    created_at: AwareDatetime
    signed_at: AwareDatetime | None
    declined_at: AwareDatetime | None
    superseded_at: AwareDatetime | None


class WholePortView(PortView):
    """An order with everything but its secrets."""

    numbers: list[PortNumberView]
    losing_carrier_information: Annotated[
        dict[str, Any], Field(description="As stated; the account number is covered.")
    ]
    documents: Annotated[list[str], Field(description="`document_sid` of what goes with it.")]
    document_date: date | None
    pin_given: Annotated[bool, Field(description="Whether there is a PIN; it is not shown.")]
    letters: list[LetterView]
    findings: Annotated[
        list[FindingView], Field(description="Of an order that was not sent yet, as of now.")
    ]
    resubmits: int
    date_changes_left: Annotated[
        int | None, Field(description="How often carriers still take another date; null: any.")
    ]
    on_demand: Annotated[bool, Field(description="The customer activates on the day.")]
    revision: int


class CanceledView(BaseModel):
    """The order has ended."""

    canceled: Literal[True] = True


class CancelRequestedView(BaseModel):
    """A carrier has to confirm it."""

    canceled: Literal[False] = False
    cancel_requested: Literal[True] = True
    cancel_cutoff_at: AwareDatetime | None = None
