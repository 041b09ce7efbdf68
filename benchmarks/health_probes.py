"""The prober of the health monitor alone: CPU of a probe at the pace of 100,000 targets a minute.

Peers on 10,000 loopback addresses answer in a process of their own. Windows of the two rows are
taken in turns.

- *bare datagrams*: one socket on the same event loop, a request that was made beforehand, replies
  read and dropped. The floor for anything in Python.
- *health prober*: what the monitor does between "this target is due" and "this is what it said".
- *kamailio*: its dispatcher module probing the same peers at the same rate (C, two children and a
  timer), afterwards.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from itertools import cycle
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.health_ground import run_kamailio, run_peers
from benchmarks.health_responder import UDP_PORT
from benchmarks.report import print_machine, print_table, spread
from sip.net.guard import AddressGuard
from sip.net.health_prober import HealthProber, HealthReply, ProbeEnd, ProbeJob
from sip.net.probe_report import ProbeIdentity
from sip.transports import Transport

PEERS: Final = 10_000
RATE: Final = 1_667
TICK: Final = 0.05
WINDOW: Final = 3.0
WINDOWS: Final = 8
KAMAILIO_SECONDS: Final = 15.0

GUARD = AddressGuard(allowed=(IPv4Network("127.0.0.0/8"),))
IDENTITY = ProbeIdentity(user_agent="Trunkline/0.1 (+https://trunkline.example/probing)")


@dataclass(slots=True)
class Measured:
    """One way to ask: ``ask`` asks the next peer, ``answered`` counts the replies so far."""

    name: str
    ask: Callable[[], None]
    answered: Callable[[], int]
    cpu: list[float] = field(default_factory=list)

    async def window(self) -> None:
        """Ask at the rate for the length of a window."""
        loop = asyncio.get_running_loop()
        begun, used, before = loop.time(), time.process_time(), self.answered()
        for tick in range(int(WINDOW / TICK)):
            for _ in range(round(RATE * TICK)):
                self.ask()
            await asyncio.sleep(max(0.0, begun + (tick + 1) * TICK - loop.time()))
        await asyncio.sleep(TICK)
        answered = self.answered() - before
        self.cpu.append((time.process_time() - used) / max(answered, 1) * 1e6)


class Bare:
    """A socket that sends one request again and again."""

    def __init__(self, request: bytes, addresses: list[str]) -> None:
        self._request = request
        self._remotes = cycle([(address, UDP_PORT) for address in addresses])
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(("127.0.0.1", 0))
        asyncio.get_running_loop().add_reader(self._socket, self._read)
        self.answers = 0

    def ask(self) -> None:
        self._socket.sendto(self._request, next(self._remotes))

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _read(self) -> None:
        try:
            while True:
                self._socket.recvfrom(65535)
                self.answers += 1
        except BlockingIOError:
            return


async def measure(addresses: list[str]) -> list[Measured]:
    """Windows of both rows."""
    replies: list[HealthReply] = []
    jobs = cycle(
        [
            ProbeJob(f"tgt_{number}", address, UDP_PORT, Transport.UDP, f"pbx-{number}.example.com")
            for number, address in enumerate(addresses)
        ]
    )
    count = 0

    def told(reply: HealthReply) -> None:
        nonlocal count
        assert reply.kind is ProbeEnd.REPLY, reply
        replies[:] = [reply]
        count += 1

    async with HealthProber(
        guard=GUARD,
        identity=IDENTITY,
        on_reply=told,
        on_closed=lambda _: None,
        token=lambda: secrets.token_hex(16),
    ) as prober:
        # Each peer once: routes and requests are found out at the first probe.
        for _ in range(len(addresses) // 100):
            for _ in range(100):
                prober.probe(next(jobs))
            await asyncio.sleep(TICK)
        bare = Bare(replies[0].request, addresses)
        rows = [
            Measured("bare datagrams", bare.ask, lambda: bare.answers),
            Measured("health prober", lambda: prober.probe(next(jobs)), lambda: count),
        ]
        for _ in range(WINDOWS):
            for row in rows:
                await row.window()
        bare.close()
    return rows


def main() -> None:
    """Measure and print."""
    with (
        tempfile.TemporaryDirectory() as name,
        run_peers("udp", PEERS, Path(name)) as peers,
    ):
        rows = uvloop.run(measure(peers.addresses))
        kamailio = run_kamailio(peers.addresses, Path(name), seconds=KAMAILIO_SECONDS)
        arrivals = [at for _, at in peers.stop()]
    table = [[row.name, *(f"{value:.0f} us" for value in spread(row.cpu))] for row in rows]
    if kamailio is not None:
        table.append(["kamailio", f"{kamailio.microseconds(arrivals):.0f} us", ""])
    print_table(
        f"CPU of one health check over UDP, {RATE:,} a second",
        ["what", "CPU, median", "CPU, best"],
        table,
    )


if __name__ == "__main__":
    print_machine()
    main()
