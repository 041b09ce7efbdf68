"""A test call from the name to the BYE, over each transport."""

from __future__ import annotations

import asyncio

import pytest

from sip.call_facts import StopCause, TargetOutcome
from sip.call_negotiation import NO_DESCRIPTION
from sip.dialog_state import EndedBy, FailureCause
from sip.media_verdict import Heard, MediaFlow
from sip.message import Request
from tests.sip.net.calls import FAST, PLAN, Observer, call
from tests.sip.net.phones import Call, answering, phone_at
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_call_is_answered_talks_and_ends(loopback: LoopbackBlock, transport: str) -> None:
    observer = Observer()
    async with phone_at(loopback.address(), answering) as phone:
        phone.transport = transport
        facts = await call(PLAN, observer, host=phone.address, transport=transport)
    assert phone.methods() == ["INVITE", "BYE"]
    assert len(phone.acks) == 1
    assert facts.invite is not None
    assert [p.status for p in facts.invite.provisionals] == [100, 180]
    assert facts.invite.final is not None
    assert facts.invite.final.status == 200
    assert (facts.invite.failure, facts.stopped) == (None, StopCause.FINISHED)
    assert (facts.invite.ended_by, facts.invite.bye_status) == (EndedBy.US, 200)
    assert facts.invite.talk_ms == pytest.approx(700, abs=150)
    assert [target.outcome for target in facts.targets] == [TargetOutcome.CALLED]
    assert (facts.targets[0].tcp_ms is not None) == (transport == "tcp")
    assert observer.saved[-1].is_over
    assert facts.notes == ()


async def test_the_echo_of_tone_and_digit_is_heard(loopback: LoopbackBlock) -> None:
    async with phone_at(loopback.address(), answering) as phone:
        facts = await call(PLAN, host=phone.address)
    media = facts.media
    assert media is not None
    assert (media.flow, media.heard) == (MediaFlow.BOTH_WAYS, Heard.OUR_TONE)
    assert (media.dtmf_sent, media.dtmf_received) == ("1", "1")
    assert media.packets_lost == 0
    assert 25 <= media.packets_out <= 40
    assert facts.invite is not None
    assert facts.invite.agreed is not None
    assert facts.invite.agreed.codec == "PCMU"


async def test_a_call_over_ipv6_writes_its_address_in_brackets() -> None:
    observer = Observer()
    async with phone_at("::1", answering, port=45060) as phone:
        facts = await call(PLAN, observer, host="::1", port=45060)
    invite = observer.sent("INVITE")[0]
    assert str(invite.uri) == "sip:+15550111@[::1]:45060"
    assert invite.via.host == "::1"
    assert facts.stopped is StopCause.FINISHED
    assert facts.media is not None
    assert facts.media.flow is MediaFlow.BOTH_WAYS
    assert phone.methods() == ["INVITE", "BYE"]


async def test_timers_run_from_when_a_message_left_however_long_its_snapshot_took(
    loopback: LoopbackBlock,
) -> None:
    observer = Observer()
    observer.save_seconds = 4 * FAST.t1
    async with phone_at(loopback.address(), answering) as phone:
        facts = await call(PLAN, observer, host=phone.address)
    assert len(observer.sent("INVITE", copies=True)) == 1
    assert facts.invite is not None
    assert facts.invite.retransmissions == 0
    assert facts.stopped is StopCause.FINISHED


async def test_nothing_leaves_before_its_snapshot_is_saved(loopback: LoopbackBlock) -> None:
    observer = Observer()
    observer.save_seconds = 0.05
    async with phone_at(loopback.address(), answering) as phone:
        await call(PLAN, observer, host=phone.address, timers=None)
    assert observer.unsaved == []
    assert len(observer.saved) >= 3
    assert observer.saved[0].pending


async def test_a_failing_store_keeps_the_invite_from_leaving(loopback: LoopbackBlock) -> None:
    class Broken(Observer):
        async def save(self, snapshot: object) -> None:
            raise ConnectionError("the store is gone")

    async with phone_at(loopback.address(), answering) as phone:
        with pytest.raises(ConnectionError):
            await call(PLAN, Broken(), host=phone.address)
        await asyncio.sleep(0.05)
    assert phone.requests == []


async def test_a_store_that_fails_in_the_call_ends_it(loopback: LoopbackBlock) -> None:
    class Failing(Observer):
        async def save(self, snapshot: object) -> None:
            if self.heard(200):
                raise ConnectionError("the store is gone")

    async with phone_at(loopback.address(), answering) as phone:
        with pytest.raises(ConnectionError):
            await call(PLAN, Failing(), host=phone.address)
        async with asyncio.timeout(2):
            await phone.calls[0].ended.wait()
    assert len(phone.acks) == 1


async def test_an_answer_without_description_is_ended_at_once(loopback: LoopbackBlock) -> None:
    async def bare(call: Call) -> None:
        call.respond(200)

    async with phone_at(loopback.address(), bare) as phone:
        facts = await call(PLAN, host=phone.address)
    assert facts.stopped is StopCause.MEDIA_REFUSED
    assert facts.media is None
    assert facts.invite is not None
    assert facts.invite.agreed is not None
    assert facts.invite.agreed.problems == (NO_DESCRIPTION,)
    assert phone.methods() == ["INVITE", "BYE"]


@pytest.mark.parametrize(
    ("status", "cause"),
    [(486, FailureCause.REFUSED), (302, FailureCause.REDIRECTED), (603, FailureCause.REFUSED)],
)
async def test_a_refusal_is_acknowledged_and_reported(
    loopback: LoopbackBlock, status: int, cause: FailureCause
) -> None:
    async def refusing(call: Call) -> None:
        call.respond(
            status,
            headers=(
                ("Contact", "<sip:elsewhere@127.0.0.9>"),
                ("Reason", "Q.850;cause=17"),
                ("Server", "Phone/1"),
            ),
        )

    observer = Observer()
    async with phone_at(loopback.address(), refusing) as phone:
        facts = await call(PLAN, observer, host=phone.address)
    assert phone.methods() == ["INVITE"]
    assert len(observer.sent("ACK")) == 1
    assert facts.invite is not None
    assert facts.invite.failure is cause
    assert facts.invite.final is not None
    assert facts.invite.final.status == status
    assert facts.invite.final.said.server == "Phone/1"
    assert facts.invite.final.said.reasons == ("Q.850;cause=17",)
    assert (facts.media, facts.stopped) == (None, None)


async def test_the_invite_says_what_the_plan_says(loopback: LoopbackBlock) -> None:
    async def busy(call: Call) -> None:
        call.respond(486)

    async with phone_at(loopback.address(), busy) as phone:
        await call(
            PLAN,
            host=phone.address,
            from_domain="pbx.example.com",
            display_name='Ann "A" Lee',
            asserted=("P-Asserted-Identity", "+15550199"),
            headers=(("X-Trace", "7"),),
            public_address="192.0.2.7",
            request_user="*98#",
        )
    invite: Request = phone.requests[0]
    assert str(invite.uri) == f"sip:*98%23@{phone.address}"
    assert str(invite.from_.uri) == "sip:+15550100@pbx.example.com"
    assert invite.from_.display_name == 'Ann "A" Lee'
    assert invite.headers.get("P-Asserted-Identity") == "<sip:+15550199@pbx.example.com>"
    assert invite.headers.get("X-Trace") == "7"
    assert invite.via.host == "192.0.2.7"
    assert str(invite.contacts[0].uri).startswith("sip:+15550100@192.0.2.7:")
    assert b"c=IN IP4 192.0.2.7\r\n" in invite.body
