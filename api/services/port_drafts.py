"""Orders and drafts as people make them: read, planned, placed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from api.authentication import Principal
from api.changes import Change
from api.errors import Conflict, ErrorItem
from api.schemas.port_requests import DraftRequest, InitiateRequest
from api.schemas.port_views import InitiatedView, PlannedView
from api.services import port_orders as orders
from api.services.actor import Actor
from api.services.audit import record
from api.services.port_bodies import (
    missing_of_the_newer,
    numbers_in,
    secrets_in,
    stated,
)
from api.services.port_placing import check_references, draft_row, place, planned_view
from api.services.port_plans import Plan, plan_for, refuse
from api.state import ApiState
from domain.porting.order import PortDetails
from domain.porting.words import SubStatus
from storage import port_numbers, port_orders, port_secrets
from storage.ids import new_id
from storage.port_numbers import NewPortNumber
from storage.tables import PortOrder

__all__ = ["Maker", "NotADraft", "change_draft", "initiate", "make_draft", "plan", "submit_draft"]


class NotADraft(Conflict):
    """The order was submitted, or is being changed by somebody else."""

    code = "PORT_NOT_A_DRAFT"
    default_message = "the order is no draft any more; correct it by resubmit once that is asked for, or cancel it"


CHANGED_MEANWHILE: Final = "the draft was changed at the same moment; read it again"


@dataclass(frozen=True, slots=True)
class Maker:
    """Who makes an order, and where customers reach us."""

    principal: Principal
    actor: Actor
    base_url: str


async def plan(state: ApiState, body: InitiateRequest) -> PlannedView:
    """What the order would come to. Raises ``InvalidRequest`` for a body that cannot be read."""
    made, missing = await _planned(state, body, datetime.now(UTC))
    return planned_view(made, missing)


async def initiate(
    state: ApiState, change: Change, maker: Maker, body: InitiateRequest
) -> InitiatedView:
    """Place the order. Raises ``InvalidRequest`` and ``NumberTaken``."""
    now = datetime.now(UTC)
    made, missing = await _planned(state, body, now)
    refuse(made, continue_without=body.continue_without, known=missing)
    org_id = maker.principal.org_id
    return await place(
        await change.of(org_id),
        state,
        org_id,
        made,
        order_id=new_id("port"),
        actor=maker.actor,
        on_demand=body.on_demand,
        base_url=maker.base_url,
        now=now,
    )


async def make_draft(state: ApiState, change: Change, maker: Maker, body: DraftRequest) -> str:
    """Keep what is known of an order; its id. Raises ``InvalidRequest``."""
    now, org_id, order_id = datetime.now(UTC), maker.principal.org_id, new_id("port")
    numbers, details = numbers_in(body.phone_numbers or (), body), stated(body)
    secrets = secrets_in(body, body.phone_numbers or ())
    session = await change.of(org_id)
    await check_references(session, org_id, details)
    row = draft_row(
        state,
        org_id,
        order_id,
        details,
        _untyped(numbers),
        secrets_sealed=port_secrets.seal(state.secret_box, org_id, secrets),
        on_demand=body.on_demand,
        now=now,
    )
    await port_orders.create(session, row)
    await _note(session, maker, "port.draft", order_id, numbers)
    return order_id


async def change_draft(
    state: ApiState, change: Change, maker: Maker, order_id: str, body: DraftRequest
) -> None:
    """Add to a draft what is known by now; what the body leaves out stays.

    Raises ``NotFound``, ``NotADraft`` and ``InvalidRequest``.
    """
    session = await change.of(maker.principal.org_id)
    order = await _draft(session, order_id)
    details = stated(body, port_orders.details_of(order))
    if body.phone_numbers is None:
        kept = await port_numbers.of_order(session, order_id)
        numbers = tuple(each.number for each in kept)
    else:
        numbers = numbers_in(body.phone_numbers, body)
    await check_references(session, order.org_id, details)
    changed = await port_orders.change_draft(
        session,
        order_id,
        details,
        _untyped(numbers),
        revision=order.revision,
        now=datetime.now(UTC),
    )
    if changed is None:
        raise NotADraft(CHANGED_MEANWHILE)
    if "on_demand" in body.model_fields_set:
        order.standing = {**order.standing, "on_demand": body.on_demand}
    newer = secrets_in(body, body.phone_numbers or ())
    await port_secrets.merge(session, state.secret_box, order_id, newer)
    await _note(session, maker, "port.change_draft", order_id, numbers)


async def submit_draft(
    state: ApiState, change: Change, maker: Maker, order_id: str, *, continue_without: bool
) -> InitiatedView:
    """Make an order of the draft, under the same id.

    Raises ``NotFound``, ``NotADraft``, ``InvalidRequest`` and ``NumberTaken``.
    """
    now, org_id = datetime.now(UTC), maker.principal.org_id
    async with state.database.tenant(org_id) as session:
        before = await _draft(session, order_id)
        rows = await port_numbers.of_order(session, order_id)
        secrets = await port_secrets.read(session, state.secret_box, order_id)
    details = port_orders.details_of(before)
    numbers = tuple(each.number for each in rows)
    made = await plan_for(state, numbers, details, secrets, now=now)
    refuse(made, continue_without=continue_without, known=_missing(numbers, details))
    session = await change.of(org_id)
    order = await _draft(session, order_id)
    if order.revision != before.revision:
        raise NotADraft(CHANGED_MEANWHILE)
    # What was found out of the numbers decides about nearly every column, and about parts.
    await port_orders.delete_draft(session, order_id)
    session.expunge(order)
    return await place(
        session,
        state,
        org_id,
        made,
        order_id=order_id,
        actor=maker.actor,
        on_demand=bool(order.standing.get("on_demand")),
        base_url=maker.base_url,
        now=now,
    )


async def _planned(
    state: ApiState, body: InitiateRequest, now: datetime
) -> tuple[Plan, list[ErrorItem]]:
    numbers = numbers_in(body.phone_numbers, body)
    missing = missing_of_the_newer(body)
    details, secrets = stated(body), secrets_in(body, body.phone_numbers)
    return await plan_for(state, numbers, details, secrets, now=now), missing


async def _draft(session: AsyncSession, order_id: str) -> PortOrder:
    order = await orders.get(session, order_id, for_update=True)
    if order.sub_status is not SubStatus.DRAFT:
        raise NotADraft
    return order


def _missing(numbers: Sequence[str], details: PortDetails) -> list[ErrorItem]:
    """What an order cannot be without and the linter takes for granted."""
    wanted = {
        "phone_numbers": numbers,
        "losing_carrier_information.authorized_representative_email": (
            details.authorized_representative_email
        ),
        "losing_carrier_information.address.state": details.service_address.state,
        "losing_carrier_information.address.zip": details.service_address.zip,
    }
    return [
        ErrorItem("INVALID_REQUEST", f"{path} is required", path)
        for path, value in wanted.items()
        if not value
    ]


def _untyped(numbers: Sequence[str]) -> list[NewPortNumber]:
    return [NewPortNumber(number=each, type=None) for each in numbers]


async def _note(
    session: AsyncSession, maker: Maker, action: str, order_id: str, numbers: Sequence[str]
) -> None:
    await record(
        session,
        maker.actor,
        org_id=maker.principal.org_id,
        action=action,
        subject=("port", order_id),
        after={"phone_numbers": list(numbers)},
    )
