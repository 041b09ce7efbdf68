"""When a pass runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from storage.errors import DatabaseUnavailable
from upkeep.loops import Pass, run_passes


@asynccontextmanager
async def running(each: Pass) -> AsyncIterator[None]:
    task = asyncio.create_task(run_passes((each,)))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_pass_that_is_woken_does_not_wait_for_its_turn() -> None:
    turns: asyncio.Queue[None] = asyncio.Queue()

    async def note() -> None:
        turns.put_nowait(None)

    each = Pass("noting", timedelta(hours=1), note)
    async with running(each), asyncio.timeout(10):
        await turns.get()
        for _ in range(3):
            each.wake.set()
            await turns.get()
        assert turns.empty()


async def test_what_wakes_a_pass_while_it_runs_lets_it_run_again() -> None:
    runs = 0

    async def wake_itself_once() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            each.wake.set()

    each = Pass("waking", timedelta(hours=1), wake_itself_once)
    async with running(each):
        for _ in range(20):
            await asyncio.sleep(0)
    assert runs == 2


async def test_a_pass_that_met_an_absent_server_runs_again_when_it_is_woken() -> None:
    runs: asyncio.Queue[None] = asyncio.Queue()

    async def meet_nobody() -> None:
        runs.put_nowait(None)
        raise DatabaseUnavailable("nobody is there")

    each = Pass("meeting", timedelta(hours=1), meet_nobody)
    async with running(each), asyncio.timeout(10):
        await runs.get()
        each.wake.set()
        await runs.get()
