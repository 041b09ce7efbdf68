"""A client that speaks to the lab over plain sockets, with no SIP stack of ours under it."""

from __future__ import annotations

import asyncio
import itertools
import socket
import ssl
from contextlib import suppress

from sip.message import Response, parse_message

__all__ = ["ask_stream", "ask_udp", "collect_udp", "exchange_udp", "request", "send_udp"]

SECONDS = 5.0

_NUMBERS = itertools.count(1)


def request(
    target: str,
    *lines: str,
    method: str = "OPTIONS",
    transport: str = "UDP",
    branch: str | None = None,
    body: bytes = b"",
) -> bytes:
    """A complete request to a Request-URI, in a transaction of its own, with more header lines."""
    number = next(_NUMBERS)
    head = [
        f"{method} {target} SIP/2.0",
        f"Via: SIP/2.0/{transport} client.test;branch={branch or f'z9hG4bKtest{number}'};rport",
        "Max-Forwards: 70",
        f"From: <sip:tester@client.test>;tag=t{number}",
        "To: <sip:lab.test>",
        f"Call-ID: {number}@client.test",
        f"CSeq: 1 {method}",
        f"Content-Length: {len(body)}",
        *lines,
    ]
    return ("\r\n".join(head) + "\r\n\r\n").encode() + body


async def exchange_udp(
    address: str, port: int, data: bytes, *, seconds: float = SECONDS
) -> tuple[bytes, tuple[str, int]]:
    """Send a datagram from a fresh socket; the first one that comes back, and its source."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.bind(("127.0.0.1", 0))
        await loop.sock_sendto(sock, data, (address, port))
        async with asyncio.timeout(seconds):
            return await loop.sock_recvfrom(sock, 65535)


async def ask_udp(address: str, data: bytes, *, port: int = 5060) -> Response:
    """The response to one datagram."""
    return _response((await exchange_udp(address, port, data))[0])


async def collect_udp(address: str, data: bytes, *, seconds: float) -> list[Response]:
    """All responses to one datagram within some time."""
    loop = asyncio.get_running_loop()
    found: list[Response] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.bind(("127.0.0.1", 0))
        await loop.sock_sendto(sock, data, (address, 5060))
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    found.append(_response(await loop.sock_recv(sock, 65535)))
    return found


async def send_udp(address: str, data: bytes) -> None:
    """Send one datagram that nothing answers."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.bind(("127.0.0.1", 0))
        await loop.sock_sendto(sock, data, (address, 5060))


async def ask_stream(
    address: str, data: bytes, *, port: int = 5060, tls: ssl.SSLContext | None = None
) -> Response:
    """The response to one request over TCP, or TLS with a context."""
    async with asyncio.timeout(SECONDS):
        reader, writer = await asyncio.open_connection(
            address, port, ssl=tls, server_hostname=address if tls else None
        )
        try:
            writer.write(data)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            return _response(head + await reader.readexactly(length))
        finally:
            writer.close()
            await writer.wait_closed()


def _response(data: bytes) -> Response:
    message = parse_message(data)
    assert isinstance(message, Response)
    return message
