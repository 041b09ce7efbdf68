"""Health checks over UDP of peers that are silent, refuse, or send what is no answer."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_network

import pytest

from sip.message import parse_message
from sip.net.guard import AddressGuard
from sip.net.health_prober import ProbeEnd
from tests.sip.net.health import checks, eventually, heard, hurry, job, reply_to, udp_peer
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")


class TestSilence:
    async def test_the_request_is_repeated_three_times_and_then_silence_is_told(
        self, loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hurry(monkeypatch, 0.8)
        address = loopback.address()
        loop = asyncio.get_running_loop()
        with udp_peer(address) as peer:
            async with checks() as told:
                started = loop.time()
                told.prober.probe(job(address))
                copies = [(await heard(peer), loop.time() - started) for _ in range(4)]
                await told.until(replies=1)
                waited = loop.time() - started
                assert told.prober.counters.retransmissions == 3
        assert len({copy for copy, _ in copies}) == 1
        # Sooner is what must not happen; a busy machine is allowed to be later.
        for (_, after), earliest in zip(copies, (0.0, 0.1, 0.3, 0.7), strict=True):
            assert after >= earliest
        assert waited >= 0.8
        (reply,) = told.replies
        assert (reply.kind, reply.status, reply.ms) == (ProbeEnd.TIMEOUT, None, None)
        assert (reply.reply, reply.detail) == (None, None)
        assert reply.request == copies[0][0][0]

    async def test_a_repetition_that_is_answered_is_a_reply(
        self, loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hurry(monkeypatch, 1.6)
        address = loopback.address()
        with udp_peer(address) as peer:
            async with checks() as told:
                told.prober.probe(job(address))
                for _ in range(3):
                    request, source = await heard(peer)
                peer.sendto(reply_to(request), source)
                await told.until(replies=1)
        assert [each.status for each in told.replies] == [200]

    async def test_a_late_reply_is_counted_and_not_told(
        self, loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hurry(monkeypatch, 0.2)
        address = loopback.address()
        with udp_peer(address) as peer:
            async with checks() as told:
                told.prober.probe(job(address))
                request, source = await heard(peer)
                await told.until(replies=1)
                peer.sendto(reply_to(request), source)
                await eventually(lambda: told.prober.counters.late == 1)
                assert told.prober.counters.stray == 0
        assert [each.kind for each in told.replies] == [ProbeEnd.TIMEOUT]


class TestRefusals:
    async def test_a_closed_port_is_told_at_once_for_everyone_asked_there(
        self, loopback: LoopbackBlock
    ) -> None:
        closed, silent = loopback.address(), loopback.address()
        with udp_peer(silent):
            async with checks() as told:
                told.prober.probe(job(silent, key="silent"))
                told.prober.probe(job(closed, key="one"))
                told.prober.probe(job(closed, key="other"))
                await told.until(replies=2)
        assert {each.key for each in told.replies} == {"one", "other"}
        assert {each.kind for each in told.replies} == {ProbeEnd.REFUSED}
        assert {each.detail for each in told.replies} == {"ECONNREFUSED"}

    async def test_an_address_without_a_way_there_is_unreachable(self) -> None:
        everyone = "255.255.255.255"
        async with checks(guard=AddressGuard((ip_network(everyone),))) as told:
            reply = await told.ask(job(everyone))
        assert (reply.kind, reply.detail) == (ProbeEnd.UNREACHABLE, "EACCES")

    async def test_ipv6_is_probed_and_refused_too(self) -> None:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as peer:
            peer.bind(("::1", 0))
            port = peer.getsockname()[1]
            async with checks() as told:
                # However the address is written.
                told.prober.probe(job("0:0:0:0:0:0:0:1", port=port))
                request, source = await heard(peer)
                peer.sendto(reply_to(request), source[:2])
                await told.until(replies=1)
                peer.close()
                refused = await told.ask(job("::1", port=port, key="again"))
        assert (told.replies[0].status, told.replies[0].source) == (200, None)
        assert parse_message(request).via.host == "::1"
        assert refused.kind == ProbeEnd.REFUSED


class TestNoise:
    async def test_what_cannot_be_read_is_the_evidence_of_silence(
        self, loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hurry(monkeypatch, 0.4)
        address = loopback.address()
        with udp_peer(address) as peer:
            async with checks() as told:
                told.prober.probe(job(address))
                request, source = await heard(peer)
                broken = reply_to(request, "200 OK", "Date: yesterday")
                peer.sendto(broken, source)
                peer.sendto(b"something else", source)
                await told.until(replies=1)
                assert told.prober.counters.unreadable == 1
        (reply,) = told.replies
        assert (reply.kind, reply.status, reply.reply) == (ProbeEnd.TIMEOUT, None, broken)
        assert (reply.detail or "").startswith("unreadable: Date: ")

    @pytest.mark.parametrize(
        ("noise", "detail"),
        [
            (b"\x80\x81", "unreadable: not SIP"),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", "unreadable: not SIP"),
            (b"SIP/2.0 200 OK\r\n\r\n", "unreadable: a response without a branch"),
            (b"\r\n\r\n", None),
            (b"\x00\x00\x00\x00", None),
            (b"NOTIFY sip:trunkline SIP/2.0\r\n\r\n", None),
        ],
    )
    async def test_noise_of_the_peer_explains_its_silence(
        self,
        loopback: LoopbackBlock,
        monkeypatch: pytest.MonkeyPatch,
        noise: bytes,
        detail: str | None,
    ) -> None:
        hurry(monkeypatch, 0.4)
        address = loopback.address()
        with udp_peer(address) as peer:
            async with checks() as told:
                told.prober.probe(job(address))
                _, source = await heard(peer)
                peer.sendto(noise, source)
                await told.until(replies=1)
        (reply,) = told.replies
        assert (reply.kind, reply.detail) == (ProbeEnd.TIMEOUT, detail)
        assert reply.reply == (None if detail is None else noise)

    async def test_a_peer_that_sends_everything_back_is_silent(
        self, loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hurry(monkeypatch, 0.4)
        address = loopback.address()
        with udp_peer(address) as peer:
            async with checks() as told:
                told.prober.probe(job(address))
                request, source = await heard(peer)
                peer.sendto(request, source)
                await told.until(replies=1)
        assert told.replies[0].detail == "unreadable: the request came back"

    async def test_a_flood_does_not_cost_others_their_answers(
        self, loopback: LoopbackBlock
    ) -> None:
        mean, good = loopback.address(), loopback.address()
        with udp_peer(mean) as flooder, udp_peer(good) as peer:
            async with checks() as told:
                told.prober.probe(job(mean, key="mean"))
                request, source = await heard(flooder)
                stray = reply_to(request).replace(b"branch=z9hG4bK", b"branch=z9hG4bKx")
                for number in range(20):
                    for _ in range(50):
                        flooder.sendto(stray, source)
                        flooder.sendto(b"\x80" * 1400, source)
                    told.prober.probe(job(good, key=str(number)))
                    asked, asker = await heard(peer)
                    peer.sendto(reply_to(asked), asker)
                    await told.until(replies=number + 1)
                assert told.prober.counters.stray > 0
        assert [each.key for each in told.replies] == [str(number) for number in range(20)]
