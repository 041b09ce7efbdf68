"""Asking a process on this machine whether it is ready, with nothing but a socket."""

from __future__ import annotations

import asyncio

__all__ = ["accepts", "http_get", "http_host"]

_TIMEOUT = 5.0
_MAX_ANSWER = 65_536


def http_host(host: str) -> str:
    """The host part of a URL under which a server that listens on ``host`` is reached here."""
    if host in {"0.0.0.0", ""}:
        return "127.0.0.1"
    if host == "::":
        return "[::1]"
    return f"[{host}]" if ":" in host else host


async def accepts(host: str, port: int) -> bool:
    """Whether somebody accepts TCP connections there."""
    try:
        async with asyncio.timeout(_TIMEOUT):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def http_get(host: str, port: int, path: str) -> tuple[int, str] | None:
    """Status code and body (at most 64 KiB) of a GET; ``None`` when there was no HTTP answer."""
    request = f"GET {path} HTTP/1.0\r\nHost: {http_host(host)}:{port}\r\n\r\n"
    try:
        async with asyncio.timeout(_TIMEOUT):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(request.encode("ascii"))
                answer = await _read_all(reader)
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
    head, _, body = answer.partition("\r\n\r\n")
    words = head.split(maxsplit=2)
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdecimal():
        return None
    return int(words[1]), body


async def _read_all(reader: asyncio.StreamReader) -> str:
    answer = bytearray()
    while len(answer) < _MAX_ANSWER and (part := await reader.read(_MAX_ANSWER)):
        answer += part
    return answer.decode("utf-8", errors="replace")
