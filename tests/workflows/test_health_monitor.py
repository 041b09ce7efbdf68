"""How long a shard is watched, with a script in place of its activity."""

from __future__ import annotations

from datetime import timedelta

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory

from activities.contracts import (
    WATCH_GRACE,
    WATCH_HEARTBEAT,
    WATCH_RUN,
    WatchedShard,
    WatchEndReason,
    WatchProgress,
)
from tests.workflows.fake_health import FakeHealth, want
from tests.workflows.harness import history_of, new_worker, time_skipping
from workflows.health_monitor import HealthMonitorWorkflow
from workflows.names import HEALTH_QUEUE, health_monitor_workflow_id

TIME, SHARE, FENCED = WatchEndReason.TIME, WatchEndReason.SHARE, WatchEndReason.FENCED


async def test_a_shard_is_watched_until_it_is_empty() -> None:
    fake = FakeHealth(TIME, SHARE, WatchEndReason.DRAIN)
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        standing = await (await want(environment.client, 7)).result()
    assert fake.watched[0] == WatchedShard(shard=7, run_for=WATCH_RUN)
    assert (standing.shard, standing.runs, standing.wanted) == (7, 4, 1)
    assert standing.last_end is not None
    assert standing.last_end.reason is WatchEndReason.EMPTY


async def test_a_run_goes_on_where_the_one_before_stopped() -> None:
    fake = FakeHealth(TIME, SHARE)
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        await (await want(environment.client, 7)).result()
    assert [watched.progress for watched in fake.watched] == [
        None,
        WatchProgress(probed_until=1.0, in_flight=("tgt_1",)),
        WatchProgress(probed_until=2.0, in_flight=("tgt_2",)),
    ]


async def test_what_was_put_in_while_it_ran_empty_is_watched() -> None:
    async with time_skipping() as environment:
        client = environment.client
        fake = FakeHealth(during={1: lambda: want(client, 3)})
        async with new_worker(client, fake.all()):
            standing = await (await want(client, 3)).result()
    assert (standing.runs, standing.wanted) == (2, 2)


async def test_the_run_that_lost_the_shard_waits_before_it_takes_it_again() -> None:
    async with (
        time_skipping() as environment,
        new_worker(environment.client, FakeHealth(FENCED, FENCED).all()),
    ):
        handle = await want(environment.client, 1)
        await handle.result()
        history = await history_of(handle)
    assert lasted(history) >= timedelta(seconds=10)


async def test_a_run_is_scheduled_with_its_limits_and_retried_for_ever() -> None:
    async with (
        time_skipping() as environment,
        new_worker(environment.client, FakeHealth().all()),
    ):
        handle = await want(environment.client, 1)
        await handle.result()
        history = await history_of(handle)
    scheduled = next(
        event.activity_task_scheduled_event_attributes
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    )
    assert scheduled.task_queue.name == HEALTH_QUEUE
    assert scheduled.heartbeat_timeout.ToTimedelta() == WATCH_HEARTBEAT
    assert scheduled.start_to_close_timeout.ToTimedelta() == WATCH_RUN + WATCH_GRACE
    assert scheduled.retry_policy.maximum_attempts == 0
    assert scheduled.retry_policy.initial_interval.ToTimedelta() <= timedelta(seconds=1)
    assert scheduled.retry_policy.maximum_interval.ToTimedelta() <= timedelta(seconds=5)


async def test_a_run_costs_six_events() -> None:
    def fake(runs: int) -> FakeHealth:
        return FakeHealth(*[TIME] * (runs - 1))

    events = []
    for runs in (2, 12):
        async with time_skipping() as environment:
            async with new_worker(environment.client, fake(runs).all()):
                handle = await want(environment.client, 1)
                await handle.result()
            events.append(len((await history_of(handle)).events))
    assert events[1] - events[0] == 6 * 10


async def test_a_long_history_goes_on_as_a_new_one_with_everything_it_knows() -> None:
    # The server suggests it far sooner than after the months that its default would take.
    runs = 700
    async with time_skipping() as environment:
        client = environment.client
        async with new_worker(client, FakeHealth(*[TIME] * runs).all()):
            first = await want(client, 5)
            standing = await first.result()
            last = client.get_workflow_handle(health_monitor_workflow_id(5))
            assert (await last.query(HealthMonitorWorkflow.standing)) == standing
            described = await last.describe()
    assert described.run_id != first.first_execution_run_id
    assert (standing.runs, standing.wanted) == (runs + 1, 1)


def lasted(history: WorkflowHistory) -> timedelta:
    """From the first event to the last."""
    first, last = history.events[0].event_time, history.events[-1].event_time
    return last.ToDatetime() - first.ToDatetime()
