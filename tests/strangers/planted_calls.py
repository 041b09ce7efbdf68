"""Test calls of a customer who planted secrets: proven, encrypted, refused, and lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path

from tests.strangers.call_stage import Callee
from tests.strangers.planted import NUMBERS, Planted
from tests.strangers.test_discovery_kills import killed
from tests.support.canaries import canary
from tests.support.loopback import LoopbackBlock
from tests.support.sipp_calls import CallScript, run_sipp_callee
from tests.support.sipp_scripts import DIGEST_PASSWORD, DIGEST_USER

__all__ = ["call_everybody", "lose_the_worker"]

SIP_PASSWORD = canary("sip-password")


class Challenger(Enum):
    """A callee that knows the planted password, and lets nobody in without it."""

    CHALLENGES = tuple(
        step.replace(DIGEST_PASSWORD, SIP_PASSWORD) for step in CallScript.CHALLENGES.value
    )


async def _call(planted: Planted, number: str, *, ends: str) -> None:
    """Place a test call that ends with this status."""
    call_id = await planted.customer.begin_test_call(number)
    planted.call_ids.append(call_id)
    view = await planted.customer.test_call_ended(call_id, seconds=40)
    assert view["status"] == ends, view


async def call_everybody(planted: Planted, loopback: LoopbackBlock, folder: Path) -> None:
    """Calls that are proven with a password, encrypted, refused, or lost with their worker."""
    address = loopback.address()
    planted.secrets["sip password"] = SIP_PASSWORD
    account = {"sip_username": DIGEST_USER, "transport": "udp", "port": 5060}
    wrong = planted.plant("wrong password")
    endpoint = f"sip:{DIGEST_USER}:{planted.plant('password of an endpoint')}@{address}"
    await planted.customer.attach(NUMBERS[2], endpoint, sip_password=SIP_PASSWORD, **account)
    await planted.customer.attach(NUMBERS[3], f"sip:{address}", sip_password=wrong, **account)
    for number, status in ((NUMBERS[2], "completed"), (NUMBERS[3], "failed")):
        async with _callee(planted, Challenger.CHALLENGES, address, folder):
            await _call(planted, number, ends=status)
    async with _callee(planted, CallScript.BUSY, address, folder):
        await _call(planted, NUMBERS[2], ends="busy")
    await planted.customer.attach(
        NUMBERS[4],
        f"sip:{planted.lab.peers['tls-srtp'].address}",
        transport="tls",
        ca_pem=planted.lab.ca_file.read_text(encoding="ascii"),
        sip_username="canary",
        sip_password=planted.plant("password that nobody asked for"),
    )
    await _call(planted, NUMBERS[4], ends="completed")
    updates = {"type": "outbound", "options": {"sip_password": planted.plant("new password")}}
    changed = await planted.ask(
        "POST", "/v1/sip/update", json={"phone_number": NUMBERS[3], "updates": updates}
    )
    assert changed.status_code == 200, changed.text
    # Nobody listens there any more.
    await _call(planted, NUMBERS[2], ends="failed")


async def lose_the_worker(planted: Planted, loopback: LoopbackBlock, folder: Path) -> None:
    """Kill the worker while it rings; another one ends the call from what was sealed."""
    address = loopback.address()
    await planted.customer.attach(
        NUMBERS[5],
        f"sip:{address}",
        transport="udp",
        port=5060,
        sip_username=DIGEST_USER,
        sip_password=planted.plant("password of a lost call"),
    )
    async with _callee(planted, Callee.RINGS, address, folder):
        call_id = await planted.customer.begin_test_call(NUMBERS[5])
        planted.call_ids.append(call_id)
        await planted.customer.test_call_when(call_id, lambda view: view["status"] == "ringing")
        await killed(planted.worker)
        planted.worker = await planted.product.start_worker()
        view = await planted.customer.test_call_ended(call_id, seconds=40)
        assert view["failure_reason"] == "interrupted"


@asynccontextmanager
async def _callee(
    planted: Planted, script: Enum, address: str, folder: Path
) -> AsyncIterator[None]:
    place = folder / f"callee-{len(planted.call_ids)}"
    place.mkdir()
    async with run_sipp_callee(script, "udp", address, place):
        yield
