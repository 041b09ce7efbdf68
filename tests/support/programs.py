"""Programs that we did not write, run in the foreground for a test or a measurement."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from local.process import ManagedProcess, ProcessSpec, StartFailed, log_tail

__all__ = [
    "answers_options",
    "inherited_environment",
    "program_path",
    "require_program",
    "run_program",
]

ANSWER_WITHIN = 2.0
"""Seconds: who needs longer is asked again. The slowest that is started here takes 1.2 on purpose."""

QUIET_AFTER = 0.02
"""Seconds without another byte after which an answer is whole."""


def program_path(name: str) -> str | None:
    """Where the program is installed."""
    # Debian puts servers where an ordinary user's PATH does not lead.
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")


def require_program(name: str, package: str) -> str:
    """Where the program is installed; without it the test is skipped, and fails in CI."""
    found = program_path(name)
    if found is not None:
        return found
    reason = f"{name} is not installed: sudo apt-get install -y {package}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def inherited_environment(home: Path) -> dict[str, str]:
    """What every program is told of where it runs; nothing else of this shell's leaks in."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "LC_ALL": "C.UTF-8"}


@asynccontextmanager
async def run_program(
    command: Sequence[str],
    folder: Path,
    *,
    name: str,
    ready: Callable[[], Awaitable[bool]],
    within: timedelta = timedelta(seconds=15),
) -> AsyncIterator[ManagedProcess]:
    """Run a program that stays in the foreground until the block ends, in an existing folder of its own.

    The block begins when ``ready`` said so; SIGTERM ends the program, SIGKILL after ten seconds. It
    dies with this process. Raises ``StartFailed``; what the program wrote is noted on every error
    that leaves the block.
    """
    log = folder / f"{name}.log"
    process = ManagedProcess(
        ProcessSpec(
            name=name,
            command=tuple(command),
            env=inherited_environment(folder),
            cwd=folder,
            log=log,
            ready=ready,
            ready_within=within,
        )
    )
    try:
        await process.start()
        yield process
    except StartFailed as error:
        error.add_note(f"{name} wrote:\n{error.detail}")
        raise
    except Exception as error:
        error.add_note(f"{name} wrote:\n{log_tail(log)}")
        raise
    finally:
        await process.stop()


async def answers_options(
    transport: str, address: str, port: int, *, user: str | None = None
) -> bool:
    """Whether any SIP response comes back to an OPTIONS; ``transport`` is udp, tcp or tls.

    Written with sockets alone, so that it says nothing about the stack under test.
    """
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            if transport == "udp":
                answer = await _over_udp(address, port, user)
            else:
                answer = await _over_stream(transport, address, port, user)
    except (OSError, TimeoutError):
        return False
    return answer.startswith(b"SIP/2.0 ")


async def _over_udp(address: str, port: int, user: str | None) -> bytes:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.connect((address, port))
        await loop.sock_sendall(sock, _options("UDP", sock.getsockname(), address, user))
        return await loop.sock_recv(sock, 65535)


async def _over_stream(transport: str, address: str, port: int, user: str | None) -> bytes:
    context = None
    if transport == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(address, port, ssl=context)
    try:
        local = writer.get_extra_info("sockname")
        writer.write(_options(transport.upper(), local, address, user))
        answer = await reader.read(65535)
        # What is left unread would make the kernel send a reset, at which SIPp ends.
        with suppress(TimeoutError):
            await asyncio.wait_for(reader.read(65535), QUIET_AFTER)
        return answer
    finally:
        writer.close()


def _options(transport: str, local: tuple[str, int], address: str, user: str | None) -> bytes:
    token = os.urandom(8).hex()
    target = f"sip:{address}" if user is None else f"sip:{user}@{address}"
    lines = (
        f"OPTIONS {target} SIP/2.0",
        f"Via: SIP/2.0/{transport} {local[0]}:{local[1]};branch=z9hG4bK{token}",
        "Max-Forwards: 70",
        f"From: <sip:ready@{local[0]}>;tag={token}",
        f"To: <{target}>",
        f"Call-ID: {token}",
        "CSeq: 1 OPTIONS",
        f"Contact: <sip:{local[0]}:{local[1]}>",
        "Content-Length: 0",
    )
    return "\r\n".join((*lines, "", "")).encode("ascii")
