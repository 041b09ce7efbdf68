"""A running lab, watched for errors that the event loop would only log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from lab import Lab
from tests.support.labs import new_lab_network
from tests.support.loopback import LoopbackBlock


@pytest.fixture(scope="session")
async def lab(
    loopback: LoopbackBlock, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Lab]:
    """Every peer of the catalogue."""
    async with Lab(new_lab_network(loopback), tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture
async def loop_errors() -> AsyncIterator[list[str]]:
    """What callbacks raised while the test ran; the test fails unless it is empty at the end."""
    loop = asyncio.get_running_loop()
    errors: list[str] = []
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _loop, context: errors.append(repr(context)))
    yield errors
    await asyncio.sleep(0)
    loop.set_exception_handler(before)
    assert errors == []
