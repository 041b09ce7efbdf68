"""An order that came back is corrected and sent again; papers and PINs that it misses are added."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.authentication import Principal
from api.changes import Change
from api.errors import Conflict, ErrorItem, InvalidRequest
from api.schemas.port_requests import DocumentsRequest, PinsRequest, ResubmitRequest
from api.services.actor import Actor
from api.services.audit import record
from api.services.port_bodies import secrets_in, stated
from api.services.port_checks import Checked
from api.services.port_commands import ask, check, refused, single
from api.services.port_placing import check_references
from api.services.port_plans import as_errors, findings_of, path_of
from api.services.trunk_orders import Wish
from api.state import ApiState
from domain.porting.events import FactKind, ResubmitAsked
from domain.porting.order import OrderField, PortDetails, changed_fields, changed_secrets
from domain.porting.order_refusals import OrderRefusal
from domain.porting.rejections import needs_new_loa, resubmission_fields
from domain.porting.standing import state_in
from domain.porting.words import TERMINAL, SubStatus
from storage import port_numbers, port_orders, port_secrets
from storage.tables import PortOrder

__all__ = ["add_documents", "add_pins", "resubmit"]


async def resubmit(
    state: ApiState,
    principal: Principal,
    actor: Actor,
    order_id: str,
    body: ResubmitRequest,
    wish: Wish,
) -> bool:
    """Correct the fields that were rejected and send the order again; whether somebody has to sign
    first. The correction is written before the workflow hears of it.

    Raises ``NotFound``, ``InvalidRequest`` for fields that nobody rejected or that are still wrong,
    ``Conflict`` and ``Unavailable``.
    """
    org_id, now = principal.org_id, datetime.now(UTC)
    async with state.database.tenant(org_id) as session:
        order = await single(session, order_id, for_update=True)
        check(order, ResubmitAsked(revision=order.revision + 1))
        if order.sub_status is not SubStatus.ACTION_REQUIRED:
            raise refused(OrderRefusal.NOTHING_TO_MEND)
        before = port_orders.details_of(order)
        details = stated(body, before)
        changed = await _changed(session, state, order, before, details, body, now)
        await check_references(session, org_id, details)
        revision = await port_orders.change_details(
            session, order_id, details, revision=order.revision, now=now
        )
        if revision is None:
            raise refused(OrderRefusal.BUSY)
        await port_secrets.merge(session, state.secret_box, order_id, secrets_in(body))
    asked = ResubmitAsked(revision=revision, changed=tuple(sorted(changed)))
    await ask(state, order_id, asked, wish_id=wish.id)
    async with state.database.tenant(org_id) as session:
        await _note(session, principal, actor, "port.resubmit", order_id, changed)
    known = state_in(order.standing)
    return needs_new_loa(changed, () if known is None else known.codes)


async def add_documents(
    state: ApiState,
    change: Change,
    principal: Principal,
    actor: Actor,
    order_id: str,
    body: DocumentsRequest,
) -> None:
    """Let documents go with an order. Raises ``NotFound``, ``InvalidRequest`` and ``Conflict``."""
    session = await change.of(principal.org_id)
    order = await _open_order(session, order_id)
    before = port_orders.details_of(order)
    ids = tuple(dict.fromkeys([*before.document_ids, *body.documents]))
    changes: dict[str, object] = {"document_ids": ids}
    if body.document_date is not None:
        changes["document_date"] = body.document_date
    details = before.model_copy(update=changes)
    await check_references(session, principal.org_id, details)
    await _change(session, order, details)
    if order.sub_status is not SubStatus.DRAFT:
        await port_orders.tell(session, order.org_id, order_id, FactKind.DOCUMENT_ATTACHED)
    await _note(session, principal, actor, "port.add_documents", order_id, {OrderField.DOCUMENTS})


async def add_pins(
    state: ApiState,
    change: Change,
    principal: Principal,
    actor: Actor,
    order_id: str,
    body: PinsRequest,
) -> None:
    """Keep PINs of an order, sealed. Raises ``NotFound``, ``InvalidRequest`` and ``Conflict``."""
    session = await change.of(principal.org_id)
    order = await _open_order(session, order_id)
    rows = await port_numbers.of_order(session, order_id)
    numbers = {each.number for each in rows}
    strangers = [each for each in body.phone_number_pins or {} if each not in numbers]
    if strangers:
        raise InvalidRequest.of(
            [
                ErrorItem(
                    "INVALID_REQUEST",
                    f"{each} is not in this order",
                    f"phone_number_pins.{each}",
                )
                for each in strangers
            ]
        )
    names = {"pin_received_on", "pin_expires_on"} & body.model_fields_set
    details = port_orders.details_of(order).model_copy(
        update={name: getattr(body, name) for name in names}
    )
    await _change(session, order, details)
    await port_secrets.merge(session, state.secret_box, order_id, secrets_in(body))
    if order.sub_status is not SubStatus.DRAFT:
        await port_orders.tell(session, order.org_id, order_id, FactKind.PIN_SUPPLIED)
    await _note(session, principal, actor, "port.add_pins", order_id, {OrderField.PIN})


async def _changed(
    session: AsyncSession,
    state: ApiState,
    order: PortOrder,
    before: PortDetails,
    details: PortDetails,
    body: ResubmitRequest,
    now: datetime,
) -> frozenset[OrderField]:
    """The fields that the body changes, each of which may be."""
    kept = await port_secrets.read(session, state.secret_box, order.id)
    secrets = kept.merged(secrets_in(body))
    changed = changed_fields(before, details) | changed_secrets(kept, secrets)
    known = state_in(order.standing)
    allowed = resubmission_fields(() if known is None else known.codes)
    items = [
        ErrorItem(
            "INVALID_REQUEST",
            f"{field} was not rejected, so it stays as it is; what may change is "
            f"{', '.join(sorted(allowed))}",
            path_of(field),
        )
        for field in sorted(changed - allowed)
    ]
    rows = await port_numbers.of_order(session, order.id)
    found = findings_of(
        details,
        secrets,
        tuple(each.number for each in rows),
        order.kind,
        state.porting.profiles.named(order.carrier_profile),
        {each.number: Checked.remembered(each) for each in rows},
        now,
    )
    items += as_errors([each for each in found if each.field in changed])
    if items:
        raise InvalidRequest.of(items)
    return changed


async def _open_order(session: AsyncSession, order_id: str) -> PortOrder:
    order = await single(session, order_id, for_update=True)
    if order.sub_status in TERMINAL:
        raise refused(OrderRefusal.ALREADY_ENDED)
    return order


async def _change(session: AsyncSession, order: PortOrder, details: PortDetails) -> None:
    changed = await port_orders.change_details(
        session, order.id, details, revision=order.revision, now=datetime.now(UTC)
    )
    if changed is None:
        raise Conflict("the order was changed at the same moment; send it again", code="PORT_BUSY")


async def _note(
    session: AsyncSession,
    principal: Principal,
    actor: Actor,
    action: str,
    order_id: str,
    changed: Collection[OrderField],
) -> None:
    await record(
        session,
        actor,
        org_id=principal.org_id,
        action=action,
        subject=("port", order_id),
        after={"changed": sorted(changed)},
    )
