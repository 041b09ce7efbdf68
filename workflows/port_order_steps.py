"""What the PortOrder workflow asks of activities, each with its limits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows.names import ALERTS_QUEUE, WORKFLOW_QUEUE

with workflow.unsafe.imports_passed_through():
    from activities.contracts import (
        ADVANCE_TIMEOUT,
        CARRIER_RETRY,
        CARRIER_TIMEOUT,
        LETTER_TIMEOUT,
        PORT_RETRY,
        PORT_TIMEOUT,
        SEND_TIMEOUT,
        AdvancedPort,
        AttachedNumbers,
        DueNotice,
        LookedAt,
        NoticeWork,
        OpenedPort,
        PortContract,
        RecordedStep,
        ToldCarrier,
        ValidatedPort,
        WaitingNotices,
    )
    from domain.porting.effects import AttachNumbers, Effect, Look, Step, TellCarrier, Validate
    from domain.porting.events import CarrierAway, PortEvent
    from domain.porting.state import PortState

__all__ = ["advance", "asked_for", "carry_out", "deliver", "due_notices", "open_order", "record"]


async def open_order(order_id: str, org_id: str) -> PortState | None:
    """The order to begin with."""
    return await workflow.execute_activity_method(
        PortContract.open,
        OpenedPort(order_id=order_id, org_id=org_id),
        task_queue=WORKFLOW_QUEUE,
        start_to_close_timeout=PORT_TIMEOUT,
        retry_policy=PORT_RETRY,
    )


async def advance(state: PortState, event: PortEvent) -> Step:
    """What follows from an event. A local activity: it computes, and its result is history."""
    return await workflow.execute_local_activity_method(
        PortContract.advance,
        AdvancedPort(state=state, event=event, now=workflow.now()),
        start_to_close_timeout=ADVANCE_TIMEOUT,
        retry_policy=PORT_RETRY,
    )


async def record(step: Step) -> None:
    """Write a step down."""
    await workflow.execute_activity_method(
        PortContract.record,
        RecordedStep(
            state=step.state, entries=step.entries, notices=step.notices, now=workflow.now()
        ),
        task_queue=WORKFLOW_QUEUE,
        start_to_close_timeout=PORT_TIMEOUT,
        retry_policy=PORT_RETRY,
    )


async def carry_out(effect: Effect, state: PortState) -> PortEvent | None:
    """Do what an order asked for; the event that it ends in, ``None`` when nobody needs it now."""
    asked = asked_for(effect, state, workflow.now())
    if asked is None:
        return None
    method, argument = asked
    talks = isinstance(effect, TellCarrier | Look)
    try:
        event: PortEvent = await workflow.execute_activity_method(
            method,
            argument,
            task_queue=WORKFLOW_QUEUE,
            start_to_close_timeout=CARRIER_TIMEOUT if talks else LETTER_TIMEOUT,
            retry_policy=CARRIER_RETRY if talks else PORT_RETRY,
        )
    except ActivityError:
        if isinstance(effect, TellCarrier):
            return CarrierAway(command=effect.command.kind, attempt=effect.command.attempt)
        return CarrierAway()
    return event


def asked_for(
    effect: Effect, state: PortState, now: datetime
) -> tuple[Callable[..., Any], BaseModel] | None:
    """The activity that does it, and its argument."""
    order: dict[str, Any] = {"order_id": state.order_id, "org_id": state.org_id, "now": now}
    wanted = tuple(each.position for each in state.open_numbers)
    if isinstance(effect, Validate):
        letter, first = state.letter + 1, not state.at_carrier
        validated = ValidatedPort(**order, letter=letter, positions=wanted, first=first)
        return PortContract.validate, validated
    if isinstance(effect, AttachNumbers):
        return PortContract.attach, AttachedNumbers(**order, positions=effect.positions)
    if isinstance(effect, TellCarrier):
        # What was answered meanwhile, or given up with the order, is not told again.
        if all(each.attempt != effect.command.attempt for each in state.commands):
            return None
        told = ToldCarrier(
            **order,
            carrier=state.carrier,
            carrier_order_id=state.carrier_order_id,
            command=effect.command,
            positions=wanted,
        )
        return PortContract.tell_carrier, told
    known = state.carrier_order_id
    if known is None:
        return None
    return PortContract.look, LookedAt(**order, carrier=state.carrier, carrier_order_id=known)


async def due_notices(order_id: str, org_id: str) -> NoticeWork:
    """Which messages are to be sent."""
    return await workflow.execute_activity_method(
        PortContract.due_notices,
        WaitingNotices(order_id=order_id, org_id=org_id, now=workflow.now()),
        task_queue=WORKFLOW_QUEUE,
        start_to_close_timeout=PORT_TIMEOUT,
        retry_policy=PORT_RETRY,
    )


async def deliver(org_id: str, notice_id: str) -> None:
    """Try once to send a message."""
    await workflow.execute_activity_method(
        PortContract.deliver,
        DueNotice(org_id=org_id, notice_id=notice_id, now=workflow.now()),
        task_queue=ALERTS_QUEUE,
        start_to_close_timeout=SEND_TIMEOUT,
        retry_policy=PORT_RETRY,
    )
