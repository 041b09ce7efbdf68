"""Files of strangers: read up to a limit, and checked in a process that ends with each of them.

A parser that a file makes loop, swell or crash takes nothing along: the process has a limit for its
memory and its time (``papers.checker_main``), none of our settings, and is killed after ``SECONDS``.
Starting it takes a fraction of a second, which an upload does not notice.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterable
from pathlib import Path
from typing import Final

from papers.checked import CheckedUpload
from papers.checker_messages import READY, Answer, Question
from papers.checking import TOO_MUCH
from papers.errors import CheckUnavailable, InvalidFile, TooLarge

__all__ = ["AT_ONCE", "MAX_UPLOAD_BYTES", "SECONDS", "UploadChecker", "read_capped"]

MAX_UPLOAD_BYTES: Final = 10 * 1024 * 1024
"""API contract 6.2 says 10 MB; where those are powers of two, a file of 10 MB is taken too."""

SECONDS: Final = 30.0
"""For one file: twice the processor time that it may use, since others use the processor too."""

AT_ONCE: Final = 2
"""Files that one server checks at the same time; together they may use two gigabytes."""

PROGRAM: Final = "papers.checker_main"
FOLDER: Final = Path(__file__).parents[1]
"""Where the program finds this package, wherever the server was started."""

_PASSED_ON: Final = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")


async def read_capped(chunks: AsyncIterable[bytes], limit: int = MAX_UPLOAD_BYTES) -> bytes:
    """The whole of a stream that has at most ``limit`` bytes.

    Raises ``TooLarge`` as soon as it has more: no more than ``limit`` and one chunk is ever read.
    """
    read = bytearray()
    async for chunk in chunks:
        read += chunk
        if len(read) > limit:
            raise TooLarge(limit)
    return bytes(read)


class UploadChecker:
    """Checks files, ``at_once`` of them at the same time; the others wait for their turn."""

    def __init__(
        self, *, at_once: int = AT_ONCE, seconds: float = SECONDS, program: str = PROGRAM
    ) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._seconds = seconds
        self._program = program

    async def check(self, data: bytes, name: str) -> CheckedUpload:
        """The document that a file of this name is; see ``papers.checking.check_upload``.

        Raises ``InvalidFile``, also when the file cannot be read within the limits, and
        ``CheckUnavailable`` when that says nothing of the file.
        """
        return await self._ask(Question(data, name))

    async def check_drawing(self, data: bytes) -> CheckedUpload:
        """A drawn signature, as a PNG; see ``papers.checking.check_drawing``. Raises as ``check``."""
        return await self._ask(Question(data, is_drawing=True))

    async def _ask(self, question: Question) -> CheckedUpload:
        async with self._turns:
            said = await self._said(question.written())
        if not said.startswith(READY):
            raise CheckUnavailable("the program that checks files does not run")
        try:
            answer = Answer.read(said.removeprefix(READY))
        except ValueError:
            raise InvalidFile(TOO_MUCH, detail="the program ended") from None
        if answer.checked is None:
            raise InvalidFile(answer.refused, detail=answer.detail)
        return answer.checked

    async def _said(self, question: bytes) -> bytes:
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", self._program),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                cwd=FOLDER,
                env=_environment(),
            )
        except OSError as error:
            raise CheckUnavailable("the program that checks files cannot be started") from error
        try:
            async with asyncio.timeout(self._seconds):
                said, _ = await process.communicate(question)
        except TimeoutError:
            raise InvalidFile(TOO_MUCH, detail="timeout") from None
        finally:
            await _end(process)
        return said


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()


def _environment() -> dict[str, str]:
    """What an interpreter needs to start: what reads files of strangers has no use for keys."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
