"""Waiting for what another task or process does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

__all__ = ["eventually"]


async def eventually(condition: Callable[[], Awaitable[bool]], *, seconds: float = 10) -> None:
    """Return once ``condition`` holds. Raises ``TimeoutError``."""
    async with asyncio.timeout(seconds):
        for _ in iter(int, 1):
            if await condition():
                return
            await asyncio.sleep(0.01)
