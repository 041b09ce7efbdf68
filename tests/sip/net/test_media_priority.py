"""The place of the media process among all that want the processor."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

RUNS_LONG = """
import os, time
from sip.net.media_main import come_first

come_first()
print(os.sched_getscheduler(0))
give_up = time.monotonic() + 20
while os.sched_getscheduler(0) == os.SCHED_RR and time.monotonic() < give_up:
    pass
print(os.sched_getscheduler(0))
"""

PACES = """
import os, time
from sip.net.media_main import come_first

come_first()
print(os.sched_getscheduler(0))
for _ in range(500):
    time.sleep(0.001)
print(os.sched_getscheduler(0))
"""

NOT_PERMITTED = """
import os, resource
from sip.net.media_main import come_first

resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
os.setgroups([])
os.setresuid(65534, 65534, 65534)
come_first()
print(os.sched_getscheduler(0))
"""


async def policies(program: str) -> list[int]:
    """What a program printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    return [int(word) for word in said.split()]


@pytest.fixture
async def permitted() -> None:
    """Leave the test out where nothing may be real time, as in a container without capabilities."""
    if (await policies(PACES))[0] != os.SCHED_RR:
        pytest.skip("this process may not be real time")


@pytest.mark.usefixtures("permitted")
async def test_what_paces_comes_first_as_long_as_it_pauses() -> None:
    assert await policies(PACES) == [os.SCHED_RR, os.SCHED_RR]


@pytest.mark.usefixtures("permitted")
async def test_what_runs_on_and_on_takes_its_turn() -> None:
    assert await policies(RUNS_LONG) == [os.SCHED_RR, os.SCHED_OTHER]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_without_permission_it_takes_its_turn_from_the_start() -> None:
    assert await policies(NOT_PERMITTED) == [os.SCHED_OTHER]
