"""A real SIPp that is called, and its own verdict on the caller.

SIPp ends with success only when every message of its script came in its order, so what it says of a
call is a stranger's judgement of our user agent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from local.process import ManagedProcess
from tests.support.listening import listens
from tests.support.programs import require_program, run_program
from tests.support.sipp import SippFailed
from tests.support.sipp_scripts import (
    Sdp,
    answers,
    asks,
    challenges,
    hears,
    hears_response,
    invited,
    jumps_unless_authorized,
    label,
    replies,
    scenario,
    waits,
)

__all__ = ["MEDIA_PORT", "CallScript", "SippCallee", "run_sipp_callee"]

MEDIA_PORT = 6000
"""Where SIPp sends every RTP packet back to its sender."""

_POLL = 0.02
_TRANSPORTS = {"udp": "u1", "tcp": "t1"}
_UNTIL_CANCELLED = (hears("CANCEL"), replies(200), answers(487), hears("ACK"))
_UNTIL_BYE = (hears("BYE"), replies(200))
_ANSWER = (answers(200, sdp=Sdp.PLAIN), hears("ACK"))


def _refusal(status: int, *headers: str) -> tuple[str, ...]:
    return (invited(), answers(100), answers(status, *headers), hears("ACK"))


class CallScript(Enum):
    """What becomes of the call; each value is the script's steps."""

    ANSWERS = (invited(), answers(100), answers(180), waits(200), *_ANSWER, *_UNTIL_BYE)
    ANSWERS_ALAW = (invited(), answers(200, sdp=Sdp.ALAW), hears("ACK"), *_UNTIL_BYE)
    ANSWERS_PRIVATE = (invited(), answers(200, sdp=Sdp.PRIVATE), hears("ACK"), *_UNTIL_BYE)
    CHALLENGES = (
        invited(),
        challenges(),
        invited(verify=True),
        jumps_unless_authorized("forbidden"),
        *_ANSWER,
        *_UNTIL_BYE,
        # The end of a script that went well is its last step, so it leaves by a jump behind this.
        '<nop next="end"/>',
        label("forbidden"),
        answers(403),
        hears("ACK"),
        label("end"),
        waits(0),
    )
    NONCE_TURNS_STALE = (
        invited(),
        challenges(nonce="first"),
        invited(verify=True),
        challenges(nonce="second", extra=", stale=true"),
        invited(verify=True),
        *_ANSWER,
        *_UNTIL_BYE,
    )
    ALWAYS_CHALLENGES = (
        invited(),
        challenges(nonce="first"),
        invited(),
        challenges(nonce="second"),
    )
    BUSY = _refusal(486, 'Reason: Q.850;cause=17;text="User busy"')
    DECLINES = _refusal(603)
    NOT_FOUND = _refusal(404)
    NO_COMMON_CODEC = _refusal(488, 'Warning: 304 sipp.test "Media type not available"')
    UNAVAILABLE = _refusal(503, "Retry-After: 7")
    RINGS = (invited(), answers(100), answers(180), *_UNTIL_CANCELLED)
    DROPS_AFTER_TRYING = (invited(), answers(100), *_UNTIL_CANCELLED)
    ANSWERS_IN_SPITE_OF_CANCEL = (
        *(invited(), answers(180), hears("CANCEL"), replies(200)),
        *_ANSWER,
        *_UNTIL_BYE,
    )
    REPEATS_ITS_ANSWER = (
        *(invited(), *_ANSWER),
        *(answers(200, sdp=Sdp.PLAIN, once=True), hears("ACK")),
        *(answers(200, sdp=Sdp.PLAIN, once=True), hears("ACK")),
        *_UNTIL_BYE,
    )
    FORKS = (
        *(invited(), *_ANSWER),
        *(answers(200, sdp=Sdp.PLAIN, tag="b", once=True), hears("ACK")),
        *_UNTIL_BYE,
        *_UNTIL_BYE,
    )
    RELIABLE_RINGING = (
        invited(),
        answers(183, "Require: 100rel", "RSeq: 1", sdp=Sdp.PLAIN),
        hears("PRACK"),
        replies(200),
        waits(300),
        *(answers(200), hears("ACK")),
        *_UNTIL_BYE,
    )
    WANTS_A_LONGER_SESSION = (
        *(invited(), answers(422, "Min-SE: 1800"), hears("ACK"), invited(header="Min-SE")),
        *_ANSWER,
        *_UNTIL_BYE,
    )
    HANGS_UP_AT_ONCE = (invited(), *_ANSWER, asks("BYE", 1), hears_response(200))
    REINVITES = (
        *(invited(), *_ANSWER, waits(300)),
        *(asks("INVITE", 1, sdp=Sdp.PLAIN), hears_response(200), asks("ACK", 1)),
        *_UNTIL_BYE,
    )
    ASKS_OPTIONS = (invited(), *_ANSWER, asks("OPTIONS", 1), hears_response(200), *_UNTIL_BYE)


@dataclass(frozen=True, slots=True)
class SippCallee:
    """A SIPp that waits for its calls; it ends with the last."""

    address: str
    port: int
    process: ManagedProcess
    errors: Path
    messages: Path

    def log(self) -> str:
        """The messages that SIPp sent and received so far, by its own account."""
        return self.messages.read_text(errors="replace") if self.messages.exists() else ""

    async def has_sent(self, text: str, *, seconds: float = 10.0) -> None:
        """Return when these words stand in the log of messages. Raises ``TimeoutError``."""
        give_up = time.monotonic() + seconds
        while text not in self.log():
            if time.monotonic() > give_up:
                raise TimeoutError(f"SIPp did not send {text!r}")
            await asyncio.sleep(_POLL)

    async def finished(self, *, seconds: float = 10.0) -> None:
        """Return when SIPp found the whole script kept. Raises ``SippFailed`` and ``TimeoutError``."""
        async with asyncio.timeout(seconds):
            how = await self.process.ended()
        if how != "exit code 0":
            failure = SippFailed(how)
            if self.errors.exists():
                failure.add_note(self.errors.read_text(errors="replace"))
            raise failure


@asynccontextmanager
async def run_sipp_callee(
    script: Enum,
    transport: str,
    address: str,
    folder: Path,
    *,
    port: int = 5060,
    calls: int = 1,
) -> AsyncIterator[SippCallee]:
    """Run SIPp over udp or tcp until its calls or the block ends. Raises ``StartFailed``.

    ``script`` is a ``CallScript``, or a member of another enumeration of steps.
    """
    program = require_program("sipp", "sip-tester")
    file, errors = folder / "scenario.xml", folder / "errors.log"
    messages = folder / "messages.log"
    file.write_text(scenario(script.name.lower().replace("_", " "), *script.value))
    command = (
        *(program, "-sf", str(file), "-t", _TRANSPORTS[transport], "-nostdin"),
        *("-m", str(calls), "-l", str(max(calls, 3))),
        *("-i", address, "-p", str(port), "-ci", address),
        *("-mi", address, "-mp", str(MEDIA_PORT), "-rtp_echo"),
        *("-trace_err", "-error_file", str(errors)),
        *("-trace_msg", "-message_file", str(messages)),
    )

    async def ready() -> bool:
        # A request sent to find out would be the one call that SIPp waits for.
        return listens(transport, address, port)

    async with run_program(command, folder, name="sipp", ready=ready) as process:
        yield SippCallee(address, port, process, errors, messages)
