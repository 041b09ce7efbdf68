"""The media process as its owner sees it: lines, its end, and that of its owner."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from ipaddress import ip_network
from pathlib import Path

import pytest

from sip.g711 import Law
from sip.media_settings import MediaSettings, PayloadFormat
from sip.media_verdict import Heard, MediaFlow, MediaVerdict
from sip.net.guard import AddressGuard
from sip.net.media_commands import Begin, Close, Judge, MediaLost, Move, Open, Stop
from sip.net.media_port import NoMediaPort
from sip.net.media_process import MediaProcess
from sip.net.udp import UdpSocket
from sip.rtp import is_rtcp
from tests.sip.net.stacks import LOOPBACK
from tests.support.loopback import LoopbackBlock

PORTS = range(32000, 32200)
SOON = 10.0
"""Seconds that anything here may take on a busy machine."""

OWNER = """
import asyncio
from sip.net.media_process import MediaProcess

async def main():
    async with MediaProcess() as media:
        print(media.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


class Echo:
    """Sends each RTP packet back; remembers all."""

    def __init__(self, host: str) -> None:
        self.heard: list[bytes] = []
        self._changed = asyncio.Event()
        self.socket = UdpSocket.bind((host, 0), self._arrived, lambda *_: None)

    async def until(self, enough: Callable[[list[bytes]], bool]) -> None:
        """Return once enough was heard. Raises ``TimeoutError``."""
        async with asyncio.timeout(SOON):
            while not enough(self.heard):
                self._changed.clear()
                await self._changed.wait()

    def _arrived(self, sock: UdpSocket, data: bytes, remote: tuple[str, int]) -> None:
        self.heard.append(data)
        self._changed.set()
        if not is_rtcp(data):
            sock.send(data, remote)


@pytest.fixture
async def echo(loopback: LoopbackBlock) -> AsyncIterator[Echo]:
    opened = Echo(loopback.address())
    with closing(opened.socket):
        yield opened


@pytest.fixture
async def media() -> AsyncIterator[MediaProcess]:
    async with MediaProcess() as running:
        yield running


def settings_to(remote: tuple[str, int]) -> MediaSettings:
    return MediaSettings(
        audio=PayloadFormat(0, Law.PCMU.value, 8000),
        remote=remote,
        remote_rtcp=None,
        ssrc=7,
        first_sequence=1,
        first_timestamp=1,
        cname="test",
        tone_seconds=0.2,
    )


async def opened(media: MediaProcess, *, guard: AddressGuard = LOOPBACK) -> int:
    line = media.add_line(lambda _: None)
    await media.ask(line, Open("127.0.0.1", PORTS, guard))
    return line


async def test_a_line_talks_listens_and_is_judged(media: MediaProcess, echo: Echo) -> None:
    line = await opened(media)
    assert await media.ask(line, Begin(settings_to(echo.socket.local), None)) == 0
    await echo.until(lambda heard: len(heard) > 20)
    media.post(line, Stop())
    await echo.until(lambda heard: is_rtcp(heard[-1]))
    verdict = await media.ask(line, Judge())
    assert isinstance(verdict, MediaVerdict)
    assert (verdict.flow, verdict.heard) == (MediaFlow.BOTH_WAYS, Heard.OUR_TONE)


async def test_lines_do_not_mix(media: MediaProcess, echo: Echo) -> None:
    talking, silent = await opened(media), await opened(media)
    await media.ask(talking, Begin(settings_to(echo.socket.local), None))
    await echo.until(lambda heard: len(heard) > 5)
    assert await media.ask(silent, Judge()) is None
    count = len(echo.heard)
    await echo.until(lambda heard: len(heard) > count + 5)


async def test_ports_are_free_when_a_line_was_closed(media: MediaProcess) -> None:
    pair = range(32200, 32202)
    command = Open("127.0.0.1", pair, LOOPBACK)
    first, second = media.add_line(lambda _: None), media.add_line(lambda _: None)
    assert await media.ask(first, command) == pair.start
    with pytest.raises(NoMediaPort):
        await media.ask(second, command)
    media.post(first, Close())
    assert await media.ask(second, command) == pair.start


async def test_nothing_goes_where_the_guard_says_no(media: MediaProcess, echo: Echo) -> None:
    elsewhere = AddressGuard((ip_network("127.255.255.254/32"),))
    line = await opened(media, guard=elsewhere)
    await media.ask(line, Begin(settings_to(echo.socket.local), None))
    await asyncio.sleep(0.1)
    media.post(line, Move(echo.socket.local, None, None, False))
    verdict = await media.ask(line, Judge())
    assert (verdict.packets_out, echo.heard) == (0, [])


async def test_a_refusal_is_told_once(media: MediaProcess, loopback: LoopbackBlock) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((loopback.address(), 0))
        nobody: tuple[str, int] = taken.getsockname()
    notes: list[str] = []
    told = asyncio.Event()

    def note(text: str) -> None:
        notes.append(text)
        told.set()

    line = media.add_line(note)
    await media.ask(line, Open("127.0.0.1", PORTS, LOOPBACK))
    await media.ask(line, Begin(settings_to(nobody), None))
    await asyncio.wait_for(told.wait(), SOON)
    # Some packets later.
    await asyncio.sleep(0.2)
    assert (await media.ask(line, Judge())).packets_out > 5
    assert len(notes) == 1
    assert f"port {nobody[1]} was refused (ICMP" in notes[0]


async def test_a_process_that_died_loses_its_lines_and_the_next_line_gets_another(
    media: MediaProcess, echo: Echo
) -> None:
    line, died = await opened(media), media.pid
    assert died is not None
    os.kill(died, signal.SIGKILL)
    with pytest.raises(MediaLost):
        await media.ask(line, Judge())
    after = await opened(media)
    assert media.pid not in (None, died)
    assert await media.ask(after, Begin(settings_to(echo.socket.local), None)) == 0
    with pytest.raises(MediaLost):
        await media.ask(line, Judge())


async def test_who_waits_for_a_process_that_dies_is_told(media: MediaProcess) -> None:
    line = await opened(media)
    assert media.pid is not None
    os.kill(media.pid, signal.SIGSTOP)
    waiting = asyncio.create_task(media.ask(line, Judge()))
    await asyncio.sleep(0)
    os.kill(media.pid, signal.SIGKILL)
    with pytest.raises(MediaLost):
        await asyncio.wait_for(waiting, SOON)


async def test_a_process_that_hangs_is_killed_with_its_owner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sip.net.media_process.ENDING_SECONDS", 0.1)
    async with MediaProcess() as media:
        pid = media.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
    assert not _runs(pid)


async def test_signals_to_the_whole_group_leave_it_to_its_owner(media: MediaProcess) -> None:
    line = await opened(media)
    assert media.pid is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(media.pid, number)
    assert await media.ask(line, Judge()) is None


async def test_it_ends_with_an_owner_that_is_killed() -> None:
    owner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OWNER), stdout=asyncio.subprocess.PIPE
    )
    assert owner.stdout is not None
    pid = int(await asyncio.wait_for(owner.stdout.readline(), SOON))
    assert _runs(pid)
    owner.kill()
    await owner.wait()
    for _ in range(500):
        if not _runs(pid):
            return
        await asyncio.sleep(0.02)
    pytest.fail("it runs still")


async def test_it_knows_no_setting_of_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUNKLINE_SECRET_KEYS", "id:c2VjcmV0")
    async with MediaProcess() as media:
        await opened(media)
        environment = _about(media.pid, "environ")
    assert b"PATH=" in environment
    assert b"TRUNKLINE_" not in environment


async def test_a_command_that_nobody_waits_for_and_that_fails_is_told_to_the_loop(
    media: MediaProcess, loop_errors: list[str]
) -> None:
    line = media.add_line(lambda _: None)
    media.post(line, Open("127.0.0.1", range(32203, 32204), LOOPBACK))
    with pytest.raises(MediaLost):
        await media.ask(line, Judge())
    assert len(loop_errors) == 1
    assert "holds no pair" in loop_errors.pop()


@pytest.mark.parametrize("asked", [True, False], ids=["asked", "posted"])
async def test_closing_twice_is_closing_once(media: MediaProcess, *, asked: bool) -> None:
    line = await opened(media)
    media.post(line, Close())
    if asked:
        with pytest.raises(MediaLost):
            await media.ask(line, Judge())
    media.post(line, Close())
    assert await opened(media) > line


def _about(pid: int | None, name: str) -> bytes:
    return Path(f"/proc/{pid}/{name}").read_bytes()


def _runs(pid: int) -> bool:
    try:
        state = _about(pid, "stat").rpartition(b")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != b"Z"
