"""What a test call's workflow decides, with fakes in place of its activities."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts import CALL_LIMIT, CLEAN_UP_LIMITS, CONCLUDE_LIMITS, PLACE_LIMITS
from domain.call_state import CallFailure, CallResult, CallStatus
from tests.workflows.fake_test_call import (
    FakeTestCall,
    Workflow,
    hang_up_with_start,
    start_test_call,
)
from tests.workflows.harness import QUEUES, history_of, new_worker, time_skipping
from tests.workflows.test_discovery import duration_of
from workflows import test_call as workflow_module
from workflows.names import CALLS_QUEUE

TIMEOUT = workflow_module.TEST_CALL_TIMEOUT


async def test_a_call_that_ends_by_itself_is_the_outcome() -> None:
    fake = FakeTestCall()
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        outcome = await (await start_test_call(environment.client)).result()
    assert (outcome.status, outcome.result) == (CallStatus.COMPLETED, CallResult.CONNECTED)
    assert (fake.placed, fake.cleaned_up, fake.failures) == (1, 0, [])


async def test_a_call_that_breaks_is_never_placed_again_but_cleaned_up_and_failed() -> None:
    fake = FakeTestCall(breaks=True)
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        outcome = await (await start_test_call(environment.client)).result()
    assert (outcome.status, outcome.interrupted) == (CallStatus.FAILED, True)
    assert (fake.placed, fake.cleaned_up) == (1, 1)
    assert fake.failures == [CallFailure.INTERRUPTED]


async def test_a_call_that_no_worker_got_is_placed_still() -> None:
    fake = FakeTestCall(lost=1)
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        outcome = await (await start_test_call(environment.client)).result()
    assert (outcome.status, outcome.result) == (CallStatus.COMPLETED, CallResult.CONNECTED)
    assert (fake.placed, fake.cleaned_up, fake.failures) == (2, 1, [])


async def test_a_call_that_no_worker_got_in_its_time_fails_as_not_started() -> None:
    fake = FakeTestCall(lost=100)
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        handle = await start_test_call(environment.client)
        await handle.result()
        history = await history_of(handle)
    places = [each for each in scheduled(history) if each.activity_type.name == "test_call.place"]
    patience = [each.schedule_to_start_timeout.ToTimedelta() for each in places]
    assert patience == sorted(patience, reverse=True)
    assert fake.failures == [CallFailure.NOT_STARTED]
    assert duration_of(history) < TIMEOUT


async def test_a_call_whose_end_the_peer_did_not_confirm_is_cleaned_up_and_keeps_its_row() -> None:
    fake = FakeTestCall(unconfirmed=True)
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        outcome = await (await start_test_call(environment.client)).result()
    assert (outcome.status, outcome.result) == (CallStatus.COMPLETED, CallResult.CONNECTED)
    assert (fake.placed, fake.cleaned_up, fake.failures) == (1, 1, [])


async def test_a_clean_up_that_fails_is_tried_again_and_does_not_keep_the_row_open() -> None:
    fake = FakeTestCall(breaks=True, stays_up=True)
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        handle = await start_test_call(environment.client)
        outcome = await handle.result()
        history = await history_of(handle)
    assert outcome.status is CallStatus.FAILED
    assert fake.cleaned_up > 2
    assert fake.failures == [CallFailure.INTERRUPTED]
    assert duration_of(history) < TIMEOUT


async def test_hanging_up_ends_a_call_within_two_seconds_and_is_no_interruption() -> None:
    fake = FakeTestCall(lasts=True)
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        handle = await start_test_call(environment.client)
        await fake.placing.wait()
        await handle.execute_update(Workflow.hang_up)
        await handle.execute_update(Workflow.hang_up)
        outcome = await handle.result()
        history = await history_of(handle)
    assert not outcome.interrupted
    assert fake.failures == [CallFailure.CANCELLED]
    accepted, cancelled = (
        next(event.event_time.ToDatetime() for event in history.events if event.event_type == kind)
        for kind in (
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
            EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED,
        )
    )
    assert cancelled - accepted < timedelta(seconds=2)


async def test_an_operator_who_cancels_the_workflow_hangs_up() -> None:
    fake = FakeTestCall(lasts=True)
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        handle = await start_test_call(environment.client)
        await fake.placing.wait()
        await handle.cancel()
        outcome = await handle.result()
    assert outcome.status is CallStatus.FAILED
    assert (fake.cleaned_up, fake.failures) == (1, [CallFailure.CANCELLED])


async def test_a_call_that_is_hung_up_before_its_first_task_is_never_placed() -> None:
    fake = FakeTestCall()
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        outcome = await (await hang_up_with_start(environment.client)).result()
    assert outcome.status is CallStatus.FAILED
    assert (fake.placed, fake.failures) == (0, [CallFailure.CANCELLED])


async def test_a_call_that_is_over_cannot_be_hung_up() -> None:
    fake = FakeTestCall()
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        handle = await start_test_call(environment.client)
        await handle.result()
        with pytest.raises((RPCError, WorkflowUpdateFailedError)) as refused:
            await handle.execute_update(Workflow.hang_up)
    assert isinstance(refused.value, RPCError)
    assert refused.value.status is RPCStatusCode.NOT_FOUND


async def test_a_call_that_no_worker_takes_fails_as_not_started() -> None:
    fake = FakeTestCall()
    others = [queue for queue in QUEUES if queue != CALLS_QUEUE]
    async with (
        time_skipping() as environment,
        new_worker(environment.client, fake.all(), queues=others),
    ):
        handle = await start_test_call(environment.client)
        await handle.result()
        history = await history_of(handle)
    assert (fake.placed, fake.cleaned_up) == (0, 0)
    assert fake.failures == [CallFailure.NOT_STARTED]
    assert PLACE_LIMITS.schedule_to_start is not None
    assert duration_of(history) < PLACE_LIMITS.schedule_to_start + timedelta(seconds=5)


async def test_the_call_is_scheduled_once_with_its_limits() -> None:
    async with (
        time_skipping() as environment,
        new_worker(environment.client, FakeTestCall(breaks=True).all()),
    ):
        handle = await start_test_call(environment.client)
        await handle.result()
        history = await history_of(handle)
    place, clean_up, _ = scheduled(history)
    assert (place.task_queue.name, place.retry_policy.maximum_attempts) == (CALLS_QUEUE, 1)
    assert place.schedule_to_start_timeout.ToTimedelta() == PLACE_LIMITS.schedule_to_start
    assert place.start_to_close_timeout.ToTimedelta() == PLACE_LIMITS.start_to_close
    assert place.heartbeat_timeout.ToTimedelta() == PLACE_LIMITS.heartbeat
    assert clean_up.task_queue.name == CALLS_QUEUE
    assert clean_up.retry_policy.maximum_attempts == 0
    assert clean_up.heartbeat_timeout.ToTimedelta() == CLEAN_UP_LIMITS.heartbeat


def test_the_limits_leave_a_leg_two_minutes_and_the_workflow_three() -> None:
    assert PLACE_LIMITS.schedule_to_start is not None
    assert PLACE_LIMITS.heartbeat is not None
    assert CALL_LIMIT + PLACE_LIMITS.heartbeat < timedelta(minutes=2)
    longest = (
        PLACE_LIMITS.schedule_to_start
        + PLACE_LIMITS.start_to_close
        + CLEAN_UP_LIMITS.schedule_to_close
        + CONCLUDE_LIMITS.schedule_to_close
    )
    assert longest < TIMEOUT == timedelta(minutes=3)
    assert TIMEOUT < workflow_module.TEST_CALL_EXPIRY


def scheduled(history: WorkflowHistory) -> list[Any]:
    """What was asked of each activity, in order."""
    return [
        event.activity_task_scheduled_event_attributes
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    ]
