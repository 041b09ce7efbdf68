"""Health checks over UDP: one end for each probe, whatever the peer does."""

from __future__ import annotations

import asyncio
import time

import pytest

from lab import Lab
from sip.message import parse_message
from sip.net.guard import AddressGuard
from sip.net.health_prober import ProbeEnd, ProbeJob
from sip.net.probe_report import ProbeIdentity, ProbeTarget
from sip.net.probe_request import ProbeRequests
from sip.transaction import Flow
from sip.transports import Transport
from tests.sip.net.health import PATIENCE, checks, eventually, heard, hurry, job, reply_to, udp_peer
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")


class TestRequest:
    async def test_it_is_the_one_that_discovery_sends(self, loopback: LoopbackBlock) -> None:
        address = loopback.address()
        asked = ProbeJob("a", address, 5060, Transport.UDP, "pbx.example.com")
        with udp_peer(address) as peer:
            async with checks() as told:
                told.prober.probe(asked)
                request, source = await heard(peer)
        parsed = parse_message(request)
        token = parsed.call_id
        requests = ProbeRequests(
            ProbeIdentity(user_agent="Trunkline/test (+https://trunkline.test)"), lambda: token
        )
        flow = Flow("UDP", source, (address, 5060))
        target = ProbeTarget(address, 5060, "udp", "pbx.example.com")
        assert request == requests.options(target, flow).serialize()

    async def test_no_two_probes_share_a_token(self, loopback: LoopbackBlock) -> None:
        address = loopback.address()
        with udp_peer(address) as peer:
            async with checks() as told:
                for _ in range(3):
                    told.prober.probe(job(address))
                parsed = [parse_message((await heard(peer))[0]) for _ in range(3)]
        for values in ({each.via.branch for each in parsed}, {each.call_id for each in parsed}):
            assert len(values) == 3

    async def test_from_is_what_the_target_wants(self, loopback: LoopbackBlock) -> None:
        address = loopback.address()
        asked = ProbeJob("a", address, 5060, Transport.UDP, address, "sip:+12015550123@us.example")
        with udp_peer(address) as peer:
            async with checks() as told:
                told.prober.probe(asked)
                request, _ = await heard(peer)
        assert str(parse_message(request).from_.uri) == "sip:+12015550123@us.example"

    @pytest.mark.parametrize(
        ("domain", "from_uri"),
        [("two words", None), ("user@pbx.example", None), ("pbx.example", "tel:+12015550123")],
    )
    async def test_what_cannot_be_asked_is_told_and_not_raised(
        self, loopback: LoopbackBlock, domain: str, from_uri: str | None
    ) -> None:
        async with checks() as told:
            for transport in Transport:
                asked = ProbeJob("a", loopback.address(), 5060, transport, domain, from_uri)
                reply = await told.ask(asked)
                assert (reply.kind, reply.request) == (ProbeEnd.BLOCKED, b"")
                assert reply.detail

    async def test_an_address_that_is_not_permitted_gets_nothing(
        self, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        with udp_peer(address) as peer:
            async with checks(guard=AddressGuard()) as told:
                told.prober.probe(job(address))
                # Never told while the caller still asks.
                assert told.replies == []
                await told.until(replies=1)
                (reply,) = told.replies
                assert (reply.kind, reply.request) == (ProbeEnd.BLOCKED, b"")
                assert "loopback" in (reply.detail or "")
            with pytest.raises(BlockingIOError):
                peer.recv(10)


class TestReplies:
    async def test_a_reply_is_told_with_what_it_says(self, loopback: LoopbackBlock) -> None:
        address = loopback.address()
        before = time.time()
        with udp_peer(address) as peer:
            async with checks() as told:
                told.prober.probe(job(address))
                request, source = await heard(peer)
                response = reply_to(request, "503 Later", "Retry-After: 120")
                peer.sendto(response, source)
                await told.until(replies=1)
        (reply,) = told.replies
        assert reply[:1] + reply[2:4] == ("target", ProbeEnd.REPLY, 503)
        assert (reply.retry_after, reply.source, reply.detail) == (120, None, None)
        assert (reply.request, reply.reply) == (request, response)
        assert reply.ms is not None
        assert 0 < reply.ms < PATIENCE * 1000
        assert before <= reply.sent_at <= time.time()

    async def test_a_reply_that_is_written_unusually_is_read_in_full(
        self, loopback: LoopbackBlock
    ) -> None:
        address = loopback.address()
        with udp_peer(address) as peer:
            async with checks() as told:
                told.prober.probe(job(address))
                request, source = await heard(peer)
                # Folded, and in UTF-8: not what the quick reader knows.
                fields = ("Server: Gerät\r\n 7", "Retry-After:\r\n 30")
                peer.sendto(reply_to(request, "200 OK", *fields), source)
                await told.until(replies=1)
        assert told.replies[0][2:4] == (ProbeEnd.REPLY, 200)
        assert told.replies[0].retry_after == 30

    async def test_a_second_reply_is_counted_and_not_told(self, loopback: LoopbackBlock) -> None:
        address = loopback.address()
        with udp_peer(address) as peer:
            async with checks() as told:
                told.prober.probe(job(address))
                request, source = await heard(peer)
                for _ in range(3):
                    peer.sendto(reply_to(request), source)
                await eventually(lambda: told.prober.counters.stray == 2)
        assert [each.status for each in told.replies] == [200]

    async def test_a_provisional_response_is_waited_out(
        self, loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hurry(monkeypatch, 0.4)
        address = loopback.address()
        with udp_peer(address) as peer:
            async with checks() as told:
                told.prober.probe(job(address))
                request, source = await heard(peer)
                peer.sendto(reply_to(request, "100 Trying"), source)
                await told.until(replies=1)
        assert told.replies[0].kind == ProbeEnd.TIMEOUT
        assert told.replies[0].detail == "only a provisional 100"

    async def test_a_reply_from_elsewhere_counts_and_is_noted(
        self, loopback: LoopbackBlock
    ) -> None:
        address, elsewhere = loopback.address(), loopback.address()
        with udp_peer(address) as peer, udp_peer(elsewhere) as other:
            async with checks() as told:
                told.prober.probe(job(address))
                request, source = await heard(peer)
                other.sendto(reply_to(request), source)
                await told.until(replies=1)
        assert told.replies[0].status == 200
        assert told.replies[0].source == (elsewhere, 5060)

    async def test_who_does_not_know_the_branch_answers_nothing(
        self, loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hurry(monkeypatch, 0.4)
        address = loopback.address()
        with udp_peer(address) as peer:
            async with checks() as told:
                told.prober.probe(job(address))
                request, source = await heard(peer)
                token = parse_message(request).call_id.encode()
                peer.sendto(reply_to(request).replace(token, b"0" * 32), source)
                peer.sendto(reply_to(request).replace(b"1 OPTIONS", b"2 OPTIONS"), source)
                peer.sendto(reply_to(request).replace(b"1 OPTIONS", b"1 INVITE"), source)
                await told.until(replies=1)
                assert told.prober.counters.stray == 3
        assert told.replies[0].kind == ProbeEnd.TIMEOUT


class TestMany:
    async def test_a_target_that_changes_is_asked_where_it_is_now(
        self, loopback: LoopbackBlock
    ) -> None:
        first, second = loopback.address(), loopback.address()
        with udp_peer(first) as one, udp_peer(second) as other:
            async with checks() as told:
                told.prober.probe(job(first))
                await heard(one)
                told.prober.probe(job(second))
                await heard(other)
                told.prober.forget("target")
                told.prober.probe(job(second))
                await heard(other)
                assert told.prober.running == 3

    async def test_hundreds_at_once_end_once_each(self, lab: Lab) -> None:
        addresses = [lab.peers[name].address for name in ("asterisk", "freeswitch", "kamailio")]
        async with checks() as told:
            for number in range(300):
                told.prober.probe(job(addresses[number % 3], key=str(number)))
            await told.until(replies=300)
            assert told.prober.running == 0
        assert sorted(int(each.key) for each in told.replies) == list(range(300))
        assert {each.status for each in told.replies} == {200}

    async def test_nothing_is_told_after_the_end(self, loopback: LoopbackBlock) -> None:
        with udp_peer(address := loopback.address()) as peer:
            async with checks() as told:
                told.prober.probe(job(address))
                told.prober.probe(job("192.0.2.1", key="blocked"))
                await heard(peer)
                await told.until(replies=1)
                told.replies.clear()
                told.prober.probe(job("192.0.2.1", key="blocked"))
            await told.prober.close()
            told.prober.probe(job(address))
            await asyncio.sleep(0)
        assert told.replies == []
