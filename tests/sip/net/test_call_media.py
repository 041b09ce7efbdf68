"""The media of a test call on real sockets."""

from __future__ import annotations

import asyncio
import os
import signal
import socket

import pytest

from sip.call_facts import StopCause
from sip.media_verdict import Heard, MediaFlow, SrtpOutcome
from sip.negotiation import ProblemKind
from sip.net.media_commands import MediaLost
from sip.rtp import is_rtcp, parse_rtp
from sip.sdp import parse_sdp
from tests.sip.net.calls import MEDIA, PLAN, call
from tests.sip.net.phones import Call, answering, phone_at, plain_answer, secure_answer
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")


async def test_packets_leave_every_20_ms_and_stop_with_the_call(loopback: LoopbackBlock) -> None:
    async with phone_at(loopback.address(), answering) as phone:
        await call(PLAN, host=phone.address, talk_seconds=1.0)
        count = len(phone.media)
        await asyncio.sleep(0.2)
        assert len(phone.media) == count
    packets = [parse_rtp(data) for data in phone.media if not is_rtcp(data)]
    assert 48 <= len(packets) <= 53
    numbers = [packet.sequence_number for packet in packets]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_rtp_and_rtcp_take_an_even_port_and_the_next(loopback: LoopbackBlock) -> None:
    rtcp_ports: list[int] = []
    async with phone_at(loopback.address(), answering) as phone:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            control.setblocking(False)
            control.bind((phone.address, phone.rtp_port + 1))
            await call(PLAN, host=phone.address)
            try:
                rtcp_ports.append(control.recvfrom(2048)[1][1])
            except BlockingIOError:
                pytest.fail("no RTCP came")
    media = parse_sdp(phone.requests[0].body).media[0]
    assert media.port % 2 == 0
    assert phone.media_from is not None
    assert phone.media_from[1] == media.port
    assert rtcp_ports == [media.port + 1]


async def test_rtcp_shares_the_port_when_the_peer_asks_for_another_one(
    loopback: LoopbackBlock,
) -> None:
    async def with_rtcp(call: Call) -> None:
        call.respond(200, call.phone.sdp + b"a=rtcp:" + str(call.phone.rtp_port).encode() + b"\r\n")

    async with phone_at(loopback.address(), with_rtcp) as phone:
        phone.echoes = False
        await call(PLAN, host=phone.address)
    assert sum(data[1] in (200, 201) for data in phone.media) == 1


async def test_media_with_srtp_authenticates_both_ways(loopback: LoopbackBlock) -> None:
    async def secure(call: Call) -> None:
        call.respond(200, secure_answer(call))

    async with phone_at(loopback.address(), secure) as phone:
        facts = await call(PLAN, host=phone.address, secure_media=True, allow_sha1_32=True)
    offer = parse_sdp(phone.requests[0].body).media[0]
    assert offer.protocol == "RTP/SAVP"
    assert len(offer.crypto) == 2
    assert facts.invite is not None
    assert facts.invite.agreed is not None
    assert facts.invite.agreed.suite == "AES_CM_128_HMAC_SHA1_80"
    assert facts.media is not None
    assert facts.media.srtp is SrtpOutcome.AUTHENTICATED
    assert facts.media.heard is Heard.OUR_TONE
    assert facts.media.srtp_failed == 0


async def test_another_key_than_the_answers_is_found_out(loopback: LoopbackBlock) -> None:
    async def lying(call: Call) -> None:
        call.respond(200, secure_answer(call, wrong_key=True))

    async with phone_at(loopback.address(), lying) as phone:
        facts = await call(PLAN, host=phone.address, secure_media=True)
    assert facts.media is not None
    assert facts.media.srtp is SrtpOutcome.FAILED
    assert facts.media.srtp_failed > 20
    assert facts.media.packets_in == 0


async def test_a_plain_answer_to_a_secure_offer_is_ended_at_once(loopback: LoopbackBlock) -> None:
    async with phone_at(loopback.address(), answering) as phone:
        facts = await call(PLAN, host=phone.address, secure_media=True)
    assert facts.stopped is StopCause.MEDIA_REFUSED
    assert facts.invite is not None
    assert facts.invite.agreed is not None
    assert facts.invite.agreed.fatal
    assert ProblemKind.SRTP_REFUSED in facts.invite.agreed.problem_kinds
    assert facts.media is None
    assert phone.media == []
    assert phone.methods() == ["INVITE", "BYE"]


async def test_silence_from_the_peer_is_one_way(loopback: LoopbackBlock) -> None:
    async with phone_at(loopback.address(), answering) as phone:
        phone.echoes = False
        facts = await call(PLAN, host=phone.address)
    assert facts.media is not None
    assert facts.media.flow is MediaFlow.OUT_ONLY
    assert facts.media.one_way


async def test_a_call_that_lost_its_media_is_ended_and_says_nothing_of_the_peer(
    loopback: LoopbackBlock,
) -> None:
    async def outlives_the_media(call: Call) -> None:
        await answering(call)
        await call.acked.wait()
        assert MEDIA.pid is not None
        os.kill(MEDIA.pid, signal.SIGKILL)

    async with phone_at(loopback.address(), outlives_the_media) as phone:
        with pytest.raises(MediaLost):
            await call(PLAN, host=phone.address)
        async with asyncio.timeout(5):
            await phone.calls[0].ended.wait()
        assert phone.methods() == ["INVITE", "BYE"]


async def test_a_closed_media_port_is_noted(loopback: LoopbackBlock) -> None:
    async def closed(call: Call) -> None:
        call.respond(200, plain_answer(call.phone.address, 9))

    async with phone_at(loopback.address(), closed) as phone:
        facts = await call(PLAN, host=phone.address)
    assert any("port 9 was refused (ICMP" in note for note in facts.notes)


async def test_early_media_is_heard_and_the_answer_begins_anew(loopback: LoopbackBlock) -> None:
    async def early(call: Call) -> None:
        call.respond(183, call.phone.sdp)
        media = parse_sdp(call.invite.body).media[0]
        for number in range(5):
            header = bytes([0x80, 0, 0, number, 0, 0, 0, number * 160 % 256, 1, 2, 3, 4])
            call.phone.send_media(header + bytes(160), ("127.0.0.1", media.port))
            await asyncio.sleep(0.02)
        call.respond(200, call.phone.sdp)

    async with phone_at(loopback.address(), early) as phone:
        facts = await call(PLAN, host=phone.address)
    assert "5 media packets came before the answer (early media)" in facts.notes
    assert facts.invite is not None
    assert [(p.status, p.early_media) for p in facts.invite.provisionals] == [(183, True)]
    assert facts.media is not None
    assert facts.media.heard is Heard.OUR_TONE
    assert facts.media.packets_out > 25


async def test_an_answer_that_was_in_the_183_holds_for_a_bare_200(loopback: LoopbackBlock) -> None:
    async def split(call: Call) -> None:
        call.respond(183, call.phone.sdp)
        call.respond(200)

    async with phone_at(loopback.address(), split) as phone:
        facts = await call(PLAN, host=phone.address)
    assert facts.stopped is StopCause.FINISHED
    assert facts.media is not None
    assert facts.media.flow is MediaFlow.BOTH_WAYS


async def test_media_that_overtakes_the_answer_is_heard(loopback: LoopbackBlock) -> None:
    async def eager(call: Call) -> None:
        media = parse_sdp(call.invite.body).media[0]
        call.phone.send_media(bytes([0x80, 0]) + bytes(170), ("127.0.0.1", media.port))
        await asyncio.sleep(0.05)
        await answering(call)

    async with phone_at(loopback.address(), eager) as phone:
        phone.echoes = False
        facts = await call(PLAN, host=phone.address)
    assert facts.media is not None
    assert facts.media.packets_in == 1
    assert facts.notes == ()


async def test_media_before_any_description_is_counted(loopback: LoopbackBlock) -> None:
    async def hasty(call: Call) -> None:
        media = parse_sdp(call.invite.body).media[0]
        call.phone.send_media(bytes([0x80, 0]) + bytes(170), ("127.0.0.1", media.port))
        await asyncio.sleep(0.6)
        await answering(call)

    async with phone_at(loopback.address(), hasty) as phone:
        facts = await call(PLAN, host=phone.address)
    assert "1 media packets came before any session description" in facts.notes


@pytest.mark.parametrize(
    ("formats", "codec", "law"),
    [("8 0 101", "PCMA", True), ("111 101", "opus", False), ("111 0 101", "PCMU", True)],
)
async def test_only_g711_is_sent_whatever_else_was_agreed(
    loopback: LoopbackBlock, formats: str, codec: str, law: bool
) -> None:
    async def choosing(call: Call) -> None:
        rtpmap = "a=rtpmap:111 opus/48000/2"
        sdp = plain_answer(call.phone.address, call.phone.rtp_port, rtpmap, formats=formats)
        call.respond(200, sdp)

    async with phone_at(loopback.address(), choosing) as phone:
        facts = await call(
            PLAN,
            host=phone.address,
            codecs=(("opus", 48000, None), ("PCMU", 8000, 0), ("PCMA", 8000, 8)),
        )
    assert facts.invite is not None
    assert facts.invite.agreed is not None
    assert facts.invite.agreed.codec == codec
    assert facts.media is not None
    assert facts.media.encodable is law
    payload_types = {parse_rtp(data).payload_type for data in phone.media if not is_rtcp(data)}
    assert payload_types <= {0, 8, 101}
    assert (facts.media.packets_out > 20) is law


async def test_a_peer_on_hold_from_the_start_gets_no_packet(loopback: LoopbackBlock) -> None:
    async def held(call: Call) -> None:
        call.respond(200, plain_answer("0.0.0.0", call.phone.rtp_port))

    async with phone_at(loopback.address(), held) as phone:
        facts = await call(PLAN, host=phone.address)
    assert phone.media == []
    assert facts.media is not None
    assert (facts.media.packets_out, facts.media.may_send) == (0, False)


async def test_media_follows_the_source_of_the_peers_packets(loopback: LoopbackBlock) -> None:
    """Behind a NAT the SDP says one address and the packets come from another."""
    elsewhere = loopback.address()

    async def behind_nat(call: Call) -> None:
        call.respond(200, plain_answer(elsewhere, 4000))
        await call.acked.wait()
        media = parse_sdp(call.invite.body).media[0]
        for number in range(5):
            header = bytes([0x80, 0, 0, number, 0, 0, 0, 0, 1, 2, 3, 4])
            call.phone.send_media(header + bytes(160), ("127.0.0.1", media.port))
            await asyncio.sleep(0.02)

    async with phone_at(loopback.address(), behind_nat) as phone:
        phone.echoes = False
        facts = await call(PLAN, host=phone.address)
    assert len(phone.media) > 10
    assert facts.media is not None
    assert facts.media.sent_to == (phone.address, phone.rtp_port)
    assert facts.media.source_differs
