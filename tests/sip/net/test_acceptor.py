"""Connections that are accepted while nobody wants any more."""

from __future__ import annotations

import asyncio
import gc
import socket

import pytest

from sip.net.acceptor import StreamAcceptor
from tests.support.loopback import LoopbackBlock


@pytest.mark.parametrize("steps", range(4))
async def test_whenever_it_is_closed_no_connection_stays_open(
    loopback: LoopbackBlock, steps: int
) -> None:
    acceptor = StreamAcceptor.listen((loopback.address(), 0), asyncio.Protocol)
    await asyncio.sleep(0)
    with socket.create_connection(acceptor.local) as client:
        client.setblocking(False)
        # Each step of the loop is another moment of the connection's beginning.
        for _ in range(steps):
            await asyncio.sleep(0)
        await acceptor.close()
        await acceptor.close()
        # What is forgotten open is a warning here, and so an error.
        gc.collect()
    await asyncio.sleep(0)
