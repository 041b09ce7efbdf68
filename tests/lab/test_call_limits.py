"""Nothing that callers do takes a peer down or lasts for ever."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Lab, LabPeer, call_media
from lab.call_media import GUARD
from lab.calls import MAX_CALLS
from lab.catalogue import CATALOGUE
from lab.certificates import Authority
from sip.dialog_state import Answered, Failed, Progress
from sip.media_verdict import Heard
from sip.offer_answer import MediaCapabilities, build_offer
from sip.sdp import parse_sdp
from sip.sdp_attributes import PCMA, PCMU
from tests.lab.calling import DEMO, caller, last_record
from tests.lab.client import ask_udp, request
from tests.support.labs import new_lab_network
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")

SEED = 20263
CONTACT = "Contact: <sip:c@127.0.0.1>"


async def test_calls_beyond_the_limit_are_503(loopback: LoopbackBlock, tmp_path: Path) -> None:
    entry = next(entry for entry in CATALOGUE if entry.name == "no-answer")
    peer = LabPeer("no-answer", loopback.address(), entry.behaviour, Authority.open(tmp_path))
    await peer.start()
    try:
        for _ in range(MAX_CALLS):
            answer = await ask_udp(peer.address, request(peer.uri, CONTACT, method="INVITE"))
            assert answer.status == 100
        assert peer.live_calls == MAX_CALLS
        answer = await ask_udp(peer.address, request(peer.uri, CONTACT, method="INVITE"))
        assert (answer.status, answer.headers.get("Retry-After")) == (503, "30")
    finally:
        await peer.close()
    assert peer.live_calls == 0


async def test_a_call_without_a_port_for_its_media_is_500(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = lab.peers["asterisk"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((peer.address, 0))
        monkeypatch.setattr(call_media, "FIRST_PORT", taken.getsockname()[1])
        monkeypatch.setattr(call_media, "PORT_PAIRS", 1)
        async with caller() as calling:
            await calling.call(peer)
            failed = await calling.sees(Failed)
    assert failed.status == 500


async def test_a_lab_closes_with_calls_in_every_state(
    loopback: LoopbackBlock, tmp_path: Path
) -> None:
    before = asyncio.all_tasks()
    names = ["asterisk", "no-answer", "never-sees-ack", "early-media", "fork"]
    async with (
        Lab(new_lab_network(loopback), tmp_path, names) as lab,
        caller() as talking,
        caller() as ringing,
        caller() as unacknowledged,
        caller() as unpracked,
    ):
        await talking.call(lab.peers["asterisk"])
        await ringing.call(lab.peers["no-answer"])
        await unacknowledged.call(lab.peers["never-sees-ack"])
        unpracked.deaf = True
        await unpracked.call(lab.peers["early-media"])
        await talking.sees(Answered)
        await ringing.sees(Progress)
        await unacknowledged.sees(Answered)
        await unpracked.receives(183)
        assert {name: peer.live_calls for name, peer in lab.peers.items()} == {
            "asterisk": 1,
            "no-answer": 1,
            "early-media": 1,
            "never-sees-ack": 1,
            "fork": 0,
        }
        peers = list(lab.peers.values())
    assert [peer.live_calls for peer in peers] == [0] * len(peers)
    assert asyncio.all_tasks() <= before


async def test_garbage_on_the_media_ports_changes_nothing(lab: Lab) -> None:
    chance = random.Random(SEED)
    async with caller() as calling:
        await calling.call(lab.peers["asterisk"])
        answered = await calling.sees(Answered)
        media = parse_sdp(answered.sdp or b"").media[0]
        for length in (0, 1, 2, 11, 12, 13, 200, 1400):
            for first in (0x00, 0x80, 0xBF, 0xFF):
                for second in (0x00, 0x80, 0xC8, 0xFF):
                    data = (bytes((first, second)) + chance.randbytes(length))[:length]
                    calling.media.throw(data, (lab.peers["asterisk"].address, media.port))
                    calling.media.throw(data, (lab.peers["asterisk"].address, media.port + 1))
        verdict = await calling.talk(0.4)
    assert verdict.heard is Heard.AUDIO


async def test_a_mutated_invite_never_hurts(loopback: LoopbackBlock, tmp_path: Path) -> None:
    """Calls of any shape at the peers with the most to do; each of them serves the next caller."""
    names = ("bye-at-once", "early-media", "session-timers", "fork", "proxy-challenge")
    async with Lab(new_lab_network(loopback), tmp_path, names) as lab:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
            sock.bind(("127.0.0.1", 0))
            loop = asyncio.get_running_loop()
            for peer in lab.peers.values():
                for data in mutated_invites(peer.uri):
                    await loop.sock_sendto(sock, data, (peer.address, 5060))
            await asyncio.sleep(0.5)
        assert lab.peers["fork"].live_calls > 10
        for peer in lab.peers.values():
            async with caller() as calling:
                await calling.call(peer, credentials=DEMO)
                await calling.sees(Answered)
                calling.hang_up()
                await calling.is_over()


def mutated_invites(uri: str) -> Iterator[bytes]:
    chance = random.Random(SEED)
    offer = build_offer(
        MediaCapabilities((PCMU, PCMA), "127.0.0.1", 40000), session_id=1, session_version=1
    ).serialize()
    fields = (
        CONTACT,
        "Content-Type: application/sdp",
        "Supported: 100rel, timer",
        'Record-Route: <sip:127.0.0.1;lr>, "a\\"b" <sip:127.0.0.2:5070;lr>',
        "Min-SE: 90",
        "P-Asserted-Identity: <sip:1@example.com>",
    )
    for _ in range(60):
        data = bytearray(request(uri, *fields, method="INVITE", body=offer))
        for _ in range(chance.randint(0, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        yield bytes(data)


@pytest.mark.parametrize("name", ["asterisk", "echo"])
async def test_media_goes_to_loopback_alone(lab: Lab, name: str) -> None:
    """An SDP with a foreign address is taken, and answered to where media comes from."""
    async with caller() as calling:
        offer = calling.media.offer.replace(b"127.0.0.1", b"203.0.113.9")
        await calling.call(lab.peers[name], offer=offer)
        verdict = await calling.talk(0.6)
    assert verdict.packets_in > 5
    assert not GUARD.permits("203.0.113.9")


@pytest.mark.parametrize(
    "mutate",
    [
        (b"m=audio ", b"m=audio 0"),
        (b"m=audio", b"m=video"),
        (b"RTP/AVP", b"UDP/TLS/RTP/SAVPF"),
        (b"c=IN IP4 127.0.0.1\r\n", b""),
        (b"0 8 101", b"96 97"),
        (b"v=0", b"v=1"),
        (b"a=rtpmap:0 PCMU/8000", b"a=rtpmap:0 PCMU/0"),
        (b"a=ptime:20", b"a=ptime:0"),
        (b"127.0.0.1", b"0.0.0.0"),
        (b"127.0.0.1", b"host.invalid"),
    ],
)
async def test_an_odd_offer_is_answered_or_refused_and_never_hurts(
    lab: Lab, mutate: tuple[bytes, bytes]
) -> None:
    peer = lab.peers["asterisk"]
    async with caller() as calling:
        assert mutate[0] in calling.media.offer
        await calling.call(peer, offer=calling.media.offer.replace(*mutate))
        await calling.settles()
        calling.hang_up()
        await calling.is_over()
    await last_record(peer)
