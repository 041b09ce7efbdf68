"""Recorded messages of made-up calls, for traces, ladders and captures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sip.capture import CapturedMessage, WireDirection

START = datetime(2026, 3, 9, 12, 0, 0, 250_000, tzinfo=UTC)
US = ("192.0.2.10", 40404)
PEER = ("203.0.113.5", 5060)
RESPONSE_DIGEST = "6629fae49393a05397450978507c4ef1"
KEY = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"


def sdp(*, secure: bool = False, address: str = "192.0.2.10", extra: str = "") -> str:
    """An audio description with PCMU and PCMA."""
    crypto = f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\r\n" if secure else ""
    return (
        f"v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
        f"m=audio 10000 RTP/{'SAVP' if secure else 'AVP'} 0 8 101\r\n"
        "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
        f"{crypto}{extra}"
    )


def request(
    method: str, *, cseq: int = 1, body: str = "", headers: Sequence[str] = (), branch: str = ""
) -> bytes:
    """A request of ours within the one call."""
    lines = [
        f"{method} sip:+14155550100@sip.example.com SIP/2.0",
        f"Via: SIP/2.0/UDP 192.0.2.10:40404;rport;branch=z9hG4bK{branch or f'{method}{cseq}'}",
        "Max-Forwards: 70",
        "From: <sip:+14155550199@192.0.2.10>;tag=ours",
        "To: <sip:+14155550100@sip.example.com>",
        "Call-ID: 7f3a@192.0.2.10",
        f"CSeq: {cseq} {method}",
        "Contact: <sip:trunkline@192.0.2.10:40404>",
        "User-Agent: Trunkline (https://example.com)",
        *headers,
    ]
    return _message(lines, body)


def response(
    status: int,
    reason: str,
    *,
    method: str = "INVITE",
    cseq: int = 1,
    body: str = "",
    headers: Sequence[str] = (),
) -> bytes:
    """A response of the peer to it."""
    lines = [
        f"SIP/2.0 {status} {reason}",
        f"Via: SIP/2.0/UDP 192.0.2.10:40404;rport=40404;branch=z9hG4bK{method}{cseq}",
        "From: <sip:+14155550199@192.0.2.10>;tag=ours",
        "To: <sip:+14155550100@sip.example.com>;tag=theirs",
        "Call-ID: 7f3a@192.0.2.10",
        f"CSeq: {cseq} {method}",
        "Server: Asterisk PBX 20.9.2",
        *headers,
    ]
    return _message(lines, body)


def _message(lines: list[str], body: str) -> bytes:
    kind = ["Content-Type: application/sdp"] if body else []
    head = [*lines, *kind, f"Content-Length: {len(body)}"]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


@dataclass(frozen=True)
class Way:
    """How messages travel between us and the peer."""

    transport: str = "UDP"
    local: tuple[str, int] = US
    remote: tuple[str, int] = PEER

    def sent(
        self, milliseconds: float, data: bytes, *, retransmission: bool = False
    ) -> CapturedMessage:
        """What went out, so long after the start."""
        return self._message(WireDirection.OUT, milliseconds, data, retransmission)

    def received(self, milliseconds: float, data: bytes) -> CapturedMessage:
        """What came in, so long after the start."""
        return self._message(WireDirection.IN, milliseconds, data, False)

    def _message(
        self, direction: WireDirection, milliseconds: float, data: bytes, retransmission: bool
    ) -> CapturedMessage:
        return CapturedMessage(
            at=START + timedelta(milliseconds=milliseconds),
            direction=direction,
            transport=self.transport,
            local=self.local,
            remote=self.remote,
            data=data,
            retransmission=retransmission,
        )


UDP = Way()


def challenged_call(way: Way = UDP, *, secure: bool = True) -> list[CapturedMessage]:
    """An answered call of 11 messages over UDP, 10 otherwise: digest, a retransmitted INVITE, a long
    ring, media, our BYE."""
    credentials = (
        'Authorization: Digest username="acme", realm="asterisk", nonce="1709985600/f00d", '
        f'uri="sip:+14155550100@sip.example.com", response="{RESPONSE_DIGEST}", algorithm=MD5, '
        'cnonce="0a4f113b", opaque="5ccc069c", qop=auth, nc=00000001'
    )
    challenge = (
        'WWW-Authenticate: Digest realm="asterisk", nonce="1709985600/f00d", opaque="5ccc069c", '
        'algorithm=MD5, qop="auth"'
    )
    offer = sdp(secure=secure)
    first = request("INVITE", body=offer)
    again = [way.sent(500.0, first, retransmission=True)] if way.transport == "UDP" else []
    answer = sdp(secure=secure, address="203.0.113.5")
    return [
        way.sent(0.0, first),
        *again,
        way.received(531.5, response(401, "Unauthorized", headers=[challenge])),
        way.sent(531.9, request("ACK", branch="INVITE1")),
        way.sent(532.4, request("INVITE", cseq=2, body=offer, headers=[credentials])),
        way.received(548.0, response(100, "Trying", cseq=2)),
        way.received(902.1, response(180, "Ringing", cseq=2)),
        way.received(4210.7, response(200, "OK", cseq=2, body=answer)),
        way.sent(4211.2, request("ACK", cseq=2, branch="ack2")),
        way.sent(7260.0, request("BYE", cseq=3, headers=["Reason: SIP;cause=200"])),
        way.received(7301.3, response(200, "OK", method="BYE", cseq=3)),
    ]
