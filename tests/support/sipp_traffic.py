"""SIPps on both sides of a proxy, and what the calling one says of every call."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.listening import listens
from tests.support.programs import require_program, run_program
from tests.support.sipp import SippFailed

__all__ = ["PlacedCall", "Traffic", "place_calls", "run_callees"]

_SCENARIOS = Path(__file__).with_name("sipp")
ANSWERS_PORT, RINGS_PORT = 5070, 5072


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """One call by its caller's own log; ``seconds`` from the answer to the BYE."""

    call_id: str
    code: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Traffic:
    """A run: every call, and how many SIPp counts as right and wrong."""

    calls: Sequence[PlacedCall]
    successful: int
    failed: int


@asynccontextmanager
async def run_callees(address: str, folder: Path) -> AsyncIterator[tuple[str, str]]:
    """SIP URIs of one that answers and one that only rings, until the block ends."""
    program = require_program("sipp", "sip-tester")
    async with AsyncExitStack() as stack:
        for scenario, port in (("uas_traffic", ANSWERS_PORT), ("uas_rings", RINGS_PORT)):

            async def ready(port: int = port) -> bool:
                return listens("udp", address, port)

            own = folder / scenario
            own.mkdir()
            command = (
                *(program, "-sf", str(_SCENARIOS / f"{scenario}.xml"), "-t", "u1"),
                *("-i", address, "-p", str(port), "-ci", address, "-mi", address),
                *("-nostdin", "-trace_err"),
            )
            running = run_program(command, own, name=scenario, ready=ready)
            await stack.enter_async_context(running)
        yield f"sip:{address}:{ANSWERS_PORT}", f"sip:{address}:{RINGS_PORT}"


async def place_calls(
    scenario: str,
    numbers: Sequence[str],
    *,
    caller: str,
    source: str,
    target: tuple[str, int],
    folder: Path,
    per_second: int,
    seconds: float = 60.0,
) -> Traffic:
    """Call each of the numbers once, from ``caller``, by uac_traffic or uac_gives_up.

    Raises ``SippFailed`` when it could not work, and ``TimeoutError`` after ``seconds``.
    """
    program = require_program("sipp", "sip-tester")
    own = folder / scenario
    own.mkdir()
    lines = "\n".join(f"{number};{caller};" for number in numbers)
    (own / "numbers.csv").write_text(f"SEQUENTIAL\n{lines}\n", encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(program, f"{target[0]}:{target[1]}", "-sf", str(_SCENARIOS / f"{scenario}.xml")),
        *("-t", "u1", "-i", source, "-ci", source, "-mi", source, "-nostdin", "-trace_err"),
        *("-inf", "numbers.csv", "-m", str(len(numbers)), "-r", str(per_second)),
        *("-l", str(len(numbers)), "-trace_stat", "-stf", "statistics.csv"),
        *("-trace_logs", "-log_file", "calls.log"),
        cwd=own,
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
    statistics = own / "statistics.csv"
    if process.returncode not in (0, 1) or not statistics.exists():
        raise SippFailed(f"exit code {process.returncode}: {complaint.decode(errors='replace')}")
    with statistics.open(newline="") as file:
        last = [*csv.DictReader(file, delimiter=";")][-1]
    log = (own / "calls.log").read_text(encoding="utf-8")
    return Traffic(
        calls=[_placed(line) for line in log.splitlines() if line.strip()],
        successful=int(last["SuccessfulCall(C)"]),
        failed=int(last["FailedCall(C)"]),
    )


def _placed(line: str) -> PlacedCall:
    call_id, code, *times = line.split()
    if not times:
        return PlacedCall(call_id, int(code), None)
    seconds, micros, end_seconds, end_micros = (float(each) for each in times)
    return PlacedCall(call_id, int(code), end_seconds - seconds + (end_micros - micros) / 1_000_000)
