"""A long activity that is cancelled or drained ends what it began."""

from __future__ import annotations

import asyncio

import pytest
from temporalio import activity
from temporalio.testing import ActivityEnvironment

from activities.endings import outlasting, set_on_shutdown


class Work:
    """Ends when it is told to, unless it is deaf; notes how it ended."""

    def __init__(self, *, deaf: bool = False) -> None:
        self.end = asyncio.Event()
        self.began = asyncio.Event()
        self.how: str | None = None
        self._deaf = deaf

    async def run(self) -> str:
        self.began.set()
        try:
            await (asyncio.Event() if self._deaf else self.end).wait()
        except asyncio.CancelledError:
            self.how = "cancelled"
            raise
        self.how = "ended"
        return self.how


async def test_the_result_comes_through() -> None:
    work = Work()
    work.end.set()
    assert await ActivityEnvironment().run(outlasting, work.run(), work.end) == "ended"


async def test_an_error_comes_through() -> None:
    async def fails() -> None:
        raise LookupError("no row")

    with pytest.raises(LookupError):
        await ActivityEnvironment().run(outlasting, fails(), asyncio.Event())


async def test_a_cancelled_activity_ends_its_work_and_says_that_it_was_cancelled() -> None:
    work, environment = Work(), ActivityEnvironment()
    running = asyncio.create_task(environment.run(outlasting, work.run(), work.end))
    await work.began.wait()
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert work.how == "ended"


async def test_a_second_cancellation_does_not_wait_for_the_work() -> None:
    work, environment = Work(deaf=True), ActivityEnvironment()
    running = asyncio.create_task(environment.run(outlasting, work.run(), work.end))
    await work.began.wait()
    environment.cancel()
    await asyncio.sleep(0)
    assert work.how is None
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert work.how == "cancelled"


async def test_the_end_of_the_grace_period_cancels_the_work_itself() -> None:
    work, environment = Work(deaf=True), ActivityEnvironment()
    running = asyncio.create_task(environment.run(outlasting, work.run(), work.end))
    await work.began.wait()
    environment.cancel(
        cancellation_details=activity.ActivityCancellationDetails(worker_shutdown=True)
    )
    with pytest.raises(asyncio.CancelledError):
        await running
    assert work.how == "cancelled"


async def test_a_worker_that_drains_is_heard_at_once() -> None:
    stop, environment = asyncio.Event(), ActivityEnvironment()

    async def drained() -> bool:
        async with set_on_shutdown(stop):
            environment.worker_shutdown()
            await asyncio.wait_for(stop.wait(), 1)
        return stop.is_set()

    assert await environment.run(drained)


async def test_a_worker_that_goes_on_is_not_taken_for_one_that_drains() -> None:
    stop = asyncio.Event()

    async def done() -> None:
        async with set_on_shutdown(stop):
            await asyncio.sleep(0)

    await ActivityEnvironment().run(done)
    assert not stop.is_set()
