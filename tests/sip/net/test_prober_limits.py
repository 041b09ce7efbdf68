"""What a prober may not do, how much it does at once, and what it leaves behind."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from lab import Lab
from sip.net.guard import AddressGuard
from sip.net.probe_report import ProbeOutcome, ProbeTarget
from sip.net.prober import Prober
from tests.sip.net.probing import (
    OUTCOMES,
    STATUSES,
    prober_of,
    target_of,
)
from tests.sip.net.stacks import listener
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


async def files_fall_to(count: int) -> None:
    """The lab, in this process too, closes its side of a connection a moment later."""
    for _ in range(100):
        if open_files() <= count:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{open_files()} files are open, there were {count}")


class TestLimits:
    @pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
    async def test_an_address_that_is_not_allowed_gets_nothing(
        self, lab: Lab, loopback: LoopbackBlock, transport: str
    ) -> None:
        address = loopback.address()
        with (
            listener(address) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as udp,
        ):
            udp.bind((address, 5060))
            async with prober_of(lab, AddressGuard()) as prober:
                report = await prober.probe(ProbeTarget(address, 5060, transport, address))
            await asyncio.sleep(0.05)
            with pytest.raises(BlockingIOError):
                udp.recv(1)
            with pytest.raises(BlockingIOError):
                tcp.accept()
        assert report.outcome is ProbeOutcome.NOT_ALLOWED
        assert report.detail is not None
        assert "loopback" in report.detail

    async def test_two_hundred_probes_run_side_by_side(self, lab: Lab, prober: Prober) -> None:
        loop = asyncio.get_running_loop()
        names = ["asterisk", "kamailio", "cisco", "silent", "slow"]
        started = loop.time()
        reports = await asyncio.gather(
            *(
                prober.probe(target_of(lab, names[number % 5], transport, 5060), seconds=8)
                for number in range(100)
                for transport in ("udp", "tcp")
            )
        )
        # The forty silent ones alone would take 320 s one after the other.
        assert loop.time() - started < 30
        outcomes = [report.outcome for report in reports]
        assert outcomes.count(ProbeOutcome.ANSWERED) == 160
        assert outcomes.count(ProbeOutcome.SILENT) == 20
        assert outcomes.count(ProbeOutcome.CONNECTED_SILENT) == 20

    async def test_probes_leave_neither_sockets_nor_tasks(self, lab: Lab) -> None:
        tasks, files = asyncio.all_tasks(), open_files()
        async with prober_of(lab) as prober:
            await asyncio.gather(
                *(
                    prober.probe(target_of(lab, *target), seconds=0.3)
                    for target in (*OUTCOMES, *STATUSES)
                )
            )
        await files_fall_to(files)
        assert asyncio.all_tasks() <= tasks

    async def test_closing_ends_running_probes_and_their_sockets(self, lab: Lab) -> None:
        files = open_files()
        async with prober_of(lab) as prober:
            probes = [
                asyncio.create_task(prober.probe(target_of(lab, *target)))
                for target in (("silent", "udp", 5060), ("silent", "tcp", 5060))
            ]
            await asyncio.sleep(0.2)
        reports = await asyncio.wait_for(asyncio.gather(*probes), 1)
        assert {report.outcome for report in reports} == {ProbeOutcome.CLOSED}
        await files_fall_to(files)

    async def test_a_cancelled_probe_leaves_nothing(self, lab: Lab, prober: Prober) -> None:
        await prober.probe(target_of(lab, "asterisk", "udp", 5060))
        files = open_files()
        targets = [
            ("silent", "udp", 5060),
            ("silent", "tcp", 5060),
            ("silent", "tls", 5061),
            ("filtered", "tcp", 5060),
        ]
        probes = [asyncio.create_task(prober.probe(target_of(lab, *each))) for each in targets]
        await asyncio.sleep(0.2)
        for probe in probes:
            probe.cancel()
        ended = await asyncio.gather(*probes, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in ended)
        await files_fall_to(files)
