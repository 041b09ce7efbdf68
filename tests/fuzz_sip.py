"""Throw mutated messages at the parser and the framer: nothing but protocol errors may come out.

`python -m tests.fuzz_sip --count 200000 --seed 1` mutates the torture corpora and a few everyday
messages. Beyond "no other exception" it checks that an accepted message can be read through every
accessor, that serializing and parsing it again gives the same message, and that a stream cut at
random places is framed as if it had come in one piece. The first input that breaks a rule is saved
and the exit status is 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from sip.errors import RemoteProtocolError
from sip.message import Message, Request, parse_message
from sip.stream import KeepAlive, StreamFramer
from sip.uas import refusal_of, refusal_of_malformed
from tests.sip.corpora import every_message

REPRODUCER = Path("var/fuzz-sip-reproducer.bin")

EVERYDAY = [
    b"OPTIONS sip:203.0.113.5:5060;transport=udp SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKa1b2c3;rport\r\n"
    b"Max-Forwards: 70\r\nFrom: <sip:probe@192.0.2.10>;tag=a1b2c3\r\nTo: <sip:203.0.113.5>\r\n"
    b"Call-ID: 7d1c9f0e8b6a4c2d@192.0.2.10\r\nCSeq: 1 OPTIONS\r\nContact: <sip:192.0.2.10:5060>\r\n"
    b"Accept: application/sdp\r\nUser-Agent: probe\r\nContent-Length: 0\r\n\r\n",
    b"SIP/2.0 200 OK\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKa1b2c3;received=192.0.2.10;rport=5060\r\n"
    b"From: <sip:probe@192.0.2.10>;tag=a1b2c3\r\nTo: <sip:203.0.113.5>;tag=as5f3e\r\n"
    b"Call-ID: 7d1c9f0e8b6a4c2d@192.0.2.10\r\nCSeq: 1 OPTIONS\r\nServer: Asterisk PBX 18.9.0\r\n"
    b"Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER\r\nSupported: replaces, timer\r\n"
    b'Contact: "PBX" <sip:203.0.113.5:5060>;expires=60;q=0.5\r\nAccept: application/sdp\r\n'
    b"Content-Length: 0\r\n\r\n",
    b"SIP/2.0 401 Unauthorized\r\n"
    b"v: SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bKx;received=2001:db8::2;rport=40000\r\n"
    b'f: "A \\"B\\"" <sips:a@[2001:db8::1]>;tag=1\r\nt: <tel:+1-201-555-0123;ext=7>;tag=2\r\n'
    b"i: abc\r\nCSeq: 2147483647 REGISTER\r\nRetry-After: 120 (busy);duration=60\r\n"
    b'WWW-Authenticate: Digest realm="a", nonce="b,c", qop="auth,auth-int", algorithm=SHA-256\r\n'
    b'Warning: 399 192.0.2.1:5060 "text", 301 pbx "other"\r\nDate: Sat, 13 Nov 2010 23:29:00 GMT\r\n'
    b"Session-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\nRSeq: 1\r\nl: 3\r\n\r\nabc",
    b"INVITE sip:+12015550123@pbx.example.com;user=phone SIP/2.0\r\n"
    b"Via: SIP/2.0/TCP a.example.com;branch=z9hG4bKy,SIP / 2.0 / UDP b;branch=z9hG4bKz\r\n"
    b"Record-Route: <sip:p1.example.com;lr>, <sip:p2.example.com;lr>\r\nRoute: <sip:p0;lr>\r\n"
    b"From: Alice Smith <sip:alice@a.example.com>;tag=9\r\nTo: <sip:+12015550123@pbx.example.com>\r\n"
    b"Call-ID: 1@a\r\nCSeq: 7 INVITE\r\nRequire: 100rel\r\nContent-Type: application/sdp\r\n"
    b"Contact: <sip:alice@a.example.com:5070;transport=tcp>\r\nContent-Length: 5\r\n\r\nv=0\r\n",
]

TOKENS = [
    b"\r\n", b"\r", b"\n", b"\r\n ", b"\r\n\t", b"\r\n\r\n", b"\0", b"%00", b"%", b":", b";", b",",
    b"<", b">", b'"', b"\\", b"[", b"]", b"@", b"?", b"=", b"/", b" ", b"\t", b"*", b"\xff", b"\xc3",
    b"\xef\xbb\xbf", b"-1", b"0", b"65536", b"2147483648", b"4294967296", b"9" * 30, b"9" * 5000,
    b"SIP/2.0", b"SIP/7.0", b"SIP/2.0 200 OK\r\n", b"z9hG4bK", b"sip:", b"sips:", b"tel:+", b"::",
    b":::1.2.3.4", b"%eth0", b"Via: ", b"\r\nl: 0", b"\r\nContent-Length: 5", b"\r\nl: 99999999",
    b"\r\nVia: x", b"\r\nCSeq: 1 ACK", b"\r\nContact: *", b"\r\nCall-ID: @", b";tag=", b";rport=0",
    b";branch", b";received=x", b";lr", b"0" * 5000, b";a" * 500, b'"' * 300, b"<" * 300,
    "\u0660\u2028\u017f".encode(),
]  # fmt: skip


class BrokenRule(Exception):
    """An input made the code under test do what it must never do."""


def seeds() -> list[bytes]:
    return [*every_message(), *EVERYDAY]


def mutations(count: int, seed: int) -> Iterator[bytes]:
    """Yield `count` mutated messages; the same seed gives the same ones."""
    random = Random(seed)
    stock = seeds()
    for _ in range(count):
        data = bytearray(random.choice(stock))
        for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
            _mutate(data, random, stock)
        yield bytes(data)


def _mutate(data: bytearray, random: Random, stock: list[bytes]) -> None:
    at = random.randrange(len(data) + 1)
    to = min(len(data), at + random.choice((1, 1, 2, 5, 20)))
    match random.randrange(8):
        case 0:
            data[at:to] = random.choice(TOKENS)
        case 1:
            data[at:at] = random.choice(TOKENS)
        case 2:
            del data[at:to]
        case 3:
            data[at:to] = random.randbytes(to - at)
        case 4:
            data[at:at] = data[at:to] * random.choice((1, 2, 50))
        case 5:
            donor = random.choice(stock)
            start = random.randrange(len(donor))
            data[at:to] = donor[start : start + random.choice((5, 40, 2000))]
        case 6:
            lines = bytes(data).split(b"\r\n")
            lines.insert(random.randrange(len(lines)), random.choice(lines))
            data[:] = b"\r\n".join(lines)
        case _:
            lines = bytes(data).split(b"\r\n")
            del lines[random.randrange(len(lines))]
            data[:] = b"\r\n".join(lines)


def check(data: bytes, random: Random) -> None:
    """Raise BrokenRule, or whatever escaped, when `data` breaks a rule."""
    try:
        message = parse_message(data)
    except RemoteProtocolError as error:
        answer = refusal_of_malformed(data, error, to_tag="x")
        if answer is not None:
            answer.serialize()
    else:
        _check_accepted(message)
    _check_framing(data, random)


def _check_accepted(message: Message) -> None:
    _ = (message.vias, message.from_.tag, message.to.tag, message.call_id, message.cseq.number)
    _ = (message.via.branch, message.via.received, message.via.rport, message.contacts)
    _ = (message.max_forwards, message.content_type, message.text_body)
    for name in ("Allow", "Supported", "Require", "Proxy-Require", "Unsupported"):
        message.tokens(name)
    again = parse_message(message.serialize())
    if again.headers.without("l") != message.headers.without("l") or again.body != message.body:
        raise BrokenRule("serializing and parsing changes the message")
    if (again.vias, again.from_, again.to) != (message.vias, message.from_, message.to):
        raise BrokenRule("serializing and parsing changes a typed header field")
    if isinstance(message, Request):
        refusal = refusal_of(message, allowed_methods=("INVITE", "OPTIONS"), to_tag="x")
        if refusal is not None:
            parse_message(refusal.serialize())


def _check_framing(data: bytes, random: Random) -> None:
    whole, _ = frames([data])
    chunks = []
    position = 0
    while position < len(data):
        size = random.choice((1, 2, 3, 10, 100, 1000))
        chunks.append(data[position : position + size])
        position += size
    pieces, held = frames(chunks)
    if whole != pieces:
        raise BrokenRule("framing depends on how the stream is cut")
    if held > len(data):
        raise BrokenRule("the framer holds more than it was given")


def frames(chunks: list[bytes]) -> tuple[list[bytes], int]:
    """Return what a framer makes of `chunks`, an empty string for its refusal, and what it holds."""
    framer = StreamFramer(accepted=True)
    messages: list[bytes] = []
    try:
        for chunk in chunks:
            framer.receive_data(chunk)
            while (item := framer.next_message()) is not None:
                messages.append(item.value if isinstance(item, KeepAlive) else item)
    except RemoteProtocolError:
        messages.append(b"")
    return messages, len(framer.pending)


@dataclass(frozen=True)
class Finding:
    number: int
    data: bytes
    error: Exception


def first_finding(count: int, seed: int) -> Finding | None:
    """Check `count` mutations; return the first that breaks a rule."""
    random = Random(seed)
    for number, data in enumerate(mutations(count, seed), 1):
        try:
            check(data, random)
        except Exception as error:  # whatever escapes is what this program looks for
            return Finding(number, data, error)
    return None


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--count", type=int, default=200_000)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    start = time.perf_counter()
    finding = first_finding(options.count, options.seed)
    seconds = time.perf_counter() - start
    if finding is not None:
        REPRODUCER.parent.mkdir(exist_ok=True)
        REPRODUCER.write_bytes(finding.data)
        sys.stdout.write(
            f"mutation {finding.number}: {finding.error!r}; input saved in {REPRODUCER}\n"
        )
        return 1
    sys.stdout.write(
        f"{options.count} mutated messages, seed {options.seed}: only protocol errors; "
        f"{options.count / seconds:.0f}/s\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
