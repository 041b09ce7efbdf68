"""What messages about a port order are made of. No secret is among it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from domain.porting.order import SECRET_FIELDS, OrderField, PortDetails
from domain.porting.rejections import REJECTIONS, RejectionCode
from domain.porting.state import DeadlineKind, PortState, Warned
from domain.porting.words import NumberStatus, SubStatus

__all__ = [
    "NoticeFacts",
    "NoticeLinks",
    "NumberFacts",
    "RejectionFacts",
    "facts_of",
    "sent_values",
]


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """A number (E.164 with ``+``) and how it stands."""

    number: str
    status: NumberStatus
    rejection: RejectionCode | None = None


@dataclass(frozen=True, slots=True)
class RejectionFacts:
    """Why an order came back. Without ``numbers`` it concerns all of them. ``said`` are the carrier's
    own words, ``sent`` what we had told it, by label."""

    code: RejectionCode
    numbers: tuple[str, ...] = ()
    said: str = ""
    sent: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class NoticeLinks:
    """Where to read more: ``order`` for customers and operators, ``sign`` the page that mails a link."""

    order: str | None = None
    sign: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFacts:
    """An order when something happened to it, at ``at``.

    ``zone`` is the losing carrier's (IANA name), in which its dates are meant. ``until`` is the time
    that the event itself names, ``expires_at`` when what the order waits for comes too late.
    ``foc_before`` is the committed date that another one took the place of. ``entries`` are the words
    of the timeline, for the porting desk.
    """

    order_id: str
    org_id: str
    at: datetime
    sub_status: SubStatus
    signer: str
    mailbox: str
    numbers: tuple[NumberFacts, ...]
    account_name: str = ""
    reference: str | None = None
    losing_carrier: str = ""
    carrier_order_id: str | None = None
    requested_date: date | None = None
    foc_at: datetime | None = None
    foc_before: datetime | None = None
    until: datetime | None = None
    expires_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    cancel_cutoff_at: datetime | None = None
    completed_at: datetime | None = None
    changes_left: int | None = None
    rejections: tuple[RejectionFacts, ...] = ()
    warnings: tuple[Warned, ...] = ()
    entries: tuple[str, ...] = ()
    zone: str = "UTC"
    links: NoticeLinks = NoticeLinks()

    @property
    def codes(self) -> tuple[RejectionCode, ...]:
        """Why it came back, each reason once."""
        return tuple(dict.fromkeys(each.code for each in self.rejections))

    @property
    def arrived(self) -> tuple[NumberFacts, ...]:
        """The numbers that are here."""
        here = (NumberStatus.PORTED, NumberStatus.VERIFIED)
        return tuple(each for each in self.numbers if each.status in here)

    @property
    def missing(self) -> tuple[NumberFacts, ...]:
        """The numbers that are not."""
        return tuple(each for each in self.numbers if each not in self.arrived)


def facts_of(
    state: PortState,
    details: PortDetails,
    numbers: Mapping[int, str],
    *,
    at: datetime,
    losing_carrier: str | None = None,
    zone: str = "UTC",
    foc_before: datetime | None = None,
    until: datetime | None = None,
    said: Mapping[RejectionCode, str] | None = None,
    entries: Sequence[str] = (),
    links: NoticeLinks | None = None,
) -> NoticeFacts:
    """The facts of an order whose process is at ``state``.

    ``numbers`` are those of the order by position, ``said`` the carrier's words for its rejections,
    ``foc_before`` the date that stood in the order's row before this step.
    """
    deadlines = [
        each.at
        for each in state.deadlines
        if each.kind in (DeadlineKind.PAPER_EXPIRY, DeadlineKind.ACTION_EXPIRY)
    ]
    return NoticeFacts(
        order_id=state.order_id,
        org_id=state.org_id,
        at=at,
        sub_status=state.sub_status,
        signer=details.signer,
        mailbox=details.authorized_representative_email,
        numbers=tuple(
            NumberFacts(numbers[each.position], each.status, each.rejection)
            for each in state.numbers
            if each.position in numbers
        ),
        account_name=details.account_name,
        reference=details.customer_reference,
        losing_carrier=losing_carrier or "",
        carrier_order_id=state.carrier_order_id,
        requested_date=details.requested_date,
        foc_at=state.foc_at,
        foc_before=None if foc_before == state.foc_at else foc_before,
        until=until,
        expires_at=min(deadlines, default=None),
        cancel_requested_at=state.cancel_requested_at,
        cancel_cutoff_at=state.cancel_cutoff_at,
        completed_at=state.completed_at,
        changes_left=state.changes_left if state.foc_at is not None else None,
        rejections=tuple(
            RejectionFacts(
                each.code,
                tuple(numbers[place] for place in each.positions if place in numbers),
                (said or {}).get(each.code, ""),
                sent_values(details, each.code),
            )
            for each in state.rejections
        ),
        warnings=state.warnings,
        entries=tuple(entries),
        zone=zone,
        links=links or NoticeLinks(),
    )


def sent_values(details: PortDetails, code: RejectionCode) -> tuple[tuple[str, str], ...]:
    """What the carrier was told in the fields that cure this rejection, by label.

    Of a secret it says that there is one to check, and never its value. A reason that may concern
    every field names none.
    """
    fields = REJECTIONS[code].fields
    if len(fields) == len(OrderField):
        return ()
    address = details.service_address
    values: Mapping[OrderField, str | None] = {
        OrderField.CUSTOMER_NAME: details.account_name,
        OrderField.AUTHORIZED_REPRESENTATIVE: details.signer,
        OrderField.SERVICE_ADDRESS: ", ".join(address.lines),
        OrderField.POSTAL_CODE: address.zip,
        OrderField.BILLING_TELEPHONE_NUMBER: details.billing_telephone_number,
        OrderField.NEW_BILLING_TELEPHONE_NUMBER: details.new_billing_telephone_number,
        OrderField.REQUESTED_DATE: str(details.requested_date or ""),
    }
    rows = []
    for field, label in _LABELS.items():
        value = "(not shown)" if field in SECRET_FIELDS else values.get(field)
        if field in fields and value:
            rows.append((label, value))
    return tuple(rows)


_LABELS: Final[Mapping[OrderField, str]] = {
    OrderField.CUSTOMER_NAME: "Name on the account",
    OrderField.AUTHORIZED_REPRESENTATIVE: "Authorized representative",
    OrderField.SERVICE_ADDRESS: "Service address",
    OrderField.POSTAL_CODE: "ZIP",
    OrderField.ACCOUNT_NUMBER: "Account number",
    OrderField.PIN: "Transfer PIN",
    OrderField.BILLING_TELEPHONE_NUMBER: "Billing telephone number",
    OrderField.NEW_BILLING_TELEPHONE_NUMBER: "New billing telephone number",
    OrderField.REQUESTED_DATE: "Desired date",
}
