"""The HEP receiver and exporter on uvloop, whose transports and polling differ from asyncio's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest
import uvloop

from sip.hep import encode_hep
from sip.net.hep_receiver import HepBind, HepLimits, HepReceiver
from sip.transports import Transport
from tests.sip.hep import USUAL
from tests.sip.net.hep import (
    ANONYMOUS,
    connected,
    exchange,
    exported,
    numbered,
    taken,
    tls_ends,
    until,
)
from tests.support.loopback import LoopbackBlock

Scenario = Callable[[str, Path], Coroutine[None, None, None]]


async def arriving(host: str, folder: Path) -> None:
    got = await exchange(host, folder)
    assert [each.packet for each in got] == [ANONYMOUS] * 3


async def waiting(host: str, folder: Path) -> None:
    packets = numbered(1000, payload=8000)
    ends = tls_ends(folder, host)
    limits = HepLimits(waiting_packets=3)
    binds = [HepBind(Transport.TCP, host, 0), HepBind(Transport.TLS, host, 0)]
    async with await HepReceiver.open(binds, tls=ends.server, limits=limits) as receiver:
        for bind, context in zip(receiver.listening, (None, ends.client), strict=True):
            async with connected(bind, context) as (_, writer):
                writer.write(b"".join(map(encode_hep, packets)))
                got = await taken(receiver, len(packets))
                assert [each.packet for each in got] == packets
        assert receiver.counters.connections_broken == 0


async def ending(host: str, folder: Path) -> None:
    limits = HepLimits(connections=1, first_packet_seconds=0.05)
    anywhere = HepBind(Transport.TCP, host, 0)
    async with await HepReceiver.open([anywhere], limits=limits) as strict:
        [bind] = strict.listening
        async with connected(bind), connected(bind):
            await until(lambda: strict.counters.connections_refused == 1)
            await until(lambda: strict.counters.connections_idle == 1)
    async with await HepReceiver.open([anywhere]) as receiver:
        [bind] = receiver.listening
        async with connected(bind) as (_, writer):
            writer.write(encode_hep(USUAL) + b"no HEP")
            assert len(await taken(receiver, 1)) == 1
            await until(lambda: receiver.counters.connections_broken == 1)
        async with connected(bind) as (_, writer):
            writer.write(encode_hep(USUAL))
            assert len(await taken(receiver, 1)) == 1


async def exporting(host: str, folder: Path) -> None:
    for transport in Transport:
        assert await exported(transport, host, folder) == numbered(50)


@pytest.mark.parametrize("scenario", [arriving, waiting, ending, exporting])
async def test_it_is_the_same(scenario: Scenario, loopback: LoopbackBlock, tmp_path: Path) -> None:
    async def run() -> list[str]:
        errors: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: errors.append(repr(context)))
        await scenario(loopback.address(), tmp_path)
        return errors

    assert await asyncio.to_thread(uvloop.run, run()) == []
