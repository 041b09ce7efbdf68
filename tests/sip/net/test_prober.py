"""Probing the lab: each failure is found out as what it is."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from lab import Lab
from sip.net.probe_report import ProbeOutcome, ProbeTarget
from sip.net.prober import Prober
from tests.sip.net.probing import (
    ENDLESS,
    OUTCOMES,
    PATIENCE,
    STATUSES,
    Target,
    target_of,
)
from tests.sip.net.stacks import listener
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")


def name_of(target: Target) -> str:
    return "-".join(str(part) for part in target)


class TestOutcomes:
    def test_every_peer_of_the_lab_is_probed_here(self, lab: Lab) -> None:
        assert {name for name, _, _ in (*OUTCOMES, *STATUSES)} == set(lab.peers)

    @pytest.mark.parametrize("target", OUTCOMES, ids=name_of)
    async def test_a_failure_is_told_from_the_others(
        self, lab: Lab, prober: Prober, target: Target
    ) -> None:
        seconds = PATIENCE if target in ENDLESS else 4
        report = await prober.probe(target_of(lab, *target), seconds=seconds)
        assert report.outcome is OUTCOMES[target]
        assert (report.response, report.response_time_ms) == (None, None)

    @pytest.mark.parametrize("target", STATUSES, ids=name_of)
    async def test_an_answer_is_an_answer_whatever_its_status(
        self, lab: Lab, prober: Prober, target: Target
    ) -> None:
        report = await prober.probe(target_of(lab, *target))
        assert report.outcome is ProbeOutcome.ANSWERED
        assert report.response is not None
        assert report.response.status == STATUSES[target]
        assert report.response_time_ms is not None
        assert 0 < report.response_time_ms < 4000
        assert (report.connect_ms is None) == (target[1] == "udp")

    async def test_connecting_is_not_part_of_the_response_time(
        self, lab: Lab, prober: Prober
    ) -> None:
        report = await prober.probe(target_of(lab, "slow", "tcp", 5060))
        assert report.response_time_ms is not None
        assert report.connect_ms is not None
        assert report.response_time_ms > 1400 > report.connect_ms

    async def test_a_reset_is_told_from_a_close(
        self, lab: Lab, prober: Prober, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        loop = asyncio.get_running_loop()
        with listener(address) as listening:
            probe = asyncio.create_task(
                prober.probe(ProbeTarget(address, 5060, "tcp", address), seconds=2)
            )
            accepted, _ = await loop.sock_accept(listening)
            await loop.sock_recv(accepted, 10)
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            accepted.close()
            assert (await probe).outcome is ProbeOutcome.RESET

    async def test_half_an_answer_is_no_sip(
        self, lab: Lab, prober: Prober, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        loop = asyncio.get_running_loop()
        with listener(address) as listening:
            probe = asyncio.create_task(
                prober.probe(ProbeTarget(address, 5060, "tcp", address), seconds=2)
            )
            accepted, _ = await loop.sock_accept(listening)
            await loop.sock_recv(accepted, 4096)
            await loop.sock_sendall(accepted, b"SIP/2.0 200 OK\r\nVia: ")
            accepted.close()
            assert (await probe).outcome is ProbeOutcome.NOT_SIP

    async def test_garbage_of_one_probe_is_not_held_against_the_next(
        self, lab: Lab, prober: Prober, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        loop = asyncio.get_running_loop()
        target = ProbeTarget(address, 5060, "udp", address)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as peer:
            peer.bind((address, 5060))
            probe = asyncio.create_task(prober.probe(target, seconds=0.3))
            _, source = await loop.sock_recvfrom(peer, 4096)
            await loop.sock_sendto(peer, b"\x80noise", source)
            assert (await probe).outcome is ProbeOutcome.NOT_SIP
            assert (await prober.probe(target, seconds=0.3)).outcome is ProbeOutcome.SILENT


class TestUdp:
    async def test_a_refusal_is_seen_at_once(self, lab: Lab, prober: Prober) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        report = await prober.probe(target_of(lab, "refusing", "udp", 5060), seconds=4)
        assert report.outcome is ProbeOutcome.REFUSED
        assert loop.time() - started < 1

    async def test_one_refusal_does_not_disturb_others_on_the_same_socket(
        self, lab: Lab, prober: Prober
    ) -> None:
        names = ["refusing", "slow", "refusing", "asterisk", "refusing"]
        reports = await asyncio.gather(
            *(prober.probe(target_of(lab, name, "udp", 5060)) for name in names)
        )
        refused, answered = ProbeOutcome.REFUSED, ProbeOutcome.ANSWERED
        assert [report.outcome for report in reports] == [
            refused,
            answered,
            refused,
            answered,
            refused,
        ]
        assert len({report.local_address for report in reports if report.local_address}) == 1

    async def test_a_reply_from_another_address_is_noted(self, lab: Lab, prober: Prober) -> None:
        address = lab.peers["other-address"].address
        report = await prober.probe(target_of(lab, "other-address", "udp", 5060))
        base, _, last = address.rpartition(".")
        assert report.source == (f"{base}.{int(last) + 1}", 5060)
        direct = await prober.probe(target_of(lab, "asterisk", "udp", 5060))
        assert direct.source is None
