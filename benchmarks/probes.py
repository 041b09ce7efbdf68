"""OPTIONS probes: how many a second, and what one costs this process.

The peer is a Kamailio in a process of its own (its stateless ``options_reply``), so that the CPU
that is counted is ours alone. Windows of the three rows are taken in turns, so that all of them meet
the same noise. 1,000 targets share the peer's address and differ in their domain.

- *bare datagrams*: asyncio on the same event loop, one request that was made beforehand, the answer
  not looked at. The floor for anything in Python.
- *stack*: transactions, timers and parser around requests that were made beforehand.
- *prober*: what a health check does, from the target to the report.
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path
from typing import cast

import uvloop

from benchmarks.report import print_machine, print_table, spread
from sip.message import Request
from sip.net.guard import AddressGuard
from sip.net.probe_report import ProbeIdentity, ProbeOutcome, ProbeTarget
from sip.net.probe_request import ProbeRequests
from sip.net.prober import Prober
from sip.net.stack import SipStack
from sip.transaction import Flow
from tests.support.kamailio import run_kamailio
from tests.support.loopback import claim_loopback_block

GUARD = AddressGuard(allowed=(IPv4Network("127.0.0.0/8"),))
IDENTITY = ProbeIdentity(user_agent="Trunkline/0.1 (+https://trunkline.example/probing)")
TARGETS = 1000
WINDOWS = 30
IN_WINDOW = 640
GOAL_MICROSECONDS = 120

Ask = Callable[[int], Awaitable[None]]
"""Asks the target of that number and returns with its answer."""


@dataclass(slots=True)
class Measured:
    """Windows of one row."""

    name: str
    ask: Ask
    prepare: Callable[[], None] = lambda: None
    """Makes what a window needs, before the clocks run."""
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    async def window(self, in_flight: int) -> None:
        """Ask ``IN_WINDOW`` times, so many at a time."""

        async def some(first: int) -> None:
            for number in range(first, IN_WINDOW, in_flight):
                await self.ask(number % TARGETS)

        self.prepare()
        cpu, wall = time.process_time(), time.perf_counter()
        await asyncio.gather(*(some(first) for first in range(in_flight)))
        self.cpu.append((time.process_time() - cpu) / IN_WINDOW * 1e6)
        self.wall.append((time.perf_counter() - wall) / IN_WINDOW)


class BareDatagrams(asyncio.DatagramProtocol):
    """Sends a datagram and waits for any."""

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports derive from none of asyncio's classes.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        assert self._answer is not None
        self._answer.set_result(data)

    async def ask(self, data: bytes, remote: tuple[str, int]) -> bytes:
        """One exchange."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.sendto(data, remote)
        return await self._answer


async def bare(remote: tuple[str, int], request: bytes, in_flight: int) -> Ask:
    """Exchanges over as many sockets as are in flight: nothing has to tell the answers apart."""
    loop = asyncio.get_running_loop()
    free = []
    for _ in range(in_flight):
        _, protocol = await loop.create_datagram_endpoint(
            BareDatagrams, local_addr=("127.0.0.1", 0)
        )
        free.append(protocol)

    async def ask(_: int) -> None:
        protocol = free.pop()
        await protocol.ask(request, remote)
        free.append(protocol)

    return ask


async def measure(address: str, in_flight: int) -> list[Measured]:
    """Rows for one number of probes in flight."""
    targets = [
        ProbeTarget(address, 5060, "udp", f"pbx-{number}.example.com") for number in range(TARGETS)
    ]
    async with (
        SipStack(guard=GUARD) as stack,
        Prober(guard=GUARD, identity=IDENTITY, token=_token) as prober,
    ):
        flow = stack.transport.udp_flow((address, 5060))
        requests = ProbeRequests(IDENTITY, _token)
        ready: list[Request] = []

        def make_requests() -> None:
            ready.extend(requests.options(targets[n % TARGETS], flow) for n in range(IN_WINDOW))

        async def through_stack(_: int) -> None:
            answer = await stack.request(ready.pop(), flow, seconds=4)
            assert answer.response.status == 200

        async def through_prober(number: int) -> None:
            report = await prober.probe(targets[number])
            assert report.outcome is ProbeOutcome.ANSWERED, report

        rows = [
            Measured(
                "bare datagrams", await bare((address, 5060), _payload(requests, flow), in_flight)
            ),
            Measured("stack", through_stack, make_requests),
            Measured("prober", through_prober),
        ]
        for row in rows:
            await row.window(in_flight)
            row.cpu.clear()
            row.wall.clear()
        for _ in range(WINDOWS):
            for row in rows:
                await row.window(in_flight)
    return rows


def _payload(requests: ProbeRequests, flow: Flow) -> bytes:
    target = ProbeTarget(flow.remote[0], 5060, "udp", "pbx-0.example.com")
    return requests.options(target, flow).serialize()


def _token() -> str:
    return secrets.token_hex(16)


async def run() -> None:
    """Measure and print."""
    with claim_loopback_block() as block, tempfile.TemporaryDirectory() as folder:
        async with run_kamailio(block.address(), Path(folder)) as kamailio:
            measured = {each: await measure(kamailio.address, each) for each in (1, 32)}
    table = []
    for in_flight, rows in measured.items():
        floor = spread(rows[0].cpu)[0]
        for row in rows:
            cpu, best = spread(row.cpu)
            rate = 1 / spread(row.wall)[0]
            table.append(
                [
                    f"{row.name}, {in_flight} in flight",
                    f"{rate:,.0f}",
                    f"{cpu:.0f} us",
                    f"{best:.0f} us",
                    f"{cpu / floor:.1f}",
                ]
            )
    print_table(
        f"OPTIONS over UDP (goal: {GOAL_MICROSECONDS} us CPU a probe)",
        ["what", "probes/s", "CPU, median", "CPU, best", "times bare"],
        table,
    )


def main() -> None:
    """Entry of the measurement."""
    uvloop.run(run())


if __name__ == "__main__":
    print_machine()
    main()
