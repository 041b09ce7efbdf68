"""Cancellation, another date, activation, and going on without a number."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.authentication import Principal
from api.errors import Conflict, ErrorItem, InvalidRequest, NotFound
from api.porting import calendar_at
from api.schemas.port_views import CanceledView, CancelRequestedView
from api.services import port_orders as orders
from api.services.actor import Actor
from api.services.audit import record
from api.services.port_commands import CANCEL_WAIT, ask, check, refused, single
from api.services.trunk_orders import Wish
from api.state import ApiState
from domain.phone_numbers import spellings_of
from domain.porting.business_time import BusinessCalendar, CalendarEnds
from domain.porting.events import ActivateAsked, CancelAsked, DropAsked, RescheduleAsked
from domain.porting.order_refusals import OrderRefusal
from domain.porting.requested_date import DateVerdict, judge_date
from domain.porting.standing import state_in
from domain.porting.words import TERMINAL, SubStatus
from storage import port_numbers, port_orders
from storage.tables import PortOrder

__all__ = ["activate", "cancel", "drop_number", "reschedule"]

_GONE = frozenset({SubStatus.CANCELED, SubStatus.EXPIRED})


async def cancel(
    state: ApiState, principal: Principal, actor: Actor, order_id: str, wish: Wish
) -> CanceledView | CancelRequestedView:
    """End an order, with all its parts. What is canceled already stays so.

    Raises ``NotFound``, ``Conflict`` when no part can be canceled, and ``Unavailable``.
    """
    org_id = principal.org_id
    async with state.database.tenant(org_id) as session:
        order = await orders.get(session, order_id, for_update=True)
        if order.sub_status is SubStatus.DRAFT:
            await port_orders.delete_draft(session, order_id)
            await _note(session, principal, actor, "port.delete_draft", order_id)
            return CanceledView()
        parts = await port_orders.parts_of(session, order_id) or [order]
    open_parts = [each for each in parts if each.sub_status not in TERMINAL]
    if not open_parts:
        if all(each.sub_status in _GONE for each in parts):
            return CanceledView()
        raise refused(OrderRefusal.ALREADY_ENDED)
    outcomes = await asyncio.gather(
        *(_cancel_one(state, each, wish) for each in open_parts), return_exceptions=True
    )
    failures = [each for each in outcomes if isinstance(each, BaseException)]
    unexpected = [each for each in failures if not isinstance(each, Conflict)]
    if unexpected or len(failures) == len(outcomes):
        raise (unexpected or failures)[0]
    done = not failures and all(outcomes)
    async with state.database.tenant(org_id) as session:
        after = {"canceled": done, "refused": len(failures)}
        await _note(session, principal, actor, "port.cancel", order_id, after)
        latest = await orders.get(session, order_id)
    if done:
        return CanceledView()
    return CancelRequestedView(cancel_cutoff_at=latest.cancel_cutoff_at)


async def reschedule(
    state: ApiState, principal: Principal, actor: Actor, order_id: str, wanted: date, wish: Wish
) -> DateVerdict:
    """Ask for another date. The customer's wish is written first and taken back when it is refused.

    Raises ``NotFound``, ``InvalidRequest`` for a day on which nothing is ported, ``Conflict`` and
    ``Unavailable``.
    """
    org_id, now = principal.org_id, datetime.now(UTC)
    async with state.database.tenant(org_id) as session:
        order = await single(session, order_id, for_update=True)
        verdict = _judged(state, order, wanted, now)
        before = port_orders.details_of(order)
        revision = order.revision
        if before.requested_date != wanted or _was_passed_over(
            order, wanted, _calendar(state, order)
        ):
            check(order, RescheduleAsked(revision=revision + 1, requested=wanted))
            revision = await _written(session, order, wanted, now)
    asked = RescheduleAsked(revision=revision, requested=wanted)
    try:
        await ask(state, order_id, asked, wish_id=wish.id)
    except Conflict:
        if revision != order.revision:
            async with state.database.tenant(org_id) as session:
                await port_orders.change_details(
                    session, order_id, before, revision=revision, now=datetime.now(UTC)
                )
        raise
    async with state.database.tenant(org_id) as session:
        after = {"requested_date": wanted.isoformat()}
        await _note(session, principal, actor, "port.reschedule", order_id, after)
    return verdict


async def activate(
    state: ApiState, principal: Principal, actor: Actor, order_id: str, wish: Wish
) -> None:
    """Switch the numbers of an order that waits for it. Raises ``NotFound``, ``Conflict`` and
    ``Unavailable``."""
    async with state.database.tenant(principal.org_id) as session:
        check(await single(session, order_id), ActivateAsked())
    await ask(state, order_id, ActivateAsked(), wish_id=wish.id)
    async with state.database.tenant(principal.org_id) as session:
        await _note(session, principal, actor, "port.activate", order_id)


async def drop_number(
    state: ApiState, principal: Principal, actor: Actor, order_id: str, number: str, wish: Wish
) -> None:
    """Go on without a number. Raises ``NotFound``, ``Conflict`` and ``Unavailable``."""
    wanted = spellings_of(number)
    async with state.database.tenant(principal.org_id) as session:
        order = await single(session, order_id)
        rows = await port_numbers.of_order(session, order_id)
        found = next((each for each in rows if each.number in wanted), None)
        if found is None:
            raise NotFound("the number is not in this order")
        asked = DropAsked(position=found.position)
        check(order, asked)
    await ask(state, order_id, asked, wish_id=wish.id)
    async with state.database.tenant(principal.org_id) as session:
        after = {"phone_number": found.number}
        await _note(session, principal, actor, "port.drop_number", order_id, after)


async def _cancel_one(state: ApiState, order: PortOrder, wish: Wish) -> bool:
    """Whether it is canceled now; else it was asked for."""
    asked = CancelAsked(wait_seconds=CANCEL_WAIT)
    check(order, asked)
    answer = await ask(state, order.id, asked, wish_id=wish.id)
    return bool(getattr(answer, "canceled", False))


def _calendar(state: ApiState, order: PortOrder) -> BusinessCalendar:
    profile = state.porting.profiles.named(order.carrier_profile)
    return calendar_at(profile, datetime.now(UTC))


def _was_passed_over(order: PortOrder, wanted: date, calendar: BusinessCalendar) -> bool:
    """Whether the losing carrier confirmed another day than the one that it was asked for, so that the
    same wish is a new one; what is only repeated, because its answer was lost, is not."""
    known = state_in(order.standing)
    if known is None or known.foc_at is None or known.rescheduling or known.commands:
        return False
    return known.details >= order.revision and calendar.local_date(known.foc_at) != wanted


def _judged(state: ApiState, order: PortOrder, wanted: date, now: datetime) -> DateVerdict:
    profile = state.porting.profiles.named(order.carrier_profile)
    try:
        verdict = judge_date(wanted, now, profile, _calendar(state, order))
    except CalendarEnds as error:
        raise InvalidRequest(str(error), field="requested_date") from error
    if not verdict.allowed:
        raise InvalidRequest.of(
            [
                ErrorItem(
                    "INVALID_REQUEST",
                    verdict.reason,
                    "requested_date",
                    {"finding": str(verdict.problem), "proposed": verdict.proposed.isoformat()},
                )
            ]
        )
    return verdict


async def _written(session: AsyncSession, order: PortOrder, wanted: date, now: datetime) -> int:
    details = port_orders.details_of(order).model_copy(update={"requested_date": wanted})
    changed = await port_orders.change_details(
        session, order.id, details, revision=order.revision, now=now
    )
    if changed is None:
        raise refused(OrderRefusal.BUSY)
    return changed


async def _note(
    session: AsyncSession,
    principal: Principal,
    actor: Actor,
    action: str,
    order_id: str,
    after: Mapping[str, Any] | None = None,
) -> None:
    await record(
        session,
        actor,
        org_id=principal.org_id,
        action=action,
        subject=("port", order_id),
        after=after,
    )
