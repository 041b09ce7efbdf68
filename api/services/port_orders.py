"""Port orders as they are read: the list, and one with everything but its secrets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from api.cursors import moment_behind
from api.errors import NotFound
from api.port_query import PortListRequest
from api.schemas.port_views import LetterView, PortList, WholePortView
from api.services.port_checks import Checked
from api.services.port_plans import finding_view, findings_of
from api.services.port_views import PortRows, number_views, port_view, standing_sub_status
from api.state import ApiState
from domain.porting.cancellation import NOT_SENT
from domain.porting.order import OrderField, PortDetails, PortSecrets, masked
from domain.porting.standing import state_in
from domain.porting.words import TERMINAL, next_step, public_status, public_text
from storage import port_letters, port_numbers, port_orders, port_pages, port_secrets, portability
from storage.port_wholes import parts_of_each
from storage.tables import PortLoa, PortOrder

__all__ = ["UNKNOWN", "get", "page", "rows_of", "rows_of_one", "standing", "whole"]

UNKNOWN: Final = "no such port order"


async def page(state: ApiState, org_id: str, wanted: PortListRequest, *, base_url: str) -> PortList:
    """The organization's orders, the newest first."""
    now, limit = datetime.now(UTC), wanted.limit
    async with state.database.tenant(org_id) as session:
        found = await port_pages.page(
            session,
            wanted.wanted,
            limit=None if limit is None else limit + 1,
            before=wanted.before,
        )
        listed = found[:limit]
        rows = await rows_of(session, listed)
    more = len(listed) < len(found)
    return PortList(
        port_requests=[port_view(state, each, base_url=base_url, now=now) for each in rows],
        next_cursor=moment_behind(listed[-1].created_at, listed[-1].id) if more else None,
    )


async def whole(state: ApiState, org_id: str, order_id: str, *, base_url: str) -> WholePortView:
    """One order. Raises ``NotFound``."""
    now = datetime.now(UTC)
    async with state.database.tenant(org_id) as session:
        rows = await rows_of_one(session, await get(session, order_id))
        letters = await port_letters.of_order(session, order_id)
        # A split order keeps none itself; each part has all that the order shares.
        keeper = rows.parts[0].order.id if rows.parts else order_id
        secrets = await port_secrets.read(session, state.secret_box, keeper)
        numbers = [each.number for each in rows.numbers]
        carrier = rows.order.carrier
        kept = await portability.get_many(
            session, carrier, numbers, since=now - state.settings.porting_checks_kept
        )
    answers = {each.number: Checked.remembered(each) for each in rows.numbers}
    answers |= {number: Checked.of(each) for number, each in kept.items()}
    view = port_view(state, rows, base_url=base_url, now=now)
    known = state_in(rows.order.standing)
    details = port_orders.details_of(rows.order)
    return WholePortView(
        **dict(view),
        numbers=number_views(rows),
        losing_carrier_information=_information(details, secrets),
        documents=list(details.document_ids),
        document_date=details.document_date,
        pin_given=OrderField.PIN in secrets.present,
        letters=[_letter(each) for each in letters],
        findings=_findings(state, rows, details, secrets, answers, now),
        resubmits=known.resubmits if known is not None else 0,
        date_changes_left=known.changes_left if known is not None and known.foc_at else None,
        on_demand=bool(rows.order.standing.get("on_demand")),
        revision=rows.order.revision,
    )


async def standing(
    state: ApiState, org_id: str, order_id: str, warnings: Sequence[str] = ()
) -> dict[str, Any]:
    """Where the order stands, a ``StandingView`` as fields. Raises ``NotFound``."""
    async with state.database.tenant(org_id) as session:
        rows = await rows_of_one(session, await get(session, order_id))
    sub_status = standing_sub_status(rows)
    return {
        "id": order_id,
        "status": public_status(sub_status),
        "sub_status": sub_status,
        "status_text": public_text(sub_status),
        "next_step": next_step(sub_status),
        "requested_port_date": rows.order.requested_date,
        "warnings": list(warnings),
    }


async def get(session: AsyncSession, order_id: str, *, for_update: bool = False) -> PortOrder:
    """The order's row. Raises ``NotFound``."""
    found = await port_orders.get(session, order_id, for_update=for_update)
    if found is None:
        raise NotFound(UNKNOWN)
    return found


async def rows_of_one(session: AsyncSession, order: PortOrder) -> PortRows:
    """The order with its numbers and parts."""
    return (await rows_of(session, [order]))[0]


async def rows_of(session: AsyncSession, orders: Sequence[PortOrder]) -> list[PortRows]:
    """The orders with their numbers and parts, in two questions however many they are."""
    parts = await parts_of_each(session, [each.id for each in orders])
    every = [*orders, *(part for found in parts.values() for part in found)]
    numbers = await port_numbers.of_orders(session, [each.id for each in every])
    return [
        PortRows(
            each,
            numbers[each.id],
            [PortRows(part, numbers[part.id]) for part in parts.get(each.id, ())],
        )
        for each in orders
    ]


def _findings(
    state: ApiState,
    rows: PortRows,
    details: PortDetails,
    secrets: PortSecrets,
    answers: dict[str, Checked],
    now: datetime,
) -> list[Any]:
    """What carriers would send the order back for, while it can be mended without their knowing."""
    if standing_sub_status(rows) not in NOT_SENT or standing_sub_status(rows) in TERMINAL:
        return []
    profiles = state.porting.profiles
    held = rows.parts or [rows]
    found = [
        finding
        for part in held
        for finding in findings_of(
            details,
            secrets,
            tuple(each.number for each in part.numbers),
            part.order.kind,
            profiles.named(part.order.carrier_profile),
            answers,
            now,
        )
    ]
    return [finding_view(each) for each in dict.fromkeys(found)]


def _information(details: PortDetails, secrets: PortSecrets) -> dict[str, Any]:
    """What was stated, in the contract's words, without what is empty."""
    address = details.service_address.model_dump(exclude_defaults=False)
    stated: dict[str, Any] = {
        "customer_type": details.customer_type.value,
        "customer_name": details.account_name,
        "business_name": details.business_name,
        "first_name": details.first_name,
        "last_name": details.last_name,
        "account_number": masked(secrets.account_number),
        "account_telephone_number": details.billing_telephone_number,
        "authorized_representative": details.signer,
        "authorized_representative_title": details.authorized_representative_title,
        "authorized_representative_email": details.authorized_representative_email,
        "address": address,
        "billing_address": details.billing_address and details.billing_address.model_dump(),
        "new_billing_telephone_number": details.new_billing_telephone_number,
        "remaining_numbers_action": details.remaining_numbers_action,
    }
    return {name: value for name, value in stated.items() if value}


def _letter(letter: PortLoa) -> LetterView:
    return LetterView(
        revision=letter.revision,
        sha256=letter.signed_sha256 or letter.unsigned_sha256,
        created_at=letter.created_at,
        signed_at=letter.signed_at,
        declined_at=letter.declined_at,
        superseded_at=letter.superseded_at,
    )
