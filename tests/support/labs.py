"""Labs for tests: a network inside this run's block of loopback, and fixtures to import."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from ipaddress import IPv4Network

import pytest

from lab import Lab
from tests.support.loopback import LoopbackBlock

__all__ = ["lab", "loop_errors", "new_lab_network"]

_THIRD_BYTES = itertools.count(255, -1)
"""From the top, where the block's single addresses do not get to."""


def new_lab_network(block: LoopbackBlock) -> IPv4Network:
    """A /24 that no other lab of this run has."""
    base = int(block.network.network_address) + (next(_THIRD_BYTES) << 8)
    return IPv4Network((base, 24))


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
