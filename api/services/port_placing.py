"""Orders are placed: rows, outbox and audit of one request, or of one draft, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import Conflict, ErrorItem, InvalidRequest
from api.schemas.port_views import InitiatedPart, InitiatedView, PlannedView
from api.services.actor import Actor
from api.services.audit import record
from api.services.port_checks import excluded_view
from api.services.port_plans import Part, Plan, as_errors, finding_view
from api.services.port_views import signature_url
from api.state import ApiState
from domain.porting.carrier_profile import DEFAULT
from domain.porting.numbers import Exclusion, classify
from domain.porting.order import PortDetails
from domain.porting.rejections import RejectionCode
from domain.porting.words import NumberStatus, PortKind, SubStatus, public_status
from domain.trunk import Direction
from storage import port_documents, port_orders, port_secrets, trunks
from storage.ids import new_id
from storage.port_numbers import NewPortNumber, NumbersTaken
from storage.port_orders import NewPortOrder
from storage.port_wholes import lock_documents

__all__ = ["NumberTaken", "check_references", "draft_row", "place", "planned_view"]


class NumberTaken(Conflict):
    """Another order that has not ended has the number."""

    code = "NUMBER_ALREADY_PORTING"
    default_message = "the number is in another port order that has not ended"

    @classmethod
    def of(cls, taken: NumbersTaken, numbers: Sequence[str]) -> NumberTaken:
        """One entry for each number."""
        error = cls()
        error.items = tuple(
            ErrorItem(
                cls.code,
                f"{number} is in {_order_said(taken, number)} that has not ended; cancel that one, or "
                "leave the number out.",
                f"phone_numbers.{numbers.index(number)}" if number in numbers else "phone_numbers",
                {
                    "phone_number": number,
                    **({"order_id": taken.orders[number]} if number in taken.orders else {}),
                },
            )
            for number in taken.numbers
        )
        return error


async def place(
    session: AsyncSession,
    state: ApiState,
    org_id: str,
    plan: Plan,
    *,
    order_id: str,
    actor: Actor,
    on_demand: bool,
    base_url: str,
    now: datetime,
) -> InitiatedView:
    """Write the order, or the whole and its parts, and tell their workflows.

    Raises ``InvalidRequest`` for documents and trunks that are not there, and ``NumberTaken``.
    """
    await check_references(session, org_id, plan.details)
    orders = _orders(state, org_id, plan, order_id, on_demand=on_demand, now=now)
    try:
        for each in orders:
            await port_orders.create(session, each)
    except NumbersTaken as taken:
        raise NumberTaken.of(taken, plan.numbers) from taken
    for each in orders:
        await record(
            session,
            actor,
            org_id=org_id,
            action="port.initiate",
            subject=("port", each.id),
            after={
                "phone_numbers": [number.number for number in each.numbers],
                "kind": each.kind.value,
                "carrier": each.carrier,
                "losing_carrier": each.losing_carrier,
                "parent_id": each.parent_id,
            },
        )
    return _initiated(plan, orders, base_url)


async def check_references(session: AsyncSession, org_id: str, details: PortDetails) -> None:
    """Hold the documents and look for the trunk. Raises ``InvalidRequest`` with an entry for each
    that is not there."""
    items = []
    if details.document_ids:
        await lock_documents(session, org_id)
        found = await port_documents.get_each(session, details.document_ids)
        items = [
            ErrorItem("INVALID_REQUEST", f"there is no document {each}", f"documents.{at}")
            for at, each in enumerate(details.document_ids)
            if each not in found
        ]
    if details.trunk_id:
        trunk = await trunks.get(session, org_id, details.trunk_id)
        if trunk is None:
            items.append(ErrorItem("INVALID_REQUEST", "there is no such trunk", "trunk_id"))
        elif not trunk.direction.serves(Direction.INBOUND):
            said = (
                "the trunk takes no inbound calls; choose one that does, or one of both directions"
            )
            items.append(ErrorItem("INVALID_REQUEST", said, "trunk_id"))
    if items:
        raise InvalidRequest.of(items)


def draft_row(
    state: ApiState,
    org_id: str,
    order_id: str,
    details: PortDetails,
    numbers: Sequence[NewPortNumber],
    *,
    secrets_sealed: bytes | None,
    on_demand: bool,
    now: datetime,
) -> NewPortOrder:
    """A draft: nothing is known yet of who has its numbers."""
    kinds = {classify(each.number).kind for each in numbers}
    return NewPortOrder(
        id=order_id,
        org_id=org_id,
        kind=kinds.pop() if len(kinds) == 1 else PortKind.LOCAL,
        carrier=state.porting.carrier.name,
        carrier_profile=DEFAULT,
        details=details,
        numbers=numbers,
        created_at=now,
        sub_status=SubStatus.DRAFT,
        secrets_sealed=secrets_sealed,
        standing={"on_demand": on_demand},
    )


def planned_view(plan: Plan, refused: Sequence[ErrorItem]) -> PlannedView:
    """What the request would come to."""
    return PlannedView(
        valid=not refused and not as_errors(plan.findings) and bool(plan.parts),
        phone_numbers=list(plan.numbers),
        excluded=[excluded_view(each) for each in plan.excluded],
        groups=[each.shown for each in plan.parts],
        findings=[finding_view(each) for each in plan.findings],
    )


def _orders(
    state: ApiState, org_id: str, plan: Plan, order_id: str, *, on_demand: bool, now: datetime
) -> list[NewPortOrder]:
    """The order; of a split one the whole first, which has every number and keeps none."""
    if len(plan.parts) == 1:
        part = plan.parts[0]
        numbers = _numbers(plan, part.group.numbers)
        return [_order(state, org_id, plan, part, order_id, None, numbers, on_demand, now)]
    whole = [
        NewPortNumber(
            number=each,
            type=plan.answers[each].check.number_type,
            status=NumberStatus.DROPPED,
            rejection=RejectionCode.SPLIT_REQUIRED,
        )
        for each in plan.numbers
    ]
    lost = {each.number: each for each in plan.excluded}
    rows = [_left_out(lost[each.number]) if each.number in lost else each for each in whole]
    first = _order(state, org_id, plan, plan.parts[0], order_id, None, rows, on_demand, now)
    # Parts of one moment are listed by their ids, so these grow as the parts stand.
    ids = sorted(new_id("port") for _ in plan.parts)
    parts = [
        _order(
            state,
            org_id,
            plan,
            part,
            part_id,
            order_id,
            _numbers(plan, part.group.numbers, with_excluded=False),
            on_demand,
            now,
        )
        for part_id, part in zip(ids, plan.parts, strict=True)
    ]
    return [first, *parts]


def _order(
    state: ApiState,
    org_id: str,
    plan: Plan,
    part: Part,
    order_id: str,
    parent_id: str | None,
    numbers: Sequence[NewPortNumber],
    on_demand: bool,
    now: datetime,
) -> NewPortOrder:
    is_whole = len(plan.parts) > 1 and parent_id is None
    secrets = plan.secrets.limited_to(part.group.numbers)
    return NewPortOrder(
        id=order_id,
        org_id=org_id,
        parent_id=parent_id,
        kind=part.group.kind,
        carrier=state.porting.carrier.name,
        carrier_profile=part.profile.key,
        details=plan.details,
        numbers=numbers,
        created_at=now,
        sub_status=SubStatus.VALIDATING,
        losing_carrier=None if is_whole else part.group.losing_carrier,
        spid=None if is_whole else part.group.spid,
        # The parts have the secrets; the whole tells no carrier anything.
        secrets_sealed=None if is_whole else port_secrets.seal(state.secret_box, org_id, secrets),
        standing={"on_demand": on_demand},
    )


def _numbers(
    plan: Plan, wanted: Sequence[str], *, with_excluded: bool = True
) -> list[NewPortNumber]:
    lost = {each.number: each for each in plan.excluded} if with_excluded else {}
    return [
        _left_out(lost[number])
        if number in lost
        else NewPortNumber(number=number, type=plan.answers[number].check.number_type)
        for number in plan.numbers
        if number in wanted or number in lost
    ]


def _left_out(exclusion: Exclusion) -> NewPortNumber:
    return NewPortNumber(
        number=exclusion.number,
        type=None,
        status=NumberStatus.FAILED,
        rejection=exclusion.code or RejectionCode.NOT_PORTABLE,
    )


def _initiated(plan: Plan, orders: Sequence[NewPortOrder], base_url: str) -> InitiatedView:
    whole, *parts = orders
    signed = parts[0] if parts else whole
    lost = {each.number for each in plan.excluded}
    return InitiatedView(
        port_request_id=whole.id,
        status=public_status(whole.sub_status),
        signature_url=signature_url(base_url, signed.id),
        phone_numbers=[each for each in plan.numbers if each not in lost],
        sub_status=whole.sub_status,
        children=[
            InitiatedPart(
                port_request_id=each.id,
                status=public_status(each.sub_status),
                sub_status=each.sub_status,
                signature_url=signature_url(base_url, each.id),
                phone_numbers=[number.number for number in each.numbers],
                losing_carrier=each.losing_carrier,
                kind=each.kind,
            )
            for each in parts
        ],
        excluded=[excluded_view(each) for each in plan.excluded],
        groups=[each.shown for each in plan.parts],
        findings=plan.warnings,
    )


def _order_said(taken: NumbersTaken, number: str) -> str:
    order_id = taken.orders.get(number)
    return "another port order" if order_id is None else f"the port order {order_id}"
