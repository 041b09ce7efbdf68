"""An order goes its way through weeks, and whatever is lost, late or twice changes nothing of it."""

from __future__ import annotations

import pytest

from domain.porting.effects import NoticeKind
from domain.porting.events import FactKind, ResubmitAsked
from domain.porting.rejections import RejectionCode
from domain.porting.snapshot import CarrierStatus, SeenRejection
from domain.porting.state import CommandKind, Warned
from domain.porting.words import NumberStatus, SubStatus
from tests.workflows.fake_port import FakePort, start_port
from tests.workflows.ports import DAY, HOUR, porting

pytestmark = pytest.mark.temporal

S = SubStatus
HAPPY = [
    S.VALIDATING,
    S.AWAITING_SIGNATURE,
    S.SUBMITTING,
    S.LSR_SENT,
    S.FOC_CONFIRMED,
    S.ACTIVATING,
    S.VERIFYING,
    S.COMPLETED,
]


async def test_ten_numbers_come_and_are_called() -> None:
    fake = FakePort(10)
    async with porting(fake) as order:
        handle = await order.sent()
        await order.committed(7 * DAY)
        await order.after(7 * DAY)
        await order.becomes(S.ACTIVATING)
        await order.ported()
        await order.becomes(S.VERIFYING)
        await order.told(FactKind.FIRST_INBOUND, *range(10))
        state = await handle.result()
    assert fake.statuses == HAPPY
    assert state is not None
    assert {each.status for each in state.numbers} == {NumberStatus.VERIFIED}
    assert fake.carrier.keys == [(CommandKind.SUBMIT, 1)]
    assert sorted(fake.attached) == list(range(10))
    assert len(fake.sent) == len(set(fake.sent)) == sum(len(step.notices) for step in fake.steps)


async def test_every_generation_is_written_once_and_in_order() -> None:
    fake = FakePort()
    async with porting(fake) as order:
        handle = await order.sent()
        await order.committed(3 * DAY)
        await order.after(3 * DAY)
        await order.ported()
        await order.after(3 * DAY)
        await handle.result()
    generations = [step.state.generation for step in fake.steps]
    assert generations == list(range(1, len(generations) + 1))


async def test_a_webhook_that_was_lost_is_made_up_for_by_asking() -> None:
    fake = FakePort()
    async with porting(fake) as order:
        handle = await order.sent()
        foc_at = await order.now() + 5 * DAY
        fake.carrier.says(CarrierStatus.FOC_CONFIRMED, NumberStatus.ACCEPTED, foc_at=foc_at)
        await order.after(12 * HOUR)
        await order.becomes(S.FOC_CONFIRMED)
        fake.carrier.says(CarrierStatus.COMPLETED, NumberStatus.PORTED)
        state = await handle.result()
    assert fake.statuses[-1] is S.COMPLETED
    assert state is not None
    assert state.warnings == (Warned.UNVERIFIED,)


async def test_notices_that_come_twice_or_too_late_change_nothing() -> None:
    fake = FakePort()
    async with porting(fake) as order:
        await order.sent()
        await order.committed(5 * DAY)
        written = len(fake.steps)
        looks = fake.looks
        for _ in range(3):
            await order.told(FactKind.CARRIER_EVENT)
        fake.carrier.status, fake.carrier.sequence = CarrierStatus.SUBMITTED, 0
        await order.told(FactKind.CARRIER_EVENT)
        await order.until(lambda: fake.looks >= looks + 4)
        assert (await order.standing()).sub_status is S.FOC_CONFIRMED
        assert len(fake.steps) == written


async def test_an_answer_that_was_lost_places_no_second_order() -> None:
    fake = FakePort()
    fake.carrier.loses = 3
    async with porting(fake) as order:
        await order.placed()
        await order.signed()
        await order.after(HOUR)
        await order.becomes(S.LSR_SENT)
    assert len(fake.carrier.keys) == 4
    assert set(fake.carrier.keys) == {(CommandKind.SUBMIT, 1)}


async def test_a_carrier_that_is_away_keeps_nothing_else_waiting() -> None:
    fake = FakePort()
    fake.carrier.away = 5
    async with porting(fake) as order:
        await order.placed()
        await order.signed()
        await order.becomes(S.SUBMITTING)
        await order.after(10 * HOUR)
        await order.becomes(S.LSR_SENT)
    assert NoticeKind.NEEDS_OPERATOR in fake.notices
    assert fake.carrier.told(CommandKind.SUBMIT) == 1


async def test_a_wrong_pin_is_corrected_and_the_order_goes_on() -> None:
    fake = FakePort()
    async with porting(fake) as order:
        await order.sent()
        rejection = SeenRejection(code=RejectionCode.PIN_INVALID)
        await order.news(CarrierStatus.ACTION_REQUIRED, None, rejections=(rejection,))
        await order.becomes(S.ACTION_REQUIRED)
        answer = await order.ask(ResubmitAsked(revision=2, changed=("pin",)))
        assert answer.sub_status is S.SUPP_SENT
        await order.committed(3 * DAY)
    assert fake.carrier.keys == [(CommandKind.SUBMIT, 1), (CommandKind.SUPPLEMENT, 2)]
    assert len(fake.validated) == 1


async def test_a_wrong_name_asks_for_a_new_letter() -> None:
    fake = FakePort()
    async with porting(fake) as order:
        await order.sent()
        rejection = SeenRejection(code=RejectionCode.NAME_MISMATCH)
        await order.news(CarrierStatus.ACTION_REQUIRED, None, rejections=(rejection,))
        await order.becomes(S.ACTION_REQUIRED)
        answer = await order.ask(ResubmitAsked(revision=2, changed=("customer_name",)))
        assert answer.sub_status is S.AWAITING_SIGNATURE
        await order.signed(letter=1)
        await order.signed(letter=2)
        await order.becomes(S.SUPP_SENT)
    assert [each.letter for each in fake.validated] == [1, 2]
    assert fake.carrier.told(CommandKind.SUPPLEMENT) == 1


async def test_a_letter_that_nobody_signs_reminds_three_times_and_expires() -> None:
    fake = FakePort()
    async with porting(fake) as order:
        handle = await order.placed()
        await order.after(31 * DAY)
        state = await handle.result()
    assert fake.notices.count(NoticeKind.SIGNATURE_REMINDER) == 3
    assert fake.statuses == [S.VALIDATING, S.AWAITING_SIGNATURE, S.EXPIRED]
    assert state is not None
    assert {each.status for each in state.numbers} == {NumberStatus.CANCELED}
    assert fake.carrier.keys == []


async def test_a_silent_carrier_is_nudged_and_then_pressed() -> None:
    fake = FakePort()
    async with porting(fake) as order:
        await order.sent()
        before = fake.notices.count(NoticeKind.NEEDS_OPERATOR)
        await order.after(9 * DAY)
        await order.until(lambda: fake.notices.count(NoticeKind.NEEDS_OPERATOR) >= before + 2)
        assert (await order.standing()).sub_status is S.LSR_SENT


async def test_a_date_that_passes_without_a_switch_needs_somebody() -> None:
    fake = FakePort()
    async with porting(fake) as order:
        await order.sent()
        await order.committed(2 * DAY)
        await order.after(6 * DAY)
        await order.becomes(S.ACTION_REQUIRED)
        assert (await order.standing()).codes == (RejectionCode.FOC_PROBLEM,)
        await order.ported()
        await order.becomes(S.VERIFYING)


async def test_messages_that_cannot_be_sent_are_sent_later_and_the_order_does_not_wait() -> None:
    fake = FakePort()
    async with porting(fake) as order:
        fake.fails_until = await order.now() + 3 * HOUR
        handle = await order.sent()
        assert fake.sent == []
        await order.cancel()
        await order.news(CarrierStatus.CANCELED, NumberStatus.CANCELED)
        await handle.result()
    assert len(fake.sent) == sum(len(step.notices) for step in fake.steps)


async def test_an_order_that_is_no_more_ends_its_process() -> None:
    fake = FakePort()
    fake.gone = True
    async with porting(fake) as order:
        handle = await start_port(order.client, order.order_id)
        assert await handle.result() is None
    assert fake.steps == []


async def test_a_process_that_was_lost_goes_on_from_the_rows() -> None:
    fake = FakePort()
    async with porting(fake) as order:
        await order.sent()
        await order.committed(5 * DAY)
    found = FakePort()
    found.stored, found.carrier = fake.steps[-1].state, fake.carrier
    async with porting(found) as order:
        await order.told(FactKind.CARRIER_EVENT)
        await order.until(lambda: found.looks > 0)
        await order.after(5 * DAY)
        await order.becomes(S.ACTIVATING)
    assert found.carrier.told(CommandKind.SUBMIT) == 1
    assert found.steps[0].state.generation == fake.steps[-1].state.generation + 1
