"""Uploads from a stranger: read up to a limit, checked where they can do no harm."""

from __future__ import annotations

import asyncio
import io
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from papers.checker_messages import READY, Answer, Question
from papers.errors import CheckUnavailable, InvalidFile, TooLarge
from papers.file_types import FileType
from papers.uploads import UploadChecker, read_capped
from tests.papers.files import bill, drawing, picture


class Started:
    """The processes that were started, from the moment on that each runs its program."""

    def __init__(self) -> None:
        self.processes: list[Process] = []
        self.first = asyncio.Event()

    @property
    def ended(self) -> bool:
        return bool(self.processes) and all(each.returncode is not None for each in self.processes)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    seen = Started()
    start = asyncio.create_subprocess_exec

    async def noting(*args: Any, **named: Any) -> Process:
        process = await start(*args, **named)
        seen.processes.append(process)
        seen.first.set()
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noting)
    return seen


def environment_of(process: Process) -> bytes:
    return Path(f"/proc/{process.pid}/environ").read_bytes()


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


class TestReading:
    async def test_a_stream_within_the_limit_is_read_whole(self) -> None:
        assert await read_capped(stream(b"one", b"", b"two"), 6) == b"onetwo"
        assert await read_capped(stream(), 0) == b""

    async def test_a_stream_beyond_the_limit_is_not_read_on(self) -> None:
        taken = []

        async def endless() -> AsyncIterator[bytes]:
            while True:
                taken.append(1000)
                yield bytes(1000)

        with pytest.raises(TooLarge, match="larger than 10 MB: scan it at a lower resolution"):
            await read_capped(endless())
        assert sum(taken) <= 10 * 1024 * 1024 + 1000


class TestChecking:
    async def test_files_are_checked_as_they_are_here(self) -> None:
        checker = UploadChecker()
        data = bill(2)
        paper, photo = await asyncio.gather(
            checker.check(data, "März.pdf"), checker.check(picture("JPEG"), "a.jpg")
        )
        assert (paper.media_type, paper.data, paper.pages) == (FileType.PDF, data, 2)
        assert paper.name == "März.pdf"
        assert Image.open(io.BytesIO(photo.data)).format == "JPEG"

    async def test_a_refusal_comes_with_its_reason(self) -> None:
        with pytest.raises(InvalidFile, match=r"ends in \.png, but it is a PDF"):
            await UploadChecker().check(bill(), "bill.png")

    async def test_drawings_are_checked_as_drawings(self) -> None:
        checker = UploadChecker()
        assert (await checker.check_drawing(drawing())).media_type is FileType.PNG
        with pytest.raises(InvalidFile, match="nothing is drawn"):
            await checker.check_drawing(drawing(""))

    async def test_a_file_that_takes_for_ever_is_refused_and_its_process_ended(
        self, started: Started
    ) -> None:
        checker = UploadChecker(seconds=0.5, program="tests.papers.hanging_checker")
        with pytest.raises(InvalidFile, match="too much time or memory") as refused:
            await checker.check(bill(), "")
        assert refused.value.detail == "timeout"
        assert started.ended

    async def test_a_file_that_takes_all_memory_is_refused(self) -> None:
        checker = UploadChecker(program="tests.papers.swelling_checker")
        with pytest.raises(InvalidFile, match="too much time or memory"):
            await checker.check(bill(), "")

    async def test_who_stops_waiting_leaves_no_process(self, started: Started) -> None:
        checker = UploadChecker(program="tests.papers.hanging_checker")
        task = asyncio.create_task(checker.check(bill(), ""))
        await started.first.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert started.ended

    async def test_a_program_that_does_not_run_says_nothing_of_the_file(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(CheckUnavailable):
            await UploadChecker(program="papers.no_such_program").check(bill(), "")
        monkeypatch.setattr("sys.executable", "/nowhere/python")
        with pytest.raises(CheckUnavailable):
            await UploadChecker().check(bill(), "")

    async def test_only_so_many_at_once(self, started: Started) -> None:
        checker = UploadChecker(at_once=1, program="tests.papers.hanging_checker")
        tasks = [asyncio.create_task(checker.check(bill(), "")) for _ in range(3)]
        await started.first.wait()
        assert len(started.processes) == 1
        for task in reversed(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert len(started.processes) == 1
        assert started.ended

    async def test_the_process_has_none_of_our_settings(
        self, started: Started, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TRUNKLINE_SECRET_KEYS", "k1:secret")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        checker = UploadChecker(program="tests.papers.hanging_checker")
        task = asyncio.create_task(checker.check(bill(), ""))
        await started.first.wait()
        environment = environment_of(started.processes[0])
        assert b"PATH=" in environment
        assert b"secret" not in environment
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class TestMessages:
    def test_what_is_said_is_heard(self) -> None:
        question = Question(b"\x00data", "näme\n", is_drawing=True)
        assert Question.read(io.BytesIO(question.written())) == question
        answer = Answer(refused="no", detail="why")
        said = io.BytesIO()
        answer.write(said)
        assert Answer.read(said.getvalue()) == answer

    @pytest.mark.parametrize("said", [b"", b"\x00\x00\x00\x09{}", b"\x00\x00\x00\x02[]", READY])
    def test_what_is_no_answer_is_none(self, said: bytes) -> None:
        with pytest.raises(ValueError, match=r".*"):
            Answer.read(said)
