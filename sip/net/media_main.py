"""The program of the media process: ``python -m sip.net.media_main DESCRIPTOR``.

It lives as long as the socket that it was given: its end is that of the process at the other end,
however that one came by it.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import sys
from asyncio import StreamReader, StreamWriter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, Final

from sip.errors import SipError
from sip.net.media_commands import (
    Answer,
    Begin,
    Close,
    Judge,
    MediaLost,
    Move,
    Note,
    Open,
    Order,
    Raised,
    Stop,
    frame_of,
    read_frame,
)
from sip.net.media_line import MediaLine

__all__ = ["come_first", "main"]

REAL_TIME_PRIORITY: Final = 1
"""The lowest of SCHED_RR is enough to come before all that is not real time."""

LONGEST_RUN: Final = 0.2
"""Seconds without a pause after which this is no pacing any more but a flood, and takes its turn."""

SWITCH_SECONDS: Final = 0.0001
"""How long the thread that judges keeps the interpreter from the one that sends."""


class MediaServer:
    """Runs the lines of one owner until that goes away."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._lines: dict[int, MediaLine] = {}
        # One, because it takes turns with the thread that sends.
        self._judge = ThreadPoolExecutor(1)
        self._judging: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Follow orders until the owner is gone."""
        asyncio.get_running_loop().set_exception_handler(self._raised)
        try:
            while (order := await read_frame(self._reader)) is not None:
                self._follow(order)
        finally:
            for line in self._lines.values():
                line.close()
            self._judge.shutdown()

    def _follow(self, order: Order) -> None:
        try:
            if isinstance(order.command, Judge):
                line = self._line(order)
                self._close(order.line)
                judging = asyncio.create_task(self._judged(order, line))
                self._judging.add(judging)
                judging.add_done_callback(self._judging.discard)
                return
            value, error = self._done(order), None
        except (OSError, SipError) as caught:
            value, error = None, caught
        self._answer(order, value, error)

    def _done(self, order: Order) -> int | None:
        match order.command:
            case Open(host, ports, guard):
                note = partial(self._note, order.line)
                line = self._lines[order.line] = MediaLine(host, ports, guard, note=note)
                return line.rtp_port
            case Begin(settings, keys):
                return self._line(order).begin(settings, keys)
            case Move(remote, remote_rtcp, keys, held):
                self._line(order).move(remote, remote_rtcp, keys, held=held)
            case Stop():
                self._line(order).stop()
            case Close():
                self._close(order.line)
        return None

    async def _judged(self, order: Order, line: MediaLine) -> None:
        loop = asyncio.get_running_loop()
        self._answer(order, await loop.run_in_executor(self._judge, line.verdict), None)

    def _close(self, number: int) -> None:
        line = self._lines.pop(number, None)
        if line is not None:
            line.close()

    def _line(self, order: Order) -> MediaLine:
        """Raises `MediaLost` for a line of a media process that was there before this one."""
        line = self._lines.get(order.line)
        if line is None:
            raise MediaLost("there is no such line")
        return line

    def _answer(self, order: Order, value: Any, error: Exception | None) -> None:
        if order.number is not None:
            self._writer.write(frame_of(Answer(order.number, value, error)))
        elif error is not None and not isinstance(error, MediaLost):
            self._writer.write(frame_of(Raised(f"{type(order.command).__name__}: {error!r}")))

    def _note(self, line: int, text: str) -> None:
        self._writer.write(frame_of(Note(line, text)))

    def _raised(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self._writer.write(frame_of(Raised(f"{context['message']}: {error!r}")))


async def _serve(descriptor: int) -> None:
    with socket.socket(fileno=descriptor) as sock:
        sock.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=sock)
        try:
            await MediaServer(reader, writer).serve()
        finally:
            writer.close()


def come_first() -> None:
    """Have packets leave before anything else runs, where CAP_SYS_NICE or RLIMIT_RTPRIO permit it.

    A packet that waits for a busy processor is as late as one that waits for our own code.
    """

    def take_turns(_number: int, _frame: object) -> None:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))

    signal.signal(signal.SIGXCPU, take_turns)
    longest, hardest = int(LONGEST_RUN * 1_000_000), resource.getrlimit(resource.RLIMIT_RTTIME)[1]
    if hardest == resource.RLIM_INFINITY or hardest > longest:
        resource.setrlimit(resource.RLIMIT_RTTIME, (longest, hardest))
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(REAL_TIME_PRIORITY))


def main() -> None:
    """Entry of the program."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # They go to a whole group of processes; the owner drains, and needs its media for that.
        signal.signal(number, signal.SIG_IGN)
    come_first()
    sys.setswitchinterval(SWITCH_SECONDS)
    asyncio.run(_serve(int(sys.argv[1])))


if __name__ == "__main__":
    main()
