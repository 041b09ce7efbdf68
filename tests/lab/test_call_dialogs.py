"""Dialogs that fork, cross, are repeated or refreshed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lab import Lab, LabPeer
from lab.call_premises import CallEnd
from lab.catalogue import CATALOGUE
from lab.certificates import Authority
from sip.dialog_state import (
    Answered,
    Ended,
    EndedBy,
    Failed,
    FailureCause,
    OtherForkEnded,
    PeerRequest,
    Progress,
    Ringing,
)
from sip.media_verdict import Heard
from sip.message import Response
from sip.sdp import parse_sdp
from sip.timers import Timers
from tests.lab.calling import caller, last_record
from tests.lab.client import ask_udp, collect_udp, send_udp
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")

QUICK = Timers(t1=0.02, t2=0.08, t4=0.1)
"""With these a peer gives up after 1.28 seconds."""

CONTACT = ("Contact: <sip:alice@127.0.0.1>",)

Hurried = Callable[..., AbstractAsyncContextManager[LabPeer]]


@pytest.fixture
def hurried(loopback: LoopbackBlock, tmp_path: Path) -> Hurried:
    """A peer of the catalogue on an address of its own, with quick timers and changed manners."""

    @asynccontextmanager
    async def run(name: str, **changes: Any) -> AsyncIterator[LabPeer]:
        entry = next(entry for entry in CATALOGUE if entry.name == name)
        behaviour = replace(entry.behaviour, calls=replace(entry.behaviour.calls, **changes))
        peer = LabPeer(name, loopback.address(), behaviour, Authority.open(tmp_path), timers=QUICK)
        await peer.start()
        try:
            yield peer
        finally:
            await peer.close()

    return run


class TestForks:
    async def test_two_telephones_ring_and_both_are_answered(self, lab: Lab) -> None:
        peer = lab.peers["fork"]
        async with caller() as calling:
            await calling.call(peer)
            other = await calling.sees(OtherForkEnded)
            answered = await calling.sees(Answered)
            rings = await calling.sees_all(Ringing, 2)
            verdict = await calling.talk(0.4)
        tags = {ringing.remote_tag for ringing in rings}
        assert {other.remote_tag, answered.dialog.remote_tag} == tags
        assert len(tags) == 2
        assert verdict.heard is Heard.AUDIO
        assert (await last_record(peer)).answered
        assert [record.end for record in peer.call_records][-2:] == [CallEnd.CALLER] * 2

    async def test_both_end_by_a_cancel_before(self, lab: Lab) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["fork"])
            await calling.sees(Ringing)
            calling.hang_up()
            failed = await calling.sees(Failed)
        assert failed.status == 487
        assert (await last_record(lab.peers["fork"])).end is CallEnd.CANCELLED


class TestLateAnswer:
    async def test_a_cancel_that_comes_too_late_is_answered_and_so_is_the_call(
        self, lab: Lab
    ) -> None:
        peer = lab.peers["late-200"]
        async with caller() as calling:
            await calling.call(peer)
            await calling.sees(Ringing)
            calling.hang_up()
            failed = await calling.sees(Failed)
            # 200 to CANCEL, to INVITE, to BYE
            await calling.receives(180, 200, 200, 200)
        assert (failed.cause, failed.status) == (FailureCause.CANCELLED, 200)
        record = await last_record(peer)
        assert (record.end, record.answered) == (CallEnd.CALLER, True)


class TestAcknowledgement:
    async def test_a_200_is_repeated_until_the_peer_gives_up_on_the_ack(
        self, hurried: Hurried
    ) -> None:
        async with hurried("never-sees-ack") as peer, caller() as calling:
            await calling.call(peer)
            answered = await calling.sees(Answered)
            ended = await calling.sees(Ended)
            repeated = [m for m in calling.received if isinstance(m, Response) and m.status == 200]
            assert (await last_record(peer)).end is CallEnd.NO_ACK
        assert ended.by is EndedBy.PEER
        assert 1.0 < ended.at - answered.at < 2.5
        # T1 doubles up to T2: 20, 40, 80, 80 ... milliseconds.
        assert 14 <= len(repeated) <= 19

    async def test_an_ack_ends_the_repetition(self, hurried: Hurried) -> None:
        async with hurried("asterisk") as peer, caller() as calling:
            await calling.call(peer)
            await calling.sees(Answered)
            await asyncio.sleep(0.2)
            heard = list(calling.heard)
            # Five more would come in this time.
            await asyncio.sleep(0.5)
            assert calling.heard == heard

    async def test_a_183_is_repeated_until_its_prack_and_then_given_up(
        self, hurried: Hurried
    ) -> None:
        async with hurried("early-media") as peer, caller() as calling:
            # Nothing beside this caller's own socket hears the 183, so nobody sends a PRACK.
            calling.deaf = True
            await calling.call(peer)
            await calling.receives(183, 183, 183, 504, seconds=8)
            numbers = {
                m.headers.get("RSeq")
                for m in calling.received
                if isinstance(m, Response) and m.status == 183
            }
            assert (await last_record(peer)).end is CallEnd.NO_PRACK
        assert len(numbers) == 1

    async def test_a_prack_of_another_number_is_481(self, hurried: Hurried) -> None:
        async with hurried("early-media") as peer, caller() as calling:
            calling.deaf = True
            await calling.call(peer)
            await calling.receives(183)
            tag = calling.received[-1].to.tag or ""
            prack = calling.in_dialog("PRACK", tag, "RAck: 1 1 INVITE")
            assert (await ask_udp(peer.address, prack)).status == 481
            assert 200 not in calling.heard

    async def test_a_cancel_stops_what_waits_for_a_prack(self, hurried: Hurried) -> None:
        async with hurried("early-media") as peer, caller() as calling:
            await calling.call(peer)
            await calling.sees(Progress)
            calling.hang_up()
            await calling.is_over()
            await calling.receives(487)


class TestRefreshes:
    async def test_a_session_is_refreshed_by_update_and_by_invite(self, lab: Lab) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["session-timers"])
            answered = await calling.sees(Answered)
            requests = await calling.sees_all(PeerRequest, 2)
            verdict = await calling.talk(0.3)
            answer = next(m for m in calling.received if m.cseq.method == "INVITE" and m.body)
        assert [(r.method, r.status) for r in requests] == [("UPDATE", 200), ("INVITE", 200)]
        assert answer.headers.get("Session-Expires") == "90;refresher=uas"
        assert answer.tokens("Require") == ()
        assert answered.sdp is not None
        assert verdict.heard is Heard.AUDIO

    async def test_a_caller_that_knows_timers_is_required_to_use_them(self, lab: Lab) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["session-timers"], supported=("timer",))
            await calling.talk(0.1)
            answer = next(m for m in calling.received if m.cseq.method == "INVITE" and m.body)
        assert answer.tokens("Require") == ("timer",)

    async def test_reinvites_bring_offers_whose_answers_are_acknowledged(
        self, hurried: Hurried
    ) -> None:
        async with hurried("reinvites") as peer, caller() as calling:
            await calling.call(peer)
            await calling.sees_all(PeerRequest, 2)
            verdict = await calling.talk(0.4)
            assert calling.heard.count("ACK") == 2
            record = await last_record(peer)
        assert record.end is CallEnd.CALLER
        assert (verdict.ssrc_changes, verdict.heard) == (0, Heard.AUDIO)


async def test_a_peer_hangs_up_so_long_after_the_ack(hurried: Hurried) -> None:
    after = timedelta(seconds=0.4)
    async with hurried("hangs-up-after-5s", hangs_up_after=after) as peer, caller() as calling:
        await calling.call(peer)
        answered = await calling.sees(Answered)
        ended = await calling.sees(Ended)
        assert (await last_record(peer)).end is CallEnd.PEER
    assert ended.by is EndedBy.PEER
    assert 0.4 <= ended.at - answered.at < 1.4


class TestTheCallersRefreshes:
    async def test_a_new_offer_is_answered_and_its_200_repeated_until_the_ack(
        self, hurried: Hurried
    ) -> None:
        async with hurried("asterisk") as peer, caller() as calling:
            await calling.call(peer)
            answered = await calling.sees(Answered)
            tag = answered.dialog.remote_tag
            await calling.receives(200)
            await asyncio.sleep(0.05)
            offer = calling.in_dialog("INVITE", tag, *CONTACT, cseq=7, body=calling.media.offer)
            answers = await collect_udp(peer.address, offer, seconds=0.3)
            assert [answer.status for answer in answers][:2] == [200, 200]
            assert parse_sdp(answers[0].body).media[0].port
            glare = calling.in_dialog("INVITE", tag, *CONTACT, cseq=8, body=calling.media.offer)
            assert (await ask_udp(peer.address, glare)).status == 491
            await send_udp(peer.address, calling.in_dialog("ACK", tag, cseq=7))
            await asyncio.sleep(0.05)
            empty = calling.in_dialog("UPDATE", tag, *CONTACT, cseq=9)
            refreshed = await ask_udp(peer.address, empty)
            assert (refreshed.status, refreshed.body) == (200, b"")
            odd = calling.in_dialog("UPDATE", tag, *CONTACT, cseq=10, body=b"no sdp")
            assert (await ask_udp(peer.address, odd)).status == 488
            bye = calling.in_dialog("BYE", tag, cseq=11)
            assert (await ask_udp(peer.address, bye)).status == 200
            assert (await last_record(peer)).end is CallEnd.CALLER
