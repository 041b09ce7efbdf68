"""Health checks on uvloop, which the worker runs and which differs from asyncio's own loop."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Network
from pathlib import Path

import uvloop

from lab import Lab
from lab.certificates import lab_domain
from sip.net.health_prober import HealthReply, ProbeEnd, ProbeJob
from sip.transports import Transport
from tests.sip.net.health import StreamPeer, checks, job, reply_to, request_on
from tests.sip.net.stacks import listener
from tests.support.labs import new_lab_network
from tests.support.loopback import LoopbackBlock

ENDS = {
    ("refusing", "udp", 5060): ProbeEnd.REFUSED,
    ("refusing", "tcp", 5060): ProbeEnd.REFUSED,
    ("refusing", "tls", 5061): ProbeEnd.REFUSED,
    ("slow", "udp", 5060): ProbeEnd.REPLY,
    ("kamailio", "tcp", 5060): ProbeEnd.REPLY,
    ("kamailio", "tls", 5061): ProbeEnd.REPLY,
    ("wrong-name", "tls", 5061): ProbeEnd.TLS_FAILED,
    ("self-signed", "tls", 5061): ProbeEnd.TLS_FAILED,
    ("old-tls", "tls", 5061): ProbeEnd.TLS_FAILED,
    ("not-tls", "tls", 5061): ProbeEnd.TLS_FAILED,
    ("client-certificate", "tls", 5061): ProbeEnd.TLS_FAILED,
    ("garbage", "udp", 5060): ProbeEnd.TIMEOUT,
    ("garbage", "tcp", 5060): ProbeEnd.TIMEOUT,
    ("garbage", "tls", 5061): ProbeEnd.TIMEOUT,
    ("hanging-up", "tcp", 5060): ProbeEnd.CLOSED,
    ("filtered", "tcp", 5060): ProbeEnd.TIMEOUT,
    ("silent", "tls", 5061): ProbeEnd.TLS_FAILED,
    ("silent", "tcp", 5060): ProbeEnd.TIMEOUT,
}


async def probed(network: IPv4Network, folder: Path) -> tuple[list[HealthReply], list[str]]:
    """Probe everything at once, in the loop that this runs in, and note what the loop caught."""
    errors: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: errors.append(repr(context)))
    async with Lab(network, folder) as lab, checks(lab.ca_file) as told:
        for name, transport, port in ENDS:
            key = f"{name} {transport} {port}"
            told.prober.probe(job(lab.peers[name].address, transport, key=key, port=port))
        await told.until(replies=len(ENDS))
        replies = list(told.replies)
        asked = job(lab.peers["tls-only"].address, "tls", key="again")
        for _ in range(2):
            assert (await told.ask(asked)).status == 200
        impossible = ProbeJob("x", asked.address, 5061, Transport.TLS, "a" * 70 + ".example")
        assert (await told.ask(impossible)).kind == ProbeEnd.CONNECT_FAILED
        named = ProbeJob("n", asked.address, 5061, Transport.TLS, lab_domain("tls-only"))
        assert (await told.ask(named)).status == 200
    return replies, errors


async def test_probes_come_out_the_same(loopback: LoopbackBlock, tmp_path: Path) -> None:
    replies, errors = await asyncio.to_thread(
        uvloop.run, probed(new_lab_network(loopback), tmp_path)
    )
    assert {each.key: each.kind for each in replies} == {
        f"{name} {transport} {port}": end for (name, transport, port), end in ENDS.items()
    }
    assert errors == []


async def kept(address: str, silent: str) -> list[str]:
    """Keep a connection, lose it in each way, and close in the middle of everything."""
    errors: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: errors.append(repr(context)))
    with listener(silent) as listening:
        listening.listen(0)
        async with StreamPeer.at(address) as peer, checks() as told:
            for number in range(3):
                told.prober.probe(job(address, "tcp"))
                reader, writer = await peer.accept()
                writer.write(reply_to(await request_on(reader)))
                await told.until(replies=number + 1)
                if number:
                    writer.transport.abort()
                else:
                    writer.close()
                await told.until(closed=1)
            told.prober.probe(job(silent, "tcp", key="connecting"))
            told.prober.probe(job(address, "tcp", key="asked"))
            reader, _ = await peer.accept()
            await request_on(reader)
    assert [each.status for each in told.replies] == [200] * 3
    return errors


async def test_connections_are_kept_and_lost_the_same(loopback: LoopbackBlock) -> None:
    run = kept(loopback.address(), loopback.address())
    assert await asyncio.to_thread(uvloop.run, run) == []
