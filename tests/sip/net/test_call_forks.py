"""Answers that come more than once: forks, late ones, repeated ones (RFC 3261 section 13.2.2.4)."""

from __future__ import annotations

import asyncio

import pytest

from sip.dialog_state import FailureCause, OtherForkEnded
from tests.sip.net.calls import PLAN, Observer, call, soon
from tests.sip.net.phones import Call, phone_at
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")


async def test_the_second_answer_of_a_fork_is_acknowledged_and_ended(
    loopback: LoopbackBlock,
) -> None:
    async def forking(call: Call) -> None:
        call.respond(180, tag="one")
        call.respond(180, tag="two")
        call.respond(200, call.phone.sdp, tag="one")
        call.send_again(call.respond(200, call.phone.sdp, tag="two"))

    observer = Observer()
    async with phone_at(loopback.address(), forking) as phone:
        facts = await call(PLAN, observer, host=phone.address)
    assert {ack.to.tag for ack in phone.acks} == {"one", "two"}
    byes = [request.to.tag for request in phone.requests if request.method == "BYE"]
    assert byes == ["two", "one"]
    assert facts.invite is not None
    assert facts.invite.forks_ended == 1
    assert facts.invite.failure is None
    assert [event.remote_tag for event in observer.of(OtherForkEnded)] == ["two"]


async def test_an_answer_that_crosses_the_cancel_is_acknowledged_and_ended(
    loopback: LoopbackBlock,
) -> None:
    async def late(call: Call) -> None:
        call.respond(180)
        await call.cancelled.wait()
        call.respond(200, call.phone.sdp)

    hang_up = asyncio.Event()
    soon(hang_up, 0.2)
    async with phone_at(loopback.address(), late) as phone:
        facts = await call(PLAN, host=phone.address, hang_up=hang_up)
    assert phone.methods() == ["INVITE", "CANCEL", "BYE"]
    assert len(phone.acks) == 1
    assert facts.invite is not None
    assert facts.invite.failure is FailureCause.CANCELLED
    assert facts.media is None


async def test_an_answer_behind_a_487_is_acknowledged_and_ended(loopback: LoopbackBlock) -> None:
    async def too_late(call: Call) -> None:
        call.respond(180)
        await call.cancelled.wait()
        call.respond(487)
        answer = call.respond(200, call.phone.sdp, tag="other")
        await asyncio.sleep(0.1)
        call.send_again(answer)

    hang_up = asyncio.Event()
    soon(hang_up, 0.2)
    observer = Observer()
    async with phone_at(loopback.address(), too_late) as phone:
        facts = await call(PLAN, observer, host=phone.address, hang_up=hang_up)
    assert phone.methods() == ["INVITE", "CANCEL", "BYE"]
    assert phone.requests[-1].to.tag == "other"
    assert observer.saved[-1].is_over
    assert facts.invite is not None
    assert facts.invite.forks_ended == 1


async def test_a_repeated_answer_is_acknowledged_again_with_the_same_ack(
    loopback: LoopbackBlock,
) -> None:
    async def repeating(call: Call) -> None:
        answer = call.respond(200, call.phone.sdp)
        for _ in range(3):
            await asyncio.sleep(0.05)
            call.send_again(answer)

    observer = Observer()
    async with phone_at(loopback.address(), repeating) as phone:
        facts = await call(PLAN, observer, host=phone.address)
    assert len(phone.acks) == 4
    assert len({ack.via.branch for ack in phone.acks}) == 1
    assert facts.invite is not None
    assert facts.invite.peer_retransmissions == 3
    assert phone.methods() == ["INVITE", "BYE"]
