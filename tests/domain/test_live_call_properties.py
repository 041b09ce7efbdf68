"""What holds for all captured traffic: order, repetition, loss and garbage change nothing they must not."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.live_call import LiveCall, LiveCallState
from domain.live_call_placing import Placing
from domain.live_call_sighting import SeenMessage
from domain.live_call_state import from_state
from domain.live_calls import CallAssembler
from tests.domain.live_traffic import (
    ANSWER,
    NOW,
    OFFER,
    OTHER,
    PROXY,
    TO_CALLEE,
    TO_CALLER,
    TO_PROXY,
    Traffic,
)


@st.composite
def calls(draw: st.DrawFn) -> list[SeenMessage]:
    """One call of any course, with retransmissions, in the order in which it was captured."""
    traffic = Traffic(correlation=draw(st.sampled_from([None, "group"])))
    cseq = 1
    if draw(st.booleans()):
        traffic.request(0, TO_PROXY, "INVITE", body=OFFER)
        traffic.response(2, TO_CALLER, 407, "Proxy Authentication Required", to_tag="p")
        traffic.request(3, TO_PROXY, "ACK", to_tag="p")
        cseq = 2
    traffic.invites(10, cseq=cseq)
    if draw(st.booleans()):
        traffic.request(14, (PROXY, OTHER), "INVITE", cseq=cseq, hops=2)
        traffic.response(20, (OTHER, PROXY), 503, "Busy", cseq=cseq, to_tag="b", hops=2)
    if draw(st.booleans()):
        traffic.passes(1000, 180, "Ringing", cseq=cseq)
    match draw(st.sampled_from(["answer", "refuse", "cancel", "nothing"])):
        case "answer":
            traffic.passes(4000, 200, "OK", cseq=cseq, body=ANSWER)
            traffic.acks(4002, cseq=cseq)
            if draw(st.booleans()):
                traffic.request(5000, TO_PROXY, "INVITE", cseq=cseq + 1, to_tag="314159")
                traffic.response(5009, TO_CALLER, 200, "OK", cseq=cseq + 1)
            match draw(st.sampled_from(["caller", "callee", "both", "nobody"])):
                case "caller":
                    traffic.caller_hangs_up(9000, cseq=8)
                case "callee":
                    traffic.callee_hangs_up(9000)
                case "both":
                    traffic.caller_hangs_up(9000, cseq=8)
                    traffic.callee_hangs_up(9000.5)
        case "refuse":
            traffic.passes(4000, draw(st.sampled_from([302, 404, 486, 503])), "No", cseq=cseq)
            traffic.acks(4002, cseq=cseq)
        case "cancel":
            traffic.request(4000, TO_PROXY, "CANCEL", cseq=cseq)
            traffic.request(4001, TO_CALLEE, "CANCEL", cseq=cseq)
            traffic.passes(4010, 487, "Request Terminated", cseq=cseq)
    for index in draw(st.lists(st.integers(0, len(traffic.messages) - 1), max_size=5)):
        traffic.repeats(draw(st.integers(9100, 9900)), index)
    return traffic.messages


def told(messages: list[SeenMessage]) -> tuple[LiveCall, ...]:
    assembler = CallAssembler()
    for message in messages:
        assembler.receive(message, NOW)
    return assembler.changed()


@given(calls(), st.randoms(use_true_random=False), st.data())
@settings(max_examples=150, deadline=None)
def test_order_and_duplicates_of_packets_change_nothing(
    messages: list[SeenMessage], shuffler: random.Random, data: st.DataObject
) -> None:
    copies = data.draw(st.lists(st.sampled_from(messages), max_size=8))
    shuffled = [*messages, *copies]
    shuffler.shuffle(shuffled)

    assert told(shuffled) == told(messages)


@given(calls(), st.randoms(use_true_random=False), st.data())
@settings(max_examples=75, deadline=None)
def test_a_restart_anywhere_changes_nothing(
    messages: list[SeenMessage], shuffler: random.Random, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(1, len(messages)))
    before = CallAssembler()
    for message in messages[:cut]:
        before.receive(message, NOW)
    stored = json.loads(json.dumps(before.state_of(Traffic().call_id)))
    rest = messages[cut:]
    shuffler.shuffle(rest)
    after = CallAssembler()
    for message in rest[:3]:
        after.receive(message, NOW)
    assert after.adopt(from_state(stored), NOW)
    for message in rest[3:]:
        after.receive(message, NOW)

    assert after.changed() == told(messages)


@given(calls(), st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_is_lost_a_call_makes_sense(
    messages: list[SeenMessage], data: st.DataObject
) -> None:
    kept = data.draw(st.lists(st.sampled_from(messages), unique_by=id))

    for call in told(kept):
        assert (call.state is LiveCallState.ENDED) == (call.ended_at is not None)
        assert call.pdd_ms is None or call.pdd_ms >= 0
        assert call.duration_ms is None or (call.answered_at is not None and call.duration_ms >= 0)
        assert call.messages >= call.retransmissions + 1
        assert call.status
        assert not call.expired


@given(calls(), st.data())
@settings(max_examples=100, deadline=None)
def test_garbage_never_fails(messages: list[SeenMessage], data: st.DataObject) -> None:
    assembler = CallAssembler()
    for message in messages:
        octets = bytearray(message.data)
        for at in data.draw(st.lists(st.integers(0, len(octets) - 1), max_size=4)):
            octets[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        placed = assembler.receive(replace(message, data=bytes(octets)), NOW)
        assert placed.placing in Placing
    for call in assembler.changed():
        assert from_state(json.loads(json.dumps(assembler.state_of(call.sip_call_id))))
    for seconds in (5, 60, 300, 90_000, 90_100, 90_200):
        assembler.expire(NOW + timedelta(seconds=seconds))
        assembler.changed()
    assert assembler.calls == 0


@given(st.binary(max_size=400))
def test_arbitrary_octets_never_fail(octets: bytes) -> None:
    traffic = Traffic()
    traffic.send(0, TO_PROXY, octets)
    traffic.send(1, TO_PROXY, b"INVITE sip:a@b SIP/2.0\r\ni:1\r\nCSeq:1 INVITE\r\n" + octets)

    assert CallAssembler().receive(traffic.messages[0], NOW).placing in Placing
    assert CallAssembler().receive(traffic.messages[1], NOW).placing in Placing
