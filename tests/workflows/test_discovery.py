"""What a discovery's workflow decides, with fakes in place of its activities."""

from __future__ import annotations

from datetime import timedelta

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory

from activities.contracts import SWEEP_LIMITS, SweepOutcome
from domain.discovery_state import DiscoveryStatus, FailureReason
from tests.workflows.fake_discovery import FakeDiscovery, start_discovery
from tests.workflows.harness import history_of, new_worker, time_skipping
from workflows.discovery import DISCOVERY_TIMEOUT
from workflows.names import DISCOVERY_QUEUE

SWEPT = SweepOutcome(addresses=1, attempts=9, answered=2)


async def test_a_sweep_that_ends_is_concluded() -> None:
    fake = FakeDiscovery(SWEPT)
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        outcome = await (await start_discovery(environment.client)).result()
    assert (outcome.status, outcome.answered) == (DiscoveryStatus.COMPLETED, 2)
    assert fake.reports == []


async def test_a_sweep_without_an_address_fails_with_its_reason() -> None:
    fake = FakeDiscovery(SWEPT.model_copy(update={"failure": FailureReason.DNS_FAILURE}))
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        outcome = await (await start_discovery(environment.client)).result()
    assert outcome.failure is FailureReason.DNS_FAILURE
    assert [report.reason for report in fake.reports] == [FailureReason.DNS_FAILURE]


async def test_a_sweep_that_cannot_finish_ends_as_interrupted_within_the_minute() -> None:
    fake = FakeDiscovery(None)
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        handle = await start_discovery(environment.client)
        outcome = await handle.result()
        history = await history_of(handle)
    assert outcome.failure is FailureReason.INTERRUPTED
    assert fake.sweeps == SWEEP_LIMITS.retry.maximum_attempts
    assert duration_of(history) < DISCOVERY_TIMEOUT


async def test_the_sweep_is_scheduled_with_its_limits() -> None:
    async with (
        time_skipping() as environment,
        new_worker(environment.client, FakeDiscovery(SWEPT).all()),
    ):
        handle = await start_discovery(environment.client)
        await handle.result()
        history = await history_of(handle)
    scheduled = next(
        event.activity_task_scheduled_event_attributes
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    )
    assert scheduled.task_queue.name == DISCOVERY_QUEUE
    assert scheduled.start_to_close_timeout.ToTimedelta() == SWEEP_LIMITS.start_to_close
    assert scheduled.schedule_to_close_timeout.ToTimedelta() == SWEEP_LIMITS.schedule_to_close
    assert scheduled.heartbeat_timeout.ToTimedelta() == SWEEP_LIMITS.heartbeat


def duration_of(history: WorkflowHistory) -> timedelta:
    """From the first event to the last."""
    first, last = history.events[0].event_time, history.events[-1].event_time
    return last.ToDatetime() - first.ToDatetime()
