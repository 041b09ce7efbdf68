"""Waiting for a database that is away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from observability.logs import get_logger
from storage.errors import DatabaseUnavailable

__all__ = ["patiently"]

_log = get_logger("trunkline.hep")

FIRST_BACKOFF: Final = 0.1
LONGEST_BACKOFF: Final = 2.0

FoundT = TypeVar("FoundT")


async def patiently(action: Callable[[], Awaitable[FoundT]]) -> FoundT:
    """What the action returns, which is repeated for as long as it raises ``DatabaseUnavailable``."""
    backoff = FIRST_BACKOFF
    while True:
        try:
            return await action()
        except DatabaseUnavailable as error:
            if backoff == FIRST_BACKOFF:
                _log.warning("real traffic waits for the database", reason=str(error))
            await asyncio.sleep(backoff)
            backoff = min(2 * backoff, LONGEST_BACKOFF)
