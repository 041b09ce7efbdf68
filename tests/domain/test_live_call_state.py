"""A restarted collector goes on with the calls that it finds stored."""

from __future__ import annotations

import json

import pytest

from domain.live_call import LiveCallState
from domain.live_call_placing import CallLimits, Placed, Placing
from domain.live_call_record import MAX_REINVITES
from domain.live_call_state import StateRefused, from_state
from domain.live_calls import CallAssembler
from tests.domain.live_traffic import NOW, TO_PROXY, Traffic, assembled, call_of, normal_call

CALL = normal_call()


def stored(traffic: Traffic = CALL, count: int = 9) -> object:
    """What a database gives back of a call's first messages."""
    assembler, _ = assembled(traffic.messages[:count])
    return json.loads(json.dumps(assembler.state_of(traffic.call_id)))


def test_a_stored_call_goes_on_where_it_was() -> None:
    after = CallAssembler()
    bye = CALL.messages[9]
    assert after.receive(bye, NOW) == Placed(Placing.UNKNOWN, CALL.call_id)

    assert after.adopt(from_state(stored()), NOW)

    assert after.receive(bye, NOW).placing is Placing.DUPLICATE
    for each in CALL.messages[10:]:
        assert after.receive(each, NOW) == Placed(Placing.CALL, CALL.call_id)
    assert after.changed() == (call_of(CALL.messages),)
    assert after.calls == 1


def test_a_call_can_be_adopted_before_anything_of_it_comes() -> None:
    after = CallAssembler()
    assert after.adopt(from_state(stored()), NOW)

    call = after.call(CALL.call_id)

    assert call is not None
    assert call.state is LiveCallState.IN_PROGRESS


def test_adopting_twice_counts_nothing_twice() -> None:
    long = Traffic()
    long.invites()
    for number in range(250):
        long.passes(10 + 2 * number, 183, "Session Progress", to_tag=f"t{number}")
    after = CallAssembler()
    for _ in range(2):
        assert after.adopt(from_state(stored(long, 999)), NOW)

    call = after.call(long.call_id)

    assert call is not None
    assert call.messages == len(long.messages)


def test_a_retransmitted_invite_finds_the_stored_call() -> None:
    traffic = normal_call()
    traffic.repeats(500, 0)
    after = CallAssembler()
    assert after.receive(traffic.messages[-1], NOW).new

    assert after.adopt(from_state(stored()), NOW)

    call = after.call(traffic.call_id)
    assert call is not None
    assert (call.messages, call.retransmissions) == (10, 1)
    assert call.started_at == call_of(CALL.messages).started_at


def test_correlation_and_reinvites_survive() -> None:
    traffic = Traffic(correlation="group")
    traffic.invites()
    traffic.answered()
    traffic.request(5000, TO_PROXY, "INVITE", cseq=5, to_tag="314159")
    after = CallAssembler()
    assert after.adopt(from_state(stored(traffic, 99)), NOW)

    call = after.call(traffic.call_id)

    assert call == call_of(traffic.messages)
    assert (call.correlation_id, call.reinvites) == ("group", 1)


def test_a_call_that_was_given_up_stays_so() -> None:
    assembler, _ = assembled(CALL.messages[:9])
    state = assembler.state_of(CALL.call_id)
    assert state is not None
    after = CallAssembler()

    assert after.adopt(from_state(state | {"closed": 1}), NOW)

    call = after.call(CALL.call_id)
    assert call is not None
    assert call.expired


def test_a_call_that_was_given_up_goes_on_when_something_of_it_came() -> None:
    assembler, _ = assembled(CALL.messages[:8])
    state = assembler.state_of(CALL.call_id)
    assert state is not None
    after = CallAssembler()
    after.receive(CALL.messages[8], NOW)

    assert after.adopt(from_state(state | {"closed": 1}), NOW)

    call = after.call(CALL.call_id)
    assert call is not None
    assert call.state is LiveCallState.IN_PROGRESS


def test_what_two_memories_hold_together_can_be_stored_again() -> None:
    def with_reinvites(start: int) -> Traffic:
        traffic = Traffic()
        traffic.invites()
        for number in range(start, start + 150):
            traffic.request(number, TO_PROXY, "INVITE", cseq=number, to_tag="314159")
        return traffic

    after, _ = assembled(with_reinvites(1000).messages)
    assert after.adopt(from_state(stored(with_reinvites(10), 999)), NOW)

    restored = from_state(json.loads(json.dumps(after.state_of(CALL.call_id))))
    assert len(restored.reinvites) == MAX_REINVITES


def test_a_full_table_adopts_nothing() -> None:
    after = CallAssembler(CallLimits(max_calls=1))
    after.receive(normal_call("other").messages[0], NOW)

    assert not after.adopt(from_state(stored()), NOW)
    assert after.counts.table_full == 1


def test_a_state_without_an_invite_is_not_adopted() -> None:
    assembler = CallAssembler()
    assembler.receive(CALL.messages[5], NOW)
    state = from_state(assembler.state_of(CALL.call_id))

    assert not assembler.adopt(state, NOW)


def test_what_a_newer_version_adds_is_passed_over() -> None:
    state = stored()
    assert isinstance(state, dict)

    assert from_state(state | {"mood": "good"}).sip_call_id == CALL.call_id
    assert from_state({"version": 1, "call_id": "a", "heard": NOW.isoformat()}).copies == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 2}, "stored call state, version: "),
        ({"sightings": [[1, 2]]}, "stored call state, sightings.0"),
        ({"call_id": ""}, "stored call state, call_id: "),
        ({"heard": "2026-03-09T12:00:00"}, "stored call state, heard: "),
    ],
)
def test_a_state_that_cannot_be_read_is_refused(change: dict[str, object], words: str) -> None:
    state = stored()
    assert isinstance(state, dict)

    with pytest.raises(StateRefused, match=words):
        from_state(state | change)
    with pytest.raises(StateRefused, match="stored call state, whole: "):
        from_state(None)


def test_what_is_not_in_memory_has_no_state() -> None:
    assert CallAssembler().state_of("nothing") is None
