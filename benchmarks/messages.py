"""Parse and serialize: microseconds a message, beside what the standard library offers.

``bytes.split`` only finds lines and names: the least that any parser in Python must do.
``email.parser`` reads the header fields as RFC 5322 text and knows nothing of SIP. Ours checks every
known field against RFC 3261's grammar and hands out typed values.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import compat32
from statistics import median
from typing import Any, Generic, TypeVar

from benchmarks.report import print_machine, print_table
from sip.message import Message, parse_message

Item = TypeVar("Item")

ROUNDS = 15
MESSAGES = 2000
"""Different ones, as on the wire: each has a branch, tags and a Call-ID of its own."""

_SDP = (
    "v=0\r\no=- 3915 3915 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
    "m=audio 14002 RTP/AVP 0 8 9 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:9 G722/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
    "a=ptime:20\r\na=sendrecv\r\n"
)


def options_200() -> bytes:
    """A 200 to OPTIONS, with what an Asterisk says about itself."""
    token = secrets.token_hex(16)
    return (
        "SIP/2.0 200 OK\r\n"
        f"Via: SIP/2.0/UDP 192.0.2.10:40000;branch=z9hG4bK{token};received=192.0.2.10;rport=40000\r\n"
        f"Call-ID: {token}\r\nFrom: <sip:trunkline@192.0.2.10>;tag={token}\r\n"
        f"To: <sip:pbx.example.com>;tag=z9hG4bK{token[:8]}\r\nCSeq: 1 OPTIONS\r\n"
        "Accept: application/sdp, application/dialog-info+xml, message/sipfrag;version=2.0\r\n"
        "Allow: OPTIONS, REGISTER, SUBSCRIBE, NOTIFY, PUBLISH, INVITE, ACK, BYE, CANCEL, UPDATE\r\n"
        "Supported: 100rel, timer, replaces, norefersub\r\nAccept-Encoding: identity\r\n"
        "Accept-Language: en\r\nServer: Asterisk PBX 20.9.2\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def invite() -> bytes:
    """An INVITE through two proxies, with a session description."""
    token = secrets.token_hex(16)
    return (
        "INVITE sip:+14155550123@pbx.example.com;user=phone SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bK{token}a\r\n"
        f"Via: SIP/2.0/TLS 203.0.113.7:5061;branch=z9hG4bK{token}b;received=203.0.113.7\r\n"
        "Record-Route: <sip:198.51.100.1;lr>\r\nRecord-Route: <sips:203.0.113.7;lr>\r\n"
        'Max-Forwards: 68\r\nFrom: "Alice Example" <sip:+14155550100@carrier.example>'
        f";tag={token}\r\nTo: <sip:+14155550123@pbx.example.com;user=phone>\r\n"
        f"Call-ID: {token}@carrier.example\r\nCSeq: 102 INVITE\r\n"
        "Contact: <sip:+14155550100@192.0.2.10:5060;transport=udp>\r\n"
        "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK\r\nSupported: timer, 100rel\r\n"
        "Session-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\nUser-Agent: Example SBC 7.2\r\n"
        "P-Asserted-Identity: <sip:+14155550100@carrier.example>\r\n"
        f"Content-Type: application/sdp\r\nContent-Length: {len(_SDP)}\r\n\r\n{_SDP}"
    ).encode()


def split_only(data: bytes) -> list[tuple[bytes, bytes]]:
    """Names and values, unchecked."""
    head, _, _ = data.partition(b"\r\n\r\n")
    fields = []
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        fields.append((name, value.strip()))
    return fields


def email_parser(data: bytes) -> object:
    """Header fields and body, as mail."""
    return BytesParser(policy=compat32).parsebytes(data[data.index(b"\r\n") + 2 :])


def serialize(message: Message) -> bytes:
    """Ours."""
    return message.serialize()


@dataclass(frozen=True, slots=True)
class Contender(Generic[Item]):
    """A function and what it is given, one item a message."""

    function: Callable[[Item], object]
    items: Sequence[Item]

    def microseconds(self) -> float:
        """CPU a message in one round."""
        begun = time.process_time()
        for item in self.items:
            self.function(item)
        return (time.process_time() - begun) / len(self.items) * 1e6


def interleaved(*contenders: Contender[Any]) -> list[float]:
    """Median microseconds a message for each contender; their rounds are taken in turns."""
    rounds = [[each.microseconds() for each in contenders] for _ in range(ROUNDS)]
    return [median(times) for times in zip(*rounds, strict=True)]


def main() -> None:
    """Measure and print."""
    rows = []
    for name, make in (("200 to OPTIONS", options_200), ("INVITE with SDP", invite)):
        wire = [make() for _ in range(MESSAGES)]
        parse, write, split, mail = interleaved(
            Contender(parse_message, wire),
            Contender(serialize, [parse_message(data) for data in wire]),
            Contender(split_only, wire),
            Contender(email_parser, wire),
        )
        rows.append(
            [
                f"{name}, {len(wire[0])} bytes",
                f"{parse:.1f} us",
                f"{write:.1f} us",
                f"{split:.1f} us",
                f"{mail:.1f} us",
                f"{parse / split:.1f}",
            ]
        )
    print_table(
        "Messages: CPU a message",
        ["message", "parse", "serialize", "bytes.split", "email.parser", "parse / split"],
        rows,
    )


if __name__ == "__main__":
    print_machine()
    main()
