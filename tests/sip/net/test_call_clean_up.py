"""Ending the call of a process that was killed, from the last snapshot it saved."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from sip.authenticator import Credentials
from sip.dialog_state import CallSnapshot
from sip.message import Request, parse_message
from sip.net.call_clean_up import CleanUpFacts, clean_up_call
from sip.net.guard import AddressGuard
from sip.net.resolver import Resolver
from sip.net.wire import Direction, WireRecord
from tests.sip.net.calls import FAST, new_token
from tests.sip.net.phones import Call, Phone, Script, answering, deaf_socket, phone_at
from tests.sip.net.stacks import LOOPBACK
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")


async def kill_in_call(
    phone: Phone, transport: str, reached: Callable[[], Awaitable[object]]
) -> CallSnapshot:
    """Let a process call the phone, kill it when a state is reached; return its last snapshot."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.sip.net.dying_caller",
        phone.address,
        transport,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(20):
            await reached()
    finally:
        process.kill()
        printed, _ = await process.communicate()
    return CallSnapshot.from_json(printed.splitlines()[-1].decode())


async def clean_up(
    snapshot: CallSnapshot,
    *,
    guard: AddressGuard = LOOPBACK,
    credentials: Credentials | None = None,
    sent: list[str] | None = None,
    seconds: float = 3,
) -> CleanUpFacts:
    def wire(record: WireRecord) -> None:
        message = parse_message(record.data)
        if isinstance(message, Request) and record.direction is Direction.OUT and sent is not None:
            sent.append(message.method)

    return await clean_up_call(
        snapshot,
        guard=guard,
        resolver=Resolver([]),
        new_token=new_token,
        credentials=credentials,
        wire=wire,
        seconds=seconds,
        timers=FAST,
    )


async def ringing(call: Call) -> None:
    call.respond(180)
    await call.cancelled.wait()
    call.respond(487)


class Reached:
    """States of the first call of a phone."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone

    async def rung(self) -> None:
        await self._until(lambda: bool(self._phone.calls))
        await asyncio.sleep(0.2)

    async def talking(self) -> None:
        await self._until(lambda: bool(self._phone.acks and self._phone.media))

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self._phone.changed()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_talking_call_gets_its_bye(loopback: LoopbackBlock, transport: str) -> None:
    sent: list[str] = []
    async with phone_at(loopback.address(), answering) as phone:
        phone.transport = transport
        snapshot = await kill_in_call(phone, transport, Reached(phone).talking)
        assert phone.methods() == ["INVITE"]
        facts = await clean_up(snapshot, sent=sent)
    assert phone.methods() == ["INVITE", "BYE"]
    assert facts == CleanUpFacts(sent=("ACK", "BYE"), answers=(("BYE", 200),), ended=True)
    assert sent[:2] == ["ACK", "BYE"]
    bye = phone.requests[-1]
    assert bye.to.tag == phone.calls[0].tag
    assert bye.cseq.number > phone.requests[0].cseq.number


async def test_a_ringing_call_is_cancelled_and_its_487_acknowledged(
    loopback: LoopbackBlock,
) -> None:
    sent: list[str] = []
    async with phone_at(loopback.address(), ringing) as phone:
        snapshot = await kill_in_call(phone, "udp", Reached(phone).rung)
        facts = await clean_up(snapshot, sent=sent)
        assert phone.calls[0].cancelled.is_set()
    cancel = next(request for request in phone.requests if request.method == "CANCEL")
    assert cancel.via.branch == phone.requests[0].via.branch
    assert facts.ended
    assert facts.final == 487
    assert ("CANCEL", 200) in facts.answers
    # The refusal ended the early dialog too, and nothing overtook the CANCEL.
    assert [*dict.fromkeys(sent)] == ["CANCEL", "ACK"]


async def test_an_answer_that_crosses_the_clean_up_is_ended(loopback: LoopbackBlock) -> None:
    async def crossing(call: Call) -> None:
        call.respond(180)
        await call.cancelled.wait()
        call.respond(200, call.phone.sdp, tag="other")

    async with phone_at(loopback.address(), crossing) as phone:
        snapshot = await kill_in_call(phone, "udp", Reached(phone).rung)
        facts = await clean_up(snapshot)
    assert facts.final == 200
    assert "other" in {request.to.tag for request in phone.requests if request.method == "BYE"}
    assert "other" in {ack.to.tag for ack in phone.acks}


async def test_a_challenged_bye_is_sent_again_with_credentials(loopback: LoopbackBlock) -> None:
    async with phone_at(loopback.address(), answering) as phone:
        phone.challenges_bye = True
        snapshot = await kill_in_call(phone, "udp", Reached(phone).talking)
        without = await clean_up(snapshot)
        facts = await clean_up(snapshot, credentials=Credentials("alice", "secret"))
    assert (without.ended, without.answers) == (False, (("BYE", 401),))
    assert without.failure == "BYE was answered with 401"
    assert (facts.ended, facts.answers) == (True, (("BYE", 200),))
    assert facts.sent == ("ACK", "BYE", "BYE")
    assert b"secret" not in phone.requests[-1].serialize()


async def test_a_peer_that_knows_nothing_of_the_call_is_done_with(loopback: LoopbackBlock) -> None:
    async with phone_at(loopback.address(), ringing) as phone:
        snapshot = await kill_in_call(phone, "udp", Reached(phone).rung)
        address = phone.address
    async with phone_at(address, answering) as rebooted:
        facts = await clean_up(replace(snapshot, dialogs=()))
    assert rebooted.methods() == ["CANCEL"]
    assert facts.sent == ("CANCEL",)
    assert (facts.ended, facts.answers) == (True, (("CANCEL", 481),))


async def test_silence_is_reported_so_that_it_can_be_tried_again(loopback: LoopbackBlock) -> None:
    async with phone_at(loopback.address(), answering) as phone:
        snapshot = await kill_in_call(phone, "udp", Reached(phone).talking)
        address = phone.address
    with deaf_socket(address):
        facts = await clean_up(snapshot, seconds=0.5)
    assert not facts.ended
    assert facts.failure == "the peer did not answer in time"


async def test_a_peer_that_is_gone_is_reported(loopback: LoopbackBlock) -> None:
    async with phone_at(loopback.address(), answering) as phone:
        phone.transport = "tcp"
        snapshot = await kill_in_call(phone, "tcp", Reached(phone).talking)
    facts = await clean_up(snapshot)
    assert not facts.ended
    assert "no connection" in (facts.failure or "")


async def test_an_address_that_is_not_allowed_any_more_gets_nothing(
    loopback: LoopbackBlock,
) -> None:
    async with phone_at(loopback.address(), answering) as phone:
        snapshot = await kill_in_call(phone, "udp", Reached(phone).talking)
        sent: list[str] = []
        facts = await clean_up(snapshot, guard=AddressGuard(), sent=sent)
    assert sent == []
    assert not facts.ended


async def test_a_call_that_was_over_needs_nothing(loopback: LoopbackBlock) -> None:
    async with phone_at(loopback.address(), answering) as phone:
        snapshot = await kill_in_call(phone, "udp", Reached(phone).talking)
    facts = await clean_up(replace(snapshot, pending=False, dialogs=()))
    assert facts == CleanUpFacts(ended=True)


@pytest.mark.parametrize("script", [ringing, answering])
async def test_a_second_clean_up_finds_nothing_left(
    loopback: LoopbackBlock, script: Script
) -> None:
    async with phone_at(loopback.address(), script) as phone:
        reached = Reached(phone).rung if script is ringing else Reached(phone).talking
        snapshot = await kill_in_call(phone, "udp", reached)
        first = await clean_up(snapshot)
        second = await clean_up(snapshot)
    assert first.ended
    assert {"CANCEL", "BYE"} & set(second.sent)
