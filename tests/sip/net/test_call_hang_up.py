"""How a test call is ended early: by somebody, by the worker, by its limits, by cancellation."""

from __future__ import annotations

import asyncio

import pytest

from sip.call_facts import CallFacts, StopCause
from sip.dialog_state import Answered, Calling, FailureCause, Ringing
from sip.net.resolver import Resolver
from sip.net.wire import Direction
from tests.sip.net.calls import PLAN, Observer, call, soon
from tests.sip.net.phones import Call, Phone, Script, answering, deaf_socket, phone_at
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")


async def ringing(call: Call) -> None:
    """Rings until it is cancelled."""
    call.respond(180)
    await call.cancelled.wait()
    call.respond(487)


async def ended_by(event: asyncio.Event, task: asyncio.Task[CallFacts]) -> CallFacts:
    event.set()
    async with asyncio.timeout(5):
        return await task


async def test_a_ringing_call_is_cancelled_when_somebody_hangs_up(loopback: LoopbackBlock) -> None:
    observer, hang_up = Observer(), asyncio.Event()
    async with phone_at(loopback.address(), ringing) as phone:
        task = asyncio.create_task(call(PLAN, observer, host=phone.address, hang_up=hang_up))
        await observer.until_event(Ringing)
        facts = await ended_by(hang_up, task)
    assert phone.methods() == ["INVITE", "CANCEL"]
    assert facts.stopped is StopCause.HANG_UP
    assert facts.invite is not None
    assert facts.invite.failure is FailureCause.CANCELLED
    assert facts.invite.final is not None
    assert facts.invite.final.status == 487
    assert len(observer.sent("ACK")) == 1
    assert observer.saved[-1].is_over


async def test_an_answered_call_gets_a_bye_when_the_worker_stops(loopback: LoopbackBlock) -> None:
    observer, stop = Observer(), asyncio.Event()
    async with phone_at(loopback.address(), answering) as phone:
        task = asyncio.create_task(
            call(PLAN, observer, host=phone.address, stop=stop, talk_seconds=15)
        )
        await observer.until_event(Answered)
        facts = await ended_by(stop, task)
    assert phone.methods() == ["INVITE", "BYE"]
    assert facts.stopped is StopCause.INTERRUPTED
    assert facts.invite is not None
    assert facts.invite.bye_status == 200


@pytest.mark.parametrize(
    ("script", "kind", "last"), [(ringing, Ringing, "CANCEL"), (answering, Answered, "BYE")]
)
async def test_a_cancelled_call_hangs_up_before_it_goes(
    loopback: LoopbackBlock, script: Script, kind: type[object], last: str
) -> None:
    observer = Observer()
    async with phone_at(loopback.address(), script) as phone:
        task = asyncio.create_task(
            call(PLAN, observer, host=phone.address, talk_seconds=15, ring_seconds=15)
        )
        await observer.until_event(kind)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert phone.methods() == ["INVITE", last]
    assert observer.saved[-1].is_over


async def test_a_call_that_is_cancelled_twice_goes_at_once(loopback: LoopbackBlock) -> None:
    observer = Observer()
    with deaf_socket(address := loopback.address()):
        task = asyncio.create_task(call(PLAN, observer, host=address))
        await observer.until_event(Calling)
        task.cancel()
        await asyncio.sleep(0.05)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(1):
                await task
    assert observer.saved[-1].pending


async def test_a_call_that_is_hung_up_while_its_name_is_looked_up_sends_nothing() -> None:
    hang_up = asyncio.Event()
    observer = Observer()
    # A DNS server that nobody is.
    resolver = Resolver([("127.0.0.1", 1)])
    hang_up.set()
    facts = await call(PLAN, observer, host="pbx.example.com", hang_up=hang_up, resolver=resolver)
    assert facts.stopped is StopCause.HANG_UP
    assert facts.invite is None
    assert observer.records == []
    assert observer.saved == []


async def test_a_call_that_nobody_takes_is_cancelled_after_the_ringing_time(
    loopback: LoopbackBlock,
) -> None:
    async with phone_at(loopback.address(), ringing) as phone:
        facts = await call(PLAN, host=phone.address, ring_seconds=0.4)
    assert phone.methods() == ["INVITE", "CANCEL"]
    assert facts.stopped is None
    assert facts.invite is not None
    assert facts.invite.failure is FailureCause.NO_ANSWER
    assert facts.ring_limit_ms == 400


async def test_silence_ends_with_the_invites_own_timeout(loopback: LoopbackBlock) -> None:
    observer = Observer()
    with deaf_socket(address := loopback.address()):
        facts = await call(PLAN, observer, host=address)
    assert facts.invite is not None
    assert facts.invite.failure is FailureCause.NO_REPLY
    assert facts.invite.failed_ms == pytest.approx(3200, abs=300)
    # The sixth is due 50 ms before the end, which a busy machine may reach first.
    assert facts.invite.retransmissions in (5, 6)
    assert observer.sent("CANCEL") == []


async def test_a_stopping_worker_does_not_wait_for_a_silent_peer(
    loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sip.net.call_life.CLOSING_SECONDS", 0.5)
    observer, stop = Observer(), asyncio.Event()
    loop = asyncio.get_running_loop()
    with deaf_socket(address := loopback.address()):
        soon(stop, 0.2)
        started = loop.time()
        facts = await call(PLAN, observer, host=address, stop=stop, timers=None)
        assert loop.time() - started < 1.5
    assert facts.stopped is StopCause.INTERRUPTED
    assert facts.left_up
    assert observer.saved[-1].pending


async def test_a_call_longer_than_its_limit_is_ended(loopback: LoopbackBlock) -> None:
    async with phone_at(loopback.address(), answering) as phone:
        facts = await call(PLAN, host=phone.address, talk_seconds=15, limit_seconds=1.0)
    assert facts.stopped is StopCause.LIMIT
    assert phone.methods() == ["INVITE", "BYE"]


async def test_a_peer_that_answers_no_bye_holds_a_call_up_to_its_limit(
    loopback: LoopbackBlock,
) -> None:
    async def deaf(call: Call) -> None:
        await answering(call)
        await call.acked.wait()
        await call.phone.stack.close()

    loop = asyncio.get_running_loop()
    observer = Observer()
    async with phone_at(loopback.address(), deaf) as phone:
        started = loop.time()
        facts = await call(PLAN, observer, host=phone.address, limit_seconds=2.0, timers=None)
        assert loop.time() - started < 2.5
    assert facts.invite is not None
    assert facts.invite.bye_status is None
    assert facts.left_up
    assert not observer.saved[-1].is_over


async def test_a_call_that_is_let_go_without_grace_leaves_a_snapshot_that_ends_it(
    loopback: LoopbackBlock,
) -> None:
    observer = Observer()
    async with phone_at(loopback.address(), answering) as phone:
        life = asyncio.create_task(call(PLAN, observer, host=phone.address, talk_seconds=15))
        await observer.until_event(Answered)
        await asyncio.sleep(0.05)
        snapshot = observer.saved[-1]
        assert not snapshot.pending
        assert len(snapshot.dialogs) == 1
        life.cancel()
        with pytest.raises(asyncio.CancelledError):
            await life
        await _until_ended(phone)
    assert [r.direction for r in observer.records].count(Direction.OUT) == 3


async def _until_ended(phone: Phone) -> None:
    async with asyncio.timeout(2):
        await phone.calls[0].ended.wait()
