"""``trunkline call`` as a person runs it, against a real SIPp."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from commands.call import PASSWORD_VARIABLE
from domain.proof import Rung
from tests.support.loopback import LoopbackBlock
from tests.support.programs import inherited_environment, require_program
from tests.support.sipp_calls import CallScript, SippCallee, run_sipp_callee
from tests.support.sipp_scripts import DIGEST_PASSWORD, DIGEST_USER
from tests.support.tshark import fields_of

ROOT = Path(__file__).resolve().parents[2]
MEDIA = {"TRUNKLINE_MEDIA_PORT_FIRST": "22000", "TRUNKLINE_MEDIA_PORT_LAST": "22500"}

peer = pytest.mark.peer
RunCallee = Callable[..., AbstractAsyncContextManager[SippCallee]]


@dataclass(frozen=True, slots=True)
class Ran:
    code: int | None
    out: str
    err: str


@pytest.fixture
def callee(loopback: LoopbackBlock, tmp_path: Path) -> RunCallee:
    """``callee(script)`` is a SIPp that has found its script kept at the end."""

    @asynccontextmanager
    async def running(script: CallScript, transport: str = "udp") -> AsyncIterator[SippCallee]:
        async with run_sipp_callee(script, transport, loopback.address(), tmp_path) as sipp:
            yield sipp
            await sipp.finished()

    return running


async def started(folder: Path, *arguments: str, **environment: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "trunkline.py"), "call", *arguments),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        cwd=folder,
        env={
            **inherited_environment(folder),
            "PYTHONIOENCODING": "utf-8",
            "COLUMNS": "120",
            **MEDIA,
            **environment,
        },
    )


async def ended(process: Process) -> Ran:
    out, err = await process.communicate()
    return Ran(process.returncode, out.decode(), err.decode())


async def call(folder: Path, *arguments: str, **environment: str) -> Ran:
    return await ended(await started(folder, *arguments, **environment))


@peer
async def test_a_call_that_works_is_drawn_and_proven(callee: RunCallee, tmp_path: Path) -> None:
    async with callee(CallScript.ANSWERS) as sipp:
        ran = await call(tmp_path, f"sip:phone@{sipp.address};transport=udp", "--private")
    assert (ran.code, ran.err) == (0, "")
    arrows = ["INVITE [SDP", "100 Trying", "180 Ringing", "200 OK [SDP", "ACK", "RTP PCMU", "BYE"]
    places = [ran.out.index(arrow) for arrow in arrows]
    assert places == sorted(places)
    assert "It works." in ran.out
    assert "FAIL" not in ran.out


@peer
async def test_a_call_that_fails_says_what_to_change(callee: RunCallee, tmp_path: Path) -> None:
    async with callee(CallScript.NO_COMMON_CODEC) as sipp:
        ran = await call(tmp_path, f"sip:phone@{sipp.address};transport=udp", "--private")
    assert ran.code == 1
    assert "488 Not Acceptable Here" in ran.out
    assert "What to change:" in ran.out
    assert "Settings that usually help:" in ran.out
    assert "It works." not in ran.out


@peer
async def test_json_holds_everything_but_secrets(callee: RunCallee, tmp_path: Path) -> None:
    async with callee(CallScript.CHALLENGES, "tcp") as sipp:
        ran = await call(
            tmp_path,
            f"{sipp.address}:5060",
            *("--to", "+14155550123", "--from", "+14155550100", "--user", DIGEST_USER),
            *("--transport", "tcp", "--private", "--json"),
            **{PASSWORD_VARIABLE: DIGEST_PASSWORD},
        )
    assert (ran.code, ran.err) == (0, "")
    document = json.loads(ran.out)
    assert document["works"] is True
    assert [step["rung"] for step in document["proof"]] == [*Rung]
    assert document["verdict"]["result"] == "connected"
    assert document["diagnosis"] is None
    assert document["settings"]["transport"] == "tcp"
    invite = document["facts"]["invite"]
    assert invite["request_uri"].startswith(f"sip:+14155550123@{sipp.address}")
    assert invite["from_uri"].startswith("sip:+14155550100@")
    sent = [entry["method"] for entry in document["trace"] if entry["direction"] == "out"]
    assert sent == ["INVITE", "ACK", "INVITE", "ACK", "BYE"]
    authorized = document["trace"][3]["raw"]
    assert f'username="{DIGEST_USER}"' in authorized
    assert 'response="' + 32 * "*" + '"' in authorized
    assert DIGEST_PASSWORD not in ran.out


@peer
async def test_the_messages_are_written_to_a_capture_file(
    callee: RunCallee, tmp_path: Path
) -> None:
    tshark = require_program("tshark", "tshark")
    async with callee(CallScript.BUSY) as sipp:
        ran = await call(
            tmp_path,
            f"sip:phone@{sipp.address};transport=udp",
            *("--private", "--json", "--pcap", "call.pcap"),
        )
    assert ran.code == 1
    assert "4 messages in call.pcap" in ran.err
    rows = await fields_of(tshark, tmp_path / "call.pcap", ("sip.Method", "sip.Status-Code"))
    assert rows == [("INVITE", ""), ("", "100"), ("", "486"), ("ACK", "")]


@peer
async def test_ctrl_c_hangs_up(callee: RunCallee, tmp_path: Path) -> None:
    async with callee(CallScript.RINGS) as sipp:
        process = await started(
            tmp_path, f"sip:phone@{sipp.address};transport=udp", "--private", "--json"
        )
        await sipp.has_sent("180 Ringing")
        process.send_signal(signal.SIGINT)
        ran = await ended(process)
    assert ran.code == 1
    document = json.loads(ran.out)
    assert document["facts"]["stopped"] == "hang_up"
    assert document["verdict"]["failure_reason"] == "cancelled"


@peer
async def test_a_phone_that_rings_for_longer_than_the_timeout_is_cancelled(
    callee: RunCallee, tmp_path: Path
) -> None:
    async with callee(CallScript.RINGS) as sipp:
        ran = await call(
            tmp_path,
            f"sip:phone@{sipp.address};transport=udp",
            *("--private", "--json", "--timeout", "1"),
        )
    assert ran.code == 1
    assert json.loads(ran.out)["verdict"]["result"] == "no_answer"


async def test_an_address_that_is_not_allowed_gets_no_packet(
    loopback: LoopbackBlock, tmp_path: Path
) -> None:
    ran = await call(tmp_path, loopback.address(), "--json")
    assert ran.code == 1
    document = json.loads(ran.out)
    assert document["trace"] == []
    assert document["diagnosis"]["code"] == "address_not_allowed"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("not a host",), ""),
        (("192.0.2.1", "--to", "a b"), "'a b' cannot stand before the @"),
        (("192.0.2.1", "--from", "a@b"), "'a@b' cannot stand before the @"),
        (("192.0.2.1", "--user", "alice"), f"{PASSWORD_VARIABLE} is not set"),
        (("192.0.2.1", "--transport", "sctp"), "sctp"),
        (("192.0.2.1", "--timeout", "0"), "--timeout"),
        (("192.0.2.1", "--ca-file", "missing.pem"), "missing.pem cannot be used"),
        (("192.0.2.1", "--pcap", "nowhere/call.pcap"), "nowhere is not a folder"),
    ],
    ids=lambda value: " ".join(value[1:]) if isinstance(value, tuple) else "",
)
async def test_what_cannot_be_tried_is_refused_with_2(
    tmp_path: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    ran = await call(tmp_path, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert complaint in ran.err
    assert "Traceback" not in ran.err
