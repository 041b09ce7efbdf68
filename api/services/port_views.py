"""Rows of port orders as they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from api.porting import calendar_at
from api.schemas.port_views import (
    ActionView,
    EstimateView,
    NumberStatusView,
    PortNumberView,
    PortView,
)
from api.services.port_checks import number_type
from api.state import ApiState
from domain.porting.business_time import BusinessCalendar
from domain.porting.cancellation import (
    Cancelability,
    CancelWindow,
    cancel_window,
    cancelability,
)
from domain.porting.carrier_profile import CarrierProfile
from domain.porting.eta import OrderOutlook, estimate
from domain.porting.order import OrderField, PortDetails
from domain.porting.rejections import REJECTIONS, RejectionCode
from domain.porting.snapshot import SeenRejection
from domain.porting.standing import parent_status, state_in
from domain.porting.state import PortState
from domain.porting.words import (
    SubStatus,
    next_step,
    number_public_status,
    public_status,
    public_text,
)
from storage.port_orders import details_of
from storage.tables import PortNumber, PortOrder

__all__ = ["PortRows", "number_views", "port_view", "signature_url", "standing_sub_status"]

_SIGNED_FOR: Final = frozenset(
    {SubStatus.VALIDATING, SubStatus.AWAITING_DOCUMENTS, SubStatus.AWAITING_SIGNATURE}
)
"""A letter is or will be there to be signed."""


@dataclass(frozen=True, slots=True)
class PortRows:
    """An order with its numbers, and with its parts when it was split."""

    order: PortOrder
    numbers: Sequence[PortNumber]
    parts: Sequence[PortRows] = ()


def standing_sub_status(rows: PortRows) -> SubStatus:
    """Where the order stands; a split one as its parts do."""
    if not rows.parts:
        return rows.order.sub_status
    return parent_status([each.order.sub_status for each in rows.parts])


def signature_url(base_url: str, order_id: str) -> str:
    """The page that mails the link to the letter."""
    return f"{base_url.rstrip('/')}/sign/{order_id}"


def port_view(state: ApiState, rows: PortRows, *, base_url: str, now: datetime) -> PortView:
    """The order as the list shows it."""
    order, details = rows.order, details_of(rows.order)
    sub_status = standing_sub_status(rows)
    profile = state.porting.profiles.named(order.carrier_profile)
    verdict = cancel_verdict(rows, profile, calendar_at(profile, now), now)
    known = state_in(order.standing)
    foc_at = _latest([each.order.foc_at for each in rows.parts]) if rows.parts else order.foc_at
    waits = sub_status in _SIGNED_FOR and not rows.parts
    return PortView(
        id=order.id,
        status=public_status(sub_status),
        phone_numbers=[
            NumberStatusView(number=each.number, status=each.status) for each in number_views(rows)
        ],
        authorized_rep_email=details.authorized_representative_email,
        notification_emails=list(details.informed),
        created_at=order.created_at,
        updated_at=max([order.updated_at, *(each.order.updated_at for each in rows.parts)]),
        sub_status=sub_status,
        status_text=public_text(sub_status),
        next_step=next_step(sub_status),
        kind=order.kind,
        port_type=order.port_type,
        requested_port_date=order.requested_date,
        foc_date=foc_at,
        completed_at=_completed_at(rows),
        cancelable=verdict.shown,
        cancel_reason=verdict.reason,
        cancel_cutoff_at=verdict.cutoff_at,
        cancel_requested_at=order.cancel_requested_at
        or _latest([each.order.cancel_requested_at for each in rows.parts]),
        action_required=_actions(rows),
        warnings=_warnings(rows),
        losing_carrier=order.losing_carrier,
        carrier=order.carrier,
        carrier_order_id=order.carrier_order_id,
        customer_reference=order.customer_reference,
        trunk_id=order.trunk_id,
        signature_url=signature_url(base_url, order.id) if waits else None,
        estimated_completion=_estimate(rows, sub_status, known, profile, now),
        parent_id=order.parent_id,
        children=[each.order.id for each in rows.parts],
    )


def number_views(rows: PortRows) -> list[PortNumberView]:
    """Every number once, as the part shows it that has it."""
    views = {each.number: _number_view(each, rows.order) for each in rows.numbers}
    for part in rows.parts:
        views |= {each.number: _number_view(each, part.order) for each in part.numbers}
    return list(views.values())


def cancel_verdict(
    rows: PortRows, profile: CarrierProfile, calendar: BusinessCalendar, now: datetime
) -> Cancelability:
    """Whether the order can be called off; of a split one what holds for its first open part."""
    open_part = next((each for each in rows.parts if each.order.completed_at is None), None)
    order = rows.order if open_part is None else open_part.order
    known = state_in(order.standing)
    window = None
    if order.cancel_cutoff_at is not None and known is not None and known.cancel_refused_from:
        window = CancelWindow(
            cutoff_at=order.cancel_cutoff_at, refused_from=known.cancel_refused_from
        )
    elif order.foc_at is not None and known is None:
        window = cancel_window(order.foc_at, profile, calendar)
    return cancelability(
        standing_sub_status(rows),
        now,
        window=window,
        requested_at=order.cancel_requested_at,
        at_carrier=known is not None and (known.at_carrier or bool(known.commands)),
    )


def _number_view(row: PortNumber, order: PortOrder) -> PortNumberView:
    return PortNumberView(
        number=row.number,
        status=number_public_status(row.status, order.sub_status),
        number_status=row.status,
        number_type=number_type(row.type),
        carrier_status_raw=row.carrier_status_raw,
        rejection=row.rejection,
        order_id=order.id,
        ported_at=row.ported_at,
        attached_at=row.attached_at,
        first_inbound_at=row.first_inbound_at,
        verified_at=row.verified_at,
    )


def _actions(rows: PortRows) -> list[ActionView]:
    if rows.parts:
        return [action for part in rows.parts for action in _actions(part)]
    if rows.order.sub_status is not SubStatus.ACTION_REQUIRED:
        return []
    known = state_in(rows.order.standing)
    numbers = {each.position: each.number for each in rows.numbers}
    details = details_of(rows.order)
    rejections = known.rejections if known is not None else ()
    return [
        _action(each, numbers, details)
        for each in (rejections or (SeenRejection(code=RejectionCode.OTHER),))
    ]


def _action(seen: SeenRejection, numbers: Mapping[int, str], details: PortDetails) -> ActionView:
    cure = REJECTIONS[seen.code]
    return ActionView(
        code=seen.code,
        fix=cure.fix,
        who=cure.who,
        needs_new_loa=cure.needs_new_loa,
        recoverable=cure.recoverable,
        fields=sorted(cure.fields),
        phone_numbers=[numbers[each] for each in seen.positions if each in numbers],
        submitted={
            name: value for name, value in submitted_values(details).items() if name in cure.fields
        },
    )


def submitted_values(details: PortDetails) -> dict[OrderField, str]:
    """What was stated, by field, in the words in which it is sent; no secrets are among it."""
    values: dict[OrderField, Any] = {
        OrderField.CUSTOMER_TYPE: details.customer_type.value,
        OrderField.CUSTOMER_NAME: details.account_name,
        OrderField.AUTHORIZED_REPRESENTATIVE: details.signer,
        OrderField.SERVICE_ADDRESS: ", ".join(details.service_address.lines),
        OrderField.POSTAL_CODE: details.service_address.zip,
        OrderField.BILLING_TELEPHONE_NUMBER: details.billing_telephone_number,
        OrderField.NEW_BILLING_TELEPHONE_NUMBER: details.new_billing_telephone_number,
        OrderField.PORT_TYPE: details.port_type and details.port_type.value,
        OrderField.REQUESTED_DATE: details.requested_date and str(details.requested_date),
        OrderField.DOCUMENTS: ", ".join(details.document_ids),
    }
    return {field: str(value) for field, value in values.items() if value}


def _warnings(rows: PortRows) -> list[str]:
    known = [state_in(each.order.standing) for each in (rows, *rows.parts)]
    words = [word.value for each in known if each is not None for word in each.warnings]
    return list(dict.fromkeys(words))


def _estimate(
    rows: PortRows,
    sub_status: SubStatus,
    known: PortState | None,
    profile: CarrierProfile,
    now: datetime,
) -> EstimateView | None:
    order = rows.order
    outlook = OrderOutlook(
        sub_status=sub_status,
        kind=order.kind,
        numbers=len(rows.numbers),
        port_type=order.port_type,
        requested=order.requested_date,
        foc_at=order.foc_at,
        sent_at=known.since if known is not None and known.at_carrier else None,
        rejected_times=known.resubmits if known is not None else 0,
    )
    found = estimate(outlook, now, profile, calendar_at(profile, now))
    if found is None:
        return None
    return EstimateView(earliest=found.earliest, latest=found.latest, reason=found.reason)


def _completed_at(rows: PortRows) -> datetime | None:
    if not rows.parts:
        return rows.order.completed_at
    ends = [each.order.completed_at for each in rows.parts]
    return None if None in ends else _latest(ends)


def _latest(moments: Sequence[datetime | None]) -> datetime | None:
    return max((each for each in moments if each is not None), default=None)
