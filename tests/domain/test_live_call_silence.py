"""Calls whose end was not captured, or not yet."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.live_call import LiveCallState
from domain.live_call_placing import Placing
from domain.live_calls import CallAssembler
from tests.domain.live_traffic import (
    FROM_CALLEE,
    NOW,
    TO_PROXY,
    Traffic,
    assembled,
    call_of,
    later,
    moment,
    normal_call,
)


def test_a_bye_without_an_answer_before_it_ends_the_call() -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.callee_hangs_up(9001)

    call = call_of(traffic.messages)

    assert (call.state, call.sip_code) == (LiveCallState.ENDED, None)
    assert call.status == "Hung up, and the answer before it was not seen"
    assert (call.duration_ms, call.ended_at) == (None, moment(9001))


def test_a_call_whose_bye_was_lost_ends_at_last() -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.answered()
    assembler, _ = assembled(traffic.messages)
    assembler.expire(NOW + timedelta(hours=11, minutes=59))
    assert assembler.changed() == ()

    call = later(assembler, timedelta(hours=12, seconds=5))

    assert (call.state, call.expired, call.status) == (LiveCallState.ENDED, True, "200 OK")
    assert (call.duration_ms, call.ended_at) == (None, moment(4003))
    assert assembler.counts.expired == 1
    assembler.expire(NOW + timedelta(hours=12, seconds=30))
    assert assembler.calls == 1, "what comes late still belongs to it"
    assembler.expire(NOW + timedelta(hours=13))
    assembler.expire(NOW + timedelta(hours=14))
    assert assembler.calls == 0


def test_a_refusal_that_was_not_seen_going_back_ends_the_call_when_nothing_follows() -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.response(900, FROM_CALLEE, 486, "Busy Here", hops=2)
    assembler, going = assembled(traffic.messages)

    call = later(assembler, timedelta(minutes=4, seconds=10))

    assert (going.state, going.sip_code) == (LiveCallState.TRYING, None)
    assert (call.state, call.expired, call.status) == (LiveCallState.ENDED, False, "486 Busy Here")
    assert (call.ended_at, call.pdd_ms, call.q850) == (moment(900), 900, 17)


@pytest.mark.parametrize("rings", [False, True])
def test_a_call_without_a_final_answer_ends_after_a_while(rings: bool) -> None:
    traffic = Traffic()
    traffic.invites()
    if rings:
        traffic.passes(1000, 180, "Ringing")
    assembler, _ = assembled(traffic.messages)
    assembler.expire(NOW + timedelta(minutes=3, seconds=59))
    assert assembler.changed() == ()

    call = later(assembler, timedelta(minutes=4, seconds=10))

    assert (call.state, call.expired, call.sip_code) == (LiveCallState.ENDED, True, None)
    assert call.status == "No final answer was seen"
    assert call.pdd_ms == (1001 if rings else None)
    assert (call.q850, call.hangup_cause) == (None, None)


def test_what_comes_after_a_call_was_given_up_tells_its_true_end() -> None:
    traffic = normal_call()
    assembler, _ = assembled(traffic.messages[:9])
    assert later(assembler, timedelta(hours=12, minutes=1)).expired
    for each in traffic.messages[9:]:
        assembler.receive(each, NOW + timedelta(hours=12, minutes=2))

    (call,) = assembler.changed()

    assert (call.expired, call.duration_ms) == (False, 30_000)


def test_a_call_given_up_goes_on_when_it_is_heard_of() -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.answered()
    assembler, _ = assembled(traffic.messages)
    assert later(assembler, timedelta(hours=12, minutes=1)).expired
    traffic.request(50_000, TO_PROXY, "UPDATE", cseq=2, to_tag="314159")

    assembler.receive(traffic.messages[-1], NOW + timedelta(hours=12, minutes=2))

    (call,) = assembler.changed()
    assert (call.state, call.expired) == (LiveCallState.IN_PROGRESS, False)


def test_a_call_id_is_known_until_its_call_is_forgotten() -> None:
    traffic = normal_call(length=1000)
    assembler, call = assembled(traffic.messages)
    assert assembler.knows(call.sip_call_id)
    assert not assembler.knows("another@x")
    assembler.expire(NOW + timedelta(minutes=1))
    assembler.expire(NOW + timedelta(minutes=2))
    assert not assembler.knows(call.sip_call_id)


def test_what_waits_for_its_call_is_known_too() -> None:
    assembler = CallAssembler()
    message = normal_call().messages[-1]
    placed = assembler.receive(message, NOW)
    assert placed.placing is Placing.UNKNOWN
    assert assembler.knows(placed.sip_call_id or "")
