"""The process that the media of all calls of a process runs in.

A packet of voice is due every 20 ms whatever else happens. Beside SIP, rows and TLS it would wait for
their turn in the loop, and in a thread for the interpreter lock, anew for each datagram.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from sip.net.media_commands import (
    Answer,
    Close,
    Command,
    Judge,
    MediaLost,
    Note,
    Open,
    Order,
    Raised,
    frame_of,
    read_frame,
)

__all__ = ["MediaProcess"]

PROGRAM: Final = "sip.net.media_main"
FOLDER: Final = Path(__file__).parents[2]
"""Where the program finds this package, wherever the process was started."""

ENDING_SECONDS: Final = 5.0
"""For a media process that nobody talks to any more; then it is killed."""


class MediaProcess:
    """Async context manager; leave it when no call is left.

    Should the media process die, then the media of its calls is lost, and the next line to be opened
    gets a new one. What a callback in it raised goes to the exception handler of the running loop.
    """

    def __init__(self) -> None:
        self._ids = itertools.count()
        self._notes: dict[int, Callable[[str], None]] = {}
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._starting = asyncio.Lock()
        self._process: Process | None = None
        self._writer: StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> MediaProcess:
        await self._start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def pid(self) -> int | None:
        """Process id, None while there is none."""
        return None if self._writer is None or self._process is None else self._process.pid

    def add_line(self, note: Callable[[str], None]) -> int:
        """The number of a new line; ``note`` gets the sentences about it until it is closed."""
        line = next(self._ids)
        self._notes[line] = note
        return line

    def post(self, line: int, command: Command) -> None:
        """Have a command done, behind all before it; lost when the media process is."""
        if isinstance(command, Close):
            self._notes.pop(line, None)
        if self._writer is not None:
            self._writer.write(frame_of(Order(line, command)))

    async def ask(self, line: int, command: Command) -> Any:
        """What a command came to, done behind all before it.

        Raises `MediaLost`, OSError when the media process cannot be started, and what the command
        raised. Who stops waiting does not know whether it was done.
        """
        if isinstance(command, Open):
            await self._start()
        if self._writer is None:
            raise MediaLost("the media process ended")
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        self._writer.write(frame_of(Order(line, command, number)))
        try:
            return await answer
        finally:
            del self._answers[number]
            if isinstance(command, Judge):
                self._notes.pop(line, None)

    async def close(self) -> None:
        """End the media process; the next line to be opened would start another. Idempotent."""
        process, reading = self._process, self._reading
        if process is None:
            return
        if self._writer is not None:
            self._writer.close()
        ending: set[asyncio.Task[Any]] = {asyncio.create_task(process.wait())}
        if reading is not None:
            ending.add(reading)
        _, left = await asyncio.wait(ending, timeout=ENDING_SECONDS)
        if left:
            if process.returncode is None:
                process.kill()
            await asyncio.wait(left)
        if reading is not None:
            reading.result()

    async def _start(self) -> None:
        async with self._starting:
            if self._writer is not None:
                return
            # The one that died, if there was one.
            await self.close()
            ours, theirs = socket.socketpair()
            try:
                with theirs:
                    self._process = await asyncio.create_subprocess_exec(
                        *(sys.executable, "-m", PROGRAM, str(theirs.fileno())),
                        stdin=DEVNULL,
                        stdout=DEVNULL,
                        pass_fds=(theirs.fileno(),),
                        cwd=FOLDER,
                        env=_environment(),
                    )
                ours.setblocking(False)
                reader, self._writer = await asyncio.open_unix_connection(sock=ours)
            except BaseException:
                ours.close()
                raise
            self._reading = asyncio.create_task(self._read(reader, self._writer), name="media")

    async def _read(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Take what the media process says until it is gone."""
        try:
            while (said := await read_frame(reader)) is not None:
                self._take(said)
        finally:
            self._writer = None
            writer.close()
            for waiting in self._answers.values():
                if not waiting.done():
                    waiting.set_exception(MediaLost("the media process ended"))

    def _take(self, said: Answer | Note | Raised) -> None:
        match said:
            case Answer(number, value, error):
                waiting = self._answers.get(number)
                if waiting is None or waiting.done():
                    return
                if error is None:
                    waiting.set_result(value)
                else:
                    waiting.set_exception(error)
            case Note(line, text) if line in self._notes:
                self._notes[line](text)
            case Raised(text):
                asyncio.get_running_loop().call_exception_handler({"message": text})


def _environment() -> dict[str, str]:
    """Ours without our settings: what takes packets of strangers has no use for keys."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
