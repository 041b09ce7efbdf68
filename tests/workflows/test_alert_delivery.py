"""What is to be told of an alert is sent until it arrives, and the workflow ends when nothing follows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from activities.contracts import AlertDeliveryState
from domain.alert_retry import GIVEN_UP_AFTER, QUICK, SLOW
from tests.workflows.fake_alert import FakeAlert, Message, fails_for, signalled
from tests.workflows.harness import dev_server, history_of, new_worker, time_skipping, unique
from workflows.alert_delivery import AlertDeliveryWorkflow
from workflows.names import ALERTS_QUEUE, alert_workflow_id

pytestmark = pytest.mark.temporal

SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
HOUR = timedelta(hours=1)


@dataclass
class Alerting:
    """One alert's workflow and its fake activities."""

    environment: WorkflowEnvironment
    fake: FakeAlert
    alert_id: str

    async def changes(self, *, trial: bool = False) -> WorkflowHandle[Any, AlertDeliveryState]:
        """The alert changed, and the relay tells."""
        return await signalled(self.environment.client, self.alert_id, trial=trial)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something that the fake sees; the test's own time limit ends it."""
        for _ in iter(int, 1):
            if holds():
                return
            await asyncio.sleep(0.02)

    async def after(self, span: timedelta) -> None:
        """Let time pass."""
        await self.environment.sleep(span)

    async def now(self) -> datetime:
        return await self.environment.get_current_time()


@asynccontextmanager
async def alerting(fake: FakeAlert) -> AsyncIterator[Alerting]:
    async with (
        time_skipping() as environment,
        new_worker(environment.client, fake.all()),
    ):
        yield Alerting(environment, fake, unique("alt"))


def gaps(message: Message) -> list[timedelta]:
    """Whole seconds between the attempts."""
    pairs = zip(message.attempts, message.attempts[1:], strict=False)
    return [timedelta(seconds=round((later - sooner).total_seconds())) for sooner, later in pairs]


async def test_a_message_is_sent_once_and_the_workflow_ends_with_its_alert() -> None:
    fake = FakeAlert(mail=Message(), hook=Message())
    fake.over = True
    async with alerting(fake) as alert:
        handle = await alert.changes()
        state = await handle.result()
    assert state == AlertDeliveryState(org_id="org_1", alert_id=alert.alert_id, changes=1)
    assert [len(each.attempts) for each in fake.messages.values()] == [1, 1]
    looked = fake.looks[0]
    assert (looked.org_id, looked.alert_id) == ("org_1", alert.alert_id)
    assert looked.workflow_id == alert_workflow_id(alert.alert_id) == handle.id


async def test_messages_go_over_a_queue_of_their_own_and_only_ids_enter_the_history() -> None:
    fake = FakeAlert(mail=Message())
    fake.over = True
    async with alerting(fake) as alert:
        handle = await alert.changes()
        await handle.result()
        scheduled = [
            each.activity_task_scheduled_event_attributes
            for each in (await history_of(handle)).events
            if each.event_type == SCHEDULED
        ]
    queues = {each.activity_type.name: each.task_queue.name for each in scheduled}
    assert queues["alert.deliver"] == ALERTS_QUEUE
    [payload] = next(
        each.input.payloads for each in scheduled if each.activity_type.name == "alert.deliver"
    )
    assert payload.data.startswith(b'{"org_id":"org_1","delivery_id":"mail","now":')


async def test_an_open_alert_is_waited_with_until_it_changes() -> None:
    fake = FakeAlert(opened=Message())
    async with alerting(fake) as alert:
        handle = await alert.changes()
        await alert.until(lambda: len(fake.looks) == 2)
        await alert.after(30 * 24 * HOUR)
        assert len(fake.looks) == 2
        fake.messages["resolved"] = Message()
        fake.over = True
        await alert.changes()
        assert (await handle.result()).changes == 2
    assert len(fake.messages["resolved"].attempts) == 1


async def test_what_is_due_later_is_looked_for_then() -> None:
    fake = FakeAlert(opened=Message())
    fake.reminders = {"reminder": Message()}
    async with alerting(fake) as alert:
        fake.reminds_at = wake_at = await alert.now() + 24 * HOUR
        handle = await alert.changes()
        await alert.until(lambda: len(fake.looks) == 2)
        fake.over = True
        await handle.result()
    [reminded] = fake.messages["reminder"].attempts
    assert timedelta(0) <= reminded - wake_at < timedelta(seconds=30)


async def test_a_receiver_that_fails_for_an_hour_is_reached_in_the_second_gear() -> None:
    fake = FakeAlert(hook=Message(fails_for(HOUR)), mail=Message())
    fake.over = True
    async with alerting(fake) as alert:
        await (await alert.changes()).result()
    hook = fake.messages["hook"]
    quick = gaps(hook)[: len(QUICK)]
    assert all(
        abs(one - other) <= timedelta(seconds=2) for one, other in zip(quick, QUICK, strict=True)
    )
    slow = gaps(hook)[len(QUICK) :]
    assert len(slow) == 4
    assert all(abs(each - SLOW) <= timedelta(seconds=2) for each in slow)
    assert HOUR <= hook.attempts[-1] - hook.attempts[0] < HOUR + SLOW
    # The other recipient has heard of it at once, and once.
    assert len(fake.messages["mail"].attempts) == 1


async def test_a_receiver_that_never_answers_is_given_up_after_a_day() -> None:
    fake = FakeAlert(hook=Message(lambda _: False))
    fake.over = True
    async with alerting(fake) as alert:
        await (await alert.changes()).result()
    attempts = fake.messages["hook"].attempts
    assert GIVEN_UP_AFTER - SLOW < attempts[-1] - attempts[0] <= GIVEN_UP_AFTER
    assert len(attempts) == 1 + len(QUICK) + 95


async def test_a_change_while_a_message_is_sent_is_not_missed() -> None:
    fake = FakeAlert(opened=Message())
    async with alerting(fake) as alert:
        fake.may_deliver.clear()
        handle = await alert.changes()
        await fake.delivering.wait()
        fake.messages["resolved"] = Message()
        fake.over = True
        await alert.changes()
        fake.may_deliver.set()
        assert (await handle.result()).changes == 2
    assert [len(each.attempts) for each in fake.messages.values()] == [1, 1]


async def test_a_change_during_the_last_look_is_looked_at() -> None:
    fake = FakeAlert()
    fake.over = True
    async with alerting(fake) as alert:
        fake.may_look.clear()
        handle = await alert.changes()
        await alert.until(lambda: bool(fake.looks))
        await alert.changes()
        fake.may_look.set()
        assert (await handle.result()).changes == 2
    assert len(fake.looks) == 2


async def test_an_alert_that_comes_back_is_told_by_a_new_run() -> None:
    fake = FakeAlert(opened=Message())
    fake.over = True
    async with alerting(fake) as alert:
        first = await alert.changes()
        await first.result()
        fake.messages["again"] = Message()
        second = await alert.changes()
        await second.result()
    assert first.result_run_id != second.result_run_id
    assert [len(each.attempts) for each in fake.messages.values()] == [1, 1]


async def test_a_database_that_is_away_delays_and_loses_nothing() -> None:
    fake = FakeAlert(mail=Message())
    fake.over, fake.breaks = True, 3
    async with alerting(fake) as alert:
        await (await alert.changes()).result()
    assert len(fake.messages["mail"].attempts) == 1


async def test_a_trial_is_of_no_alert() -> None:
    fake = FakeAlert(mail=Message())
    fake.over = True
    async with alerting(fake) as alert:
        state = await (await alert.changes(trial=True)).result()
    assert (state.alert_id, fake.looks[0].alert_id) == (None, None)
    assert fake.looks[0].workflow_id == alert_workflow_id(alert.alert_id)


async def test_a_run_that_grew_long_goes_on_as_a_new_one() -> None:
    fake = FakeAlert(opened=Message())
    environment = await dev_server(
        data_converter=pydantic_data_converter,
        dynamic=["limit.historyCount.suggestContinueAsNew=40"],
    )
    async with environment, new_worker(environment.client, fake.all()):
        alert = Alerting(environment, fake, unique("alt"))
        begun = await alert.changes()
        for _ in range(12):
            looks = len(fake.looks)
            await alert.changes()
            await alert.until(lambda looks=looks: len(fake.looks) > looks)  # type: ignore[misc]
        handle = environment.client.get_workflow_handle_for(AlertDeliveryWorkflow.run, begun.id)
        started = (await history_of(handle)).events[0].workflow_execution_started_event_attributes
        assert started.continued_execution_run_id
        standing = await handle.query(AlertDeliveryWorkflow.standing)
        assert (standing.org_id, standing.alert_id, standing.changes) == (
            "org_1",
            alert.alert_id,
            13,
        )
        fake.over = True
        await alert.changes()
        assert (await handle.result()).changes == 14
    assert len(fake.messages["opened"].attempts) == 1
