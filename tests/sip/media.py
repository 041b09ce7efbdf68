"""Media sessions for tests, and networks between two of them that lose, repeat and delay."""

from __future__ import annotations

import dataclasses
import heapq
import random
from collections.abc import Callable
from typing import Any

from sip.media_session import MediaDatagram, MediaSession
from sip.media_settings import Address, MediaSettings, PayloadFormat
from sip.rtp import RtpPacket, is_rtcp, parse_rtp

US: Address = ("192.0.2.1", 10000)
PEER: Address = ("192.0.2.2", 20000)
PCMU = PayloadFormat(0, "PCMU", 8000)
PCMA = PayloadFormat(8, "PCMA", 8000)
G729 = PayloadFormat(18, "G729", 8000)
EVENT = PayloadFormat(101, "TELEPHONE-EVENT", 8000)
START = 1000.0
KEYS = (bytes(range(30)), bytes(range(30, 60)))

Fate = Callable[[random.Random], list[float]]


def settings(**changes: Any) -> MediaSettings:
    plain = MediaSettings(
        audio=PCMU,
        accepted=(EVENT,),
        remote=PEER,
        remote_rtcp=(PEER[0], PEER[1] + 1),
        ssrc=0x11111111,
        first_sequence=65500,
        first_timestamp=0xFFFFFF00,
        cname="call@192.0.2.1",
    )
    return dataclasses.replace(plain, **changes)


def session(**changes: Any) -> MediaSession:
    return MediaSession(settings(**changes), START)


def peer_settings(**changes: Any) -> MediaSettings:
    swapped: dict[str, Any] = {
        "remote": US,
        "remote_rtcp": (US[0], US[1] + 1),
        "ssrc": 0x22222222,
        "digit": "9",
    }
    return settings(**(swapped | changes))


def perfect(_: random.Random) -> list[float]:
    return [0.030]


def lossy(chance: random.Random) -> list[float]:
    return [] if chance.random() < 0.1 else [0.030]


def rough(chance: random.Random) -> list[float]:
    """One packet in 20 lost, one in 20 doubled, each delayed by up to two frames more."""
    if chance.random() < 0.05:
        return []
    copies = 2 if chance.random() < 0.05 else 1
    return [0.030 + chance.uniform(0, 0.050) for _ in range(copies)]


def run(
    ours: MediaSession,
    theirs: MediaSession,
    seconds: float,
    fate: Fate = perfect,
    back: Fate | None = None,
    seed: int = 1,
) -> None:
    """Moves time from event to event until both have closed and the wire is empty."""
    chance = random.Random(seed)
    wire: list[tuple[float, int, bool, MediaDatagram]] = []
    count = 0
    now = START
    end = START + seconds
    closed = False
    while True:
        for to_peer, sender, luck in ((True, ours, fate), (False, theirs, back or fate)):
            for datagram in sender.packets_to_send(now):
                for delay in luck(chance):
                    count += 1
                    heapq.heappush(wire, (now + delay, count, to_peer, datagram))
        timers = [t for t in (ours.get_timer(), theirs.get_timer()) if t is not None]
        due = [*timers, *([wire[0][0]] if wire else []), *([] if closed else [end])]
        if not due:
            return
        now = max(now, min(due))
        if now >= end and not closed:
            closed = True
            ours.close(now)
            theirs.close(now)
        while wire and wire[0][0] <= now:
            _, _, to_peer, datagram = heapq.heappop(wire)
            receiver, source = (theirs, US) if to_peer else (ours, PEER)
            if datagram.from_rtcp_port:
                receiver.receive_rtcp(datagram.data, (source[0], source[1] + 1), now)
            else:
                receiver.receive_rtp(datagram.data, source, now)


def sent_by(ours: MediaSession, seconds: float, *, step: float = 0.02) -> list[MediaDatagram]:
    sent = []
    for tick in range(round(seconds / step)):
        sent += ours.packets_to_send(START + tick * step + 1e-6)
    return sent


def rtp_of(datagrams: list[MediaDatagram]) -> list[RtpPacket]:
    return [parse_rtp(d.data) for d in datagrams if not is_rtcp(d.data)]


def feed(ours: MediaSession, count: int, payload: bytes, payload_type: int = 0) -> None:
    for n in range(count):
        packet = RtpPacket(payload_type, n, n * 160, 7, payload)
        ours.receive_rtp(packet.serialize(), PEER, START + n * 0.02)


def closed_at_once(ours: MediaSession) -> list[MediaDatagram]:
    ours.close(START)
    return ours.packets_to_send(START)
