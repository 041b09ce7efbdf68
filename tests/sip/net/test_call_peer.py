"""What the peer does within a call: hangs up, asks, moves its media, or talks nonsense."""

from __future__ import annotations

import asyncio

import pytest

from sip.dialog_state import EndedBy, PeerRequest
from sip.net.udp import UdpSocket
from tests.sip.net.calls import PLAN, Observer, call
from tests.sip.net.phones import Call, answering, phone_at, plain_answer
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")


async def test_the_peers_bye_ends_the_call(loopback: LoopbackBlock) -> None:
    async def impatient(call: Call) -> None:
        await answering(call)
        await call.acked.wait()
        await asyncio.sleep(0.3)
        await call.request("BYE", headers=(("Reason", 'Q.850;cause=16;text="Normal"'),))

    observer = Observer()
    async with phone_at(loopback.address(), impatient) as phone:
        facts = await call(PLAN, observer, host=phone.address, talk_seconds=15)
    assert phone.methods() == ["INVITE"]
    assert observer.answered("BYE") == [200]
    assert facts.stopped is None
    assert facts.invite is not None
    assert facts.invite.ended_by is EndedBy.PEER
    assert facts.invite.talk_ms == pytest.approx(300, abs=150)
    assert facts.invite.peer_requests == ("BYE",)
    assert facts.invite.ended_said is not None
    assert facts.invite.ended_said.reasons == ('Q.850;cause=16;text="Normal"',)
    assert facts.media is not None
    assert facts.media.packets_in > 5


async def test_options_and_update_within_the_call_are_answered(loopback: LoopbackBlock) -> None:
    statuses: list[int] = []

    async def asking(call: Call) -> None:
        await answering(call)
        await call.acked.wait()
        for method in ("OPTIONS", "UPDATE", "INFO"):
            statuses.append((await call.request(method)).response.status)

    async with phone_at(loopback.address(), asking) as phone:
        facts = await call(PLAN, host=phone.address)
    assert statuses == [200, 200, 405]
    assert facts.invite is not None
    assert facts.invite.peer_requests == ("OPTIONS", "UPDATE", "INFO")


async def test_a_re_invite_moves_the_media(loopback: LoopbackBlock) -> None:
    elsewhere: list[bytes] = []
    address = loopback.address()
    other = UdpSocket.bind(
        (address, 0), lambda _, data, __: elsewhere.append(data), lambda *_: None
    )
    answers: list[bytes] = []

    async def moving(call: Call) -> None:
        call.phone.echoes = False
        await answering(call)
        await call.acked.wait()
        await asyncio.sleep(0.2)
        answer = await call.request("INVITE", plain_answer(address, other.local[1]))
        answers.append(answer.response.body)
        call.phone.media.clear()

    async with phone_at(loopback.address(), moving) as phone:
        await call(PLAN, host=phone.address)
        stray = len(phone.media)
    other.close()
    assert len(elsewhere) > 10
    assert stray <= 2
    assert b"m=audio" in answers[0]


async def test_a_re_invite_on_hold_stops_our_packets(loopback: LoopbackBlock) -> None:
    async def holding(call: Call) -> None:
        call.phone.echoes = False
        await answering(call)
        await call.acked.wait()
        await asyncio.sleep(0.2)
        sdp = plain_answer(call.phone.address, call.phone.rtp_port, "a=sendonly")
        answer = await call.request("INVITE", sdp)
        assert b"a=recvonly" in answer.response.body
        await asyncio.sleep(0.05)
        call.phone.media.clear()

    async with phone_at(loopback.address(), holding) as phone:
        facts = await call(PLAN, host=phone.address)
    assert len(phone.media) <= 1
    assert facts.media is not None
    assert facts.media.packets_out < 20


async def test_an_offer_that_cannot_be_taken_is_refused_and_the_call_goes_on(
    loopback: LoopbackBlock,
) -> None:
    statuses: list[int] = []

    async def fussy(call: Call) -> None:
        await answering(call)
        await call.acked.wait()
        for sdp in (b"nonsense", plain_answer(call.phone.address, 4000, formats="18")):
            statuses.append((await call.request("INVITE", sdp)).response.status)

    observer = Observer()
    async with phone_at(loopback.address(), fussy) as phone:
        facts = await call(PLAN, observer, host=phone.address)
    assert statuses == [488, 488]
    assert facts.media is not None
    assert facts.media.packets_out > 20
    assert [event.status for event in observer.of(PeerRequest)] == [488, 488]


async def test_requests_of_strangers_are_answered_and_change_nothing(
    loopback: LoopbackBlock,
) -> None:
    statuses: list[int] = []

    async def confused(call: Call) -> None:
        await answering(call)
        await call.acked.wait()
        right = call.tag
        call.tag = "wrong"
        for method in ("BYE", "OPTIONS", "INVITE"):
            statuses.append((await call.request(method)).response.status)
        call.tag = right

    async with phone_at(loopback.address(), confused) as phone:
        facts = await call(PLAN, host=phone.address)
    assert statuses == [481, 481, 481]
    assert facts.invite is not None
    assert facts.invite.ended_by is EndedBy.US


async def test_nonsense_is_noted_and_refused_where_it_can_be(loopback: LoopbackBlock) -> None:
    async def babbling(call: Call) -> None:
        await answering(call)
        await call.acked.wait()
        for data in (
            b"\r\n\r\n",
            b"hello",
            b"SIP/2.0 200 OK\r\nVia: nonsense\r\n\r\n",
            b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nCSeq: x\r\n\r\n",
        ):
            call.phone.stack.transport.send(data, call.flow)

    observer = Observer()
    async with phone_at(loopback.address(), babbling) as phone:
        facts = await call(PLAN, observer, host=phone.address)
    assert facts.invite is not None
    assert facts.invite.bye_status == 200
    assert len([note for note in facts.notes if "malformed" in note]) >= 2
    assert any(b"SIP/2.0 400" in record.data for record in observer.records)


async def test_a_flood_does_not_keep_a_call_from_its_end(loopback: LoopbackBlock) -> None:
    loop = asyncio.get_running_loop()

    async def flooding(call: Call) -> None:
        await answering(call)
        await call.acked.wait()
        answer = call.respond(200, call.phone.sdp)
        data = answer.serialize()
        while not call.ended.is_set():
            for _ in range(200):
                call.phone.stack.transport.send(data, call.flow)
            await asyncio.sleep(0.01)

    async with phone_at(loopback.address(), flooding) as phone:
        started = loop.time()
        facts = await call(PLAN, host=phone.address, limit_seconds=15)
        assert loop.time() - started < 10
    assert facts.invite is not None
    assert facts.invite.ended_by is EndedBy.US
