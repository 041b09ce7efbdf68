"""What the customer asks of an order is done once, or refused with a reason, whatever is under way."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.contrib.pydantic import pydantic_data_converter

from domain.porting.events import (
    ActivateAsked,
    CancelAsked,
    DropAsked,
    FactKind,
    RescheduleAsked,
    ResubmitAsked,
)
from domain.porting.order_refusals import OrderRefusal
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import CarrierStatus, SeenRejection
from domain.porting.state import CommandKind, PortState, Warned
from domain.porting.words import NumberStatus, SubStatus
from tests.workflows.fake_port import FakePort, start_port
from tests.workflows.harness import dev_server, history_of, new_worker
from tests.workflows.ports import DAY, Porting, porting

pytestmark = pytest.mark.temporal

ACCEPTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED

S = SubStatus
R = OrderRefusal


def reschedule(revision: int) -> RescheduleAsked:
    return RescheduleAsked(revision=revision, requested=date(2027, 1, 5))


async def test_an_order_that_was_not_sent_is_canceled_at_once() -> None:
    async with porting() as order:
        handle = await order.placed()
        answer = await order.cancel(wait_seconds=2)
        assert (answer.canceled, answer.cancel_requested) == (True, False)
        await handle.result()
    assert order.fake.carrier.keys == []


async def test_a_cancellation_waits_a_moment_for_the_carrier() -> None:
    async with porting() as order:
        await order.sent()
        asked = asyncio.create_task(order.cancel(wait_seconds=60))
        await order.until(lambda: order.fake.carrier.told(CommandKind.CANCEL) == 1)
        await order.news(CarrierStatus.CANCELED, NumberStatus.CANCELED)
        answer = await asked
    assert (answer.canceled, answer.cancel_requested) == (True, False)


async def test_a_cancellation_that_nobody_confirms_is_asked_for() -> None:
    async with porting() as order:
        await order.sent()
        answer = await order.cancel()
        assert (answer.canceled, answer.cancel_requested) == (False, True)
        again = await order.cancel()
        assert again.cancel_requested
        assert order.fake.carrier.told(CommandKind.CANCEL) == 1
        assert await order.refusal(reschedule(2)) is R.CANCELING


async def test_a_port_that_goes_through_beats_the_cancellation() -> None:
    async with porting() as order:
        handle = await order.sent()
        await order.committed(5 * DAY)
        await order.cancel()
        await order.ported()
        await order.told(FactKind.FIRST_INBOUND, 0, 1)
        state = await handle.result()
    assert state is not None
    assert state.sub_status is S.COMPLETED
    assert state.warnings == (Warned.CANCEL_MISSED,)


async def test_near_the_date_a_cancellation_is_refused_with_its_reason() -> None:
    async with porting() as order:
        await order.sent()
        await order.committed(DAY / 2)
        assert await order.refusal(CancelAsked()) is R.TOO_LATE


async def test_an_order_that_is_refused_was_never_accepted() -> None:
    async with porting() as order:
        handle = await order.sent()
        assert await order.refusal(ResubmitAsked(revision=2)) is R.NOTHING_TO_MEND
        assert await order.refusal(ActivateAsked()) is R.NOT_ON_DEMAND
        assert await order.refusal(DropAsked(position=9)) is R.UNKNOWN_NUMBER
        events = (await history_of(handle)).events
    assert ACCEPTED not in {each.event_type for each in events}


async def test_another_date_is_asked_for_three_times() -> None:
    fake = FakePort()
    async with porting(fake) as order:
        await order.sent()
        await order.committed(20 * DAY)
        for revision in (2, 3, 4):
            await order.ask(reschedule(revision))
            await order.ask(reschedule(revision))
        assert await order.refusal(reschedule(5)) is R.TOO_MANY_CHANGES
    assert fake.carrier.told(CommandKind.RESCHEDULE) == 3


async def test_an_order_on_demand_is_activated_by_its_customer() -> None:
    fake = FakePort(on_demand=True)
    async with porting(fake) as order:
        await order.sent()
        await order.committed(DAY)
        assert await order.refusal(ActivateAsked()) is R.TOO_EARLY
        await order.after(DAY)
        answer = await order.ask(ActivateAsked())
        assert answer.sub_status is S.ACTIVATING
    assert fake.carrier.told(CommandKind.ACTIVATE) == 1


async def test_the_order_goes_on_without_a_number() -> None:
    fake = FakePort()
    async with porting(fake) as order:
        await order.sent()
        answer = await order.ask(DropAsked(position=1))
        assert answer.sub_status is S.SUPP_SENT
        assert await order.refusal(DropAsked(position=0)) is R.LAST_NUMBER
    assert fake.carrier.told(CommandKind.SUPPLEMENT) == 1


async def test_what_is_asked_while_the_carrier_is_away_is_answered_at_once() -> None:
    fake = FakePort()
    fake.carrier.away = 1000
    async with porting(fake) as order:
        await order.placed()
        await order.signed()
        await order.becomes(S.SUBMITTING)
        answer = await order.cancel()
        assert answer.cancel_requested
        fake.carrier.away = 0
        await order.after(DAY)
        await order.until(lambda: fake.carrier.told(CommandKind.CANCEL) == 1)
    assert fake.carrier.told(CommandKind.SUBMIT) == 1


async def test_an_order_that_ended_refuses_while_its_messages_are_on_their_way() -> None:
    fake = FakePort()
    async with porting(fake) as order:
        fake.fails_until = await order.now() + DAY
        handle = await order.placed()
        await order.cancel()
        assert await order.refusal(reschedule(2)) is R.ALREADY_ENDED
        assert (await order.cancel()).canceled
        await handle.result()
    assert len(fake.sent) == sum(len(step.notices) for step in fake.steps)


async def test_an_order_that_ended_is_told_late_facts_in_a_run_of_their_own() -> None:
    fake = FakePort()
    async with porting(fake) as order:
        handle = await order.placed()
        await order.cancel()
        await handle.result()
        fake.stored = fake.steps[-1].state
        written = len(fake.steps)
        late = await start_port(order.client, order.order_id)
        state = await late.result()
    assert state == fake.stored
    assert len(fake.steps) == written


async def test_a_run_that_grew_long_goes_on_with_all_that_it_knew() -> None:
    fake = FakePort()
    environment = await dev_server(
        data_converter=pydantic_data_converter,
        dynamic=["limit.historyCount.suggestContinueAsNew=60"],
    )
    async with environment, new_worker(environment.client, fake.all()):
        order = Porting(environment.client, fake)
        handle = await order.sent()
        first = handle.first_execution_run_id
        for revision in range(2, 8):
            rejection = SeenRejection(code=RejectionCode.PIN_INVALID)
            await order.news(CarrierStatus.ACTION_REQUIRED, None, rejections=(rejection,))
            await order.becomes(S.ACTION_REQUIRED)
            await order.ask(ResubmitAsked(revision=revision, changed=("pin",)))
            await order.becomes(S.SUPP_SENT)
        state = await order.standing()
        assert (await order.handle.describe()).run_id != first
    assert state == fake.steps[-1].state.model_copy(
        update={"deadlines": state.deadlines, "facts": state.facts, "sequence": state.sequence}
    )
    assert state.resubmits == 6
    generations = [step.state.generation for step in fake.steps]
    assert generations == list(range(1, len(generations) + 1))


def test_every_field_of_an_order_survives_a_new_run() -> None:
    state = PortState(order_id="port_1", org_id="org_1")
    assert PortState.model_validate_json(state.model_dump_json()) == state
