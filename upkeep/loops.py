"""Run a pass again and again until told to stop."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio.service import RPCError

from observability.logs import get_logger
from storage.errors import DatabaseUnavailable

__all__ = ["Pass", "run_passes"]

_log = get_logger("trunkline.upkeep")

SPREAD = 0.1
"""Passes start up to this share of their interval late, so that processes do not march in step."""

SERVICE_AWAY = (DatabaseUnavailable, RPCError, TimeoutError)
"""What a pass may meet while a server restarts: the next pass makes up for it."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One kind of upkeep: what to do, and how often; ``wake`` is set when there is something to do
    before its turn."""

    name: str
    every: timedelta
    run: Callable[[], Awaitable[None]]
    wake: asyncio.Event = field(default_factory=asyncio.Event)


async def run_passes(passes: tuple[Pass, ...]) -> None:
    """Run each pass at once and then at its interval, until cancelled.

    A pass that meets an absent server is logged and tried again at its next turn; any other error
    is a bug and ends the process' upkeep, and with it the process.
    """
    async with asyncio.TaskGroup() as tasks:
        for each in passes:
            tasks.create_task(_repeat(each), name=f"upkeep:{each.name}")


async def _repeat(each: Pass) -> None:
    while True:
        each.wake.clear()
        try:
            await each.run()
        except SERVICE_AWAY as error:
            _log.warning(
                "upkeep waits", upkeep=each.name, reason=str(error) or type(error).__name__
            )
        with suppress(TimeoutError):
            async with asyncio.timeout(
                each.every.total_seconds() * (1 + random.uniform(0, SPREAD))
            ):
                await each.wake.wait()
