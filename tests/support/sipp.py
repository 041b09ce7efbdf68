"""A real SIPp, answering as a scenario says or calling and counting what succeeded."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from local.process import ManagedProcess
from tests.support.programs import answers_options, require_program, run_program

__all__ = ["CallCount", "Scenario", "SippFailed", "run_sipp_uac", "run_sipp_uas"]

_SCENARIOS = Path(__file__).with_name("sipp")
_TRANSPORTS = {"udp": "u1", "tcp": "t1"}
"""One socket for all calls; this build knows no TLS."""


class Scenario(StrEnum):
    """How a SIPp answers OPTIONS; the values are files beside this module."""

    WITH_SDP = "uas_200_with_sdp.xml"
    UNAVAILABLE = "uas_503.xml"
    SLOW = "uas_slow.xml"
    TWICE = "uas_twice.xml"


class SippFailed(Exception):
    """SIPp ended in another way than by finishing its calls."""


@dataclass(frozen=True, slots=True)
class CallCount:
    """Calls of one run by SIPp's own statistics."""

    successful: int
    failed: int
    retransmissions: int


@asynccontextmanager
async def run_sipp_uas(
    scenario: Scenario, transport: str, address: str, folder: Path, *, port: int = 5060
) -> AsyncIterator[ManagedProcess]:
    """Run SIPp as a server over udp or tcp until the block ends. Raises ``StartFailed``."""
    program = require_program("sipp", "sip-tester")
    command = (
        *(program, "-sf", str(_SCENARIOS / scenario.value), "-t", _TRANSPORTS[transport]),
        *("-i", address, "-p", str(port), "-ci", address, "-nostdin", "-trace_err"),
    )

    async def ready() -> bool:
        return await answers_options(transport, address, port)

    async with run_program(command, folder, name="sipp", ready=ready) as process:
        yield process


async def run_sipp_uac(
    transport: str,
    *,
    source: str,
    target: tuple[str, int],
    folder: Path,
    calls: int,
    per_second: int,
    seconds: float = 30.0,
) -> CallCount:
    """Send OPTIONS until ``calls`` have ended and return SIPp's statistics.

    Raises ``SippFailed`` when it could not work, and ``TimeoutError`` after ``seconds``.
    """
    program = require_program("sipp", "sip-tester")
    statistics = folder / "statistics.csv"
    process = await asyncio.create_subprocess_exec(
        *(program, f"{target[0]}:{target[1]}", "-sf", str(_SCENARIOS / "uac_options.xml")),
        *("-t", _TRANSPORTS[transport], "-i", source, "-ci", source, "-nostdin", "-trace_err"),
        *("-m", str(calls), "-r", str(per_second), "-l", str(calls)),
        *("-trace_stat", "-stf", str(statistics)),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(seconds):
            _, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    # 1 says that at least one call failed, which the statistics count.
    if process.returncode not in (0, 1) or not statistics.exists():
        raise SippFailed(f"exit code {process.returncode}: {complaint.decode(errors='replace')}")
    with statistics.open(newline="") as file:
        last = [*csv.DictReader(file, delimiter=";")][-1]
    return CallCount(
        successful=int(last["SuccessfulCall(C)"]),
        failed=int(last["FailedCall(C)"]),
        retransmissions=int(last["Retransmissions(C)"]),
    )
