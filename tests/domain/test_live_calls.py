"""Captured messages become calls: what belongs to which, what is dropped, and what is forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.live_call import LiveCallState
from domain.live_call_placing import CallLimits, Placed, Placing
from domain.live_call_record import MAX_COPIES, MAX_SIGHTINGS, MAX_TIMES
from domain.live_call_sighting import SeenMessage
from domain.live_call_state import from_state
from domain.live_calls import CallAssembler
from tests.domain.live_traffic import (
    NOW,
    TO_PROXY,
    Traffic,
    assembled,
    call_of,
    normal_call,
)


def one(data: bytes, assembler: CallAssembler | None = None) -> Placed:
    traffic = Traffic()
    traffic.send(0, TO_PROXY, data)
    return (assembler or CallAssembler()).receive(traffic.messages[0], NOW)


def out_of_dialog(method: str) -> SeenMessage:
    traffic = Traffic(call_id=f"{method}@192.0.2.10")
    traffic.request(0, TO_PROXY, method)
    return traffic.messages[0]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"\x00\x01\xff" * 300,
        b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n",
        b"INVITE sip:a@b SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n",
        b"INVITE sip:a@b SIP/2.0\r\nCall-ID: a\r\n\r\n",
        b"INVITE sip:a@b SIP/2.0\r\nCall-ID: a\x00b\r\nCSeq: 1 INVITE\r\n\r\n",
        b"INVITE sip:a@b SIP/2.0\r\nCall-ID: " + b"a" * 257 + b"\r\nCSeq: 1 INVITE\r\n\r\n",
        b"hello Call-ID: a\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\n\r\n",
    ],
)
def test_what_is_no_sip_is_counted_and_ignored(data: bytes) -> None:
    assembler = CallAssembler()

    assert one(data, assembler) == Placed(Placing.NOT_SIP)
    assert (assembler.counts.received, assembler.counts.not_sip, assembler.calls) == (1, 1, 0)
    assert assembler.changed() == ()


@pytest.mark.parametrize("method", ["OPTIONS", "REGISTER", "SUBSCRIBE", "NOTIFY", "MESSAGE"])
def test_what_belongs_to_no_call_is_counted_and_ignored(method: str) -> None:
    assembler = CallAssembler()

    placed = assembler.receive(out_of_dialog(method), NOW)

    assert placed == Placed(Placing.NOT_A_CALL, f"{method}@192.0.2.10")
    assert assembler.counts.not_calls == 1


def test_any_request_with_the_call_id_of_a_call_belongs_to_it() -> None:
    traffic = normal_call()
    traffic.request(5000, TO_PROXY, "OPTIONS", cseq=9, to_tag="314159")

    assembler, call = assembled(traffic.messages)

    assert call.messages == len(traffic.messages)
    assert assembler.counts.not_calls == 0


def test_the_first_invite_makes_a_call_known() -> None:
    traffic = normal_call()
    assembler = CallAssembler()

    placed = [assembler.receive(each, NOW) for each in traffic.messages]

    assert placed[0] == Placed(Placing.CALL, traffic.call_id, new=True)
    assert set(placed[1:]) == {Placed(Placing.CALL, traffic.call_id)}
    assert assembler.calls == 1


def test_a_change_is_told_once() -> None:
    traffic = normal_call()
    assembler = CallAssembler()
    states = []
    for each in traffic.messages:
        assembler.receive(each, NOW)
        states += [call.state for call in assembler.changed()]

    # Every new message counts, so each changes the call.
    assert len(states) == len(traffic.messages)
    assert list(dict.fromkeys(states)) == list(LiveCallState)
    assert assembler.changed() == ()
    assembler.receive(traffic.messages[0], NOW)
    assert assembler.changed() == ()


def test_the_exporters_packet_that_comes_twice_is_dropped() -> None:
    traffic = normal_call()

    assembler, call = assembled([*traffic.messages, *traffic.messages[:5]])

    assert assembler.counts.duplicates == 5
    assert (call.messages, call.retransmissions) == (len(traffic.messages), 0)
    again = assembler.receive(traffic.messages[0], NOW)
    assert again == Placed(Placing.DUPLICATE, traffic.call_id)


def test_a_message_that_its_sender_repeats_is_a_retransmission() -> None:
    traffic = normal_call()
    count = len(traffic.messages)
    traffic.repeats(500, 0)
    traffic.repeats(1500, 0)

    assembler, call = assembled(traffic.messages)

    assert (call.messages, call.retransmissions) == (count + 2, 2)
    assert assembler.counts.retransmissions == 2
    assert call.started_at == call_of(normal_call().messages).started_at
    repeated = assembler.receive(replace(traffic.messages[0], at=NOW), NOW)
    assert repeated == Placed(Placing.CALL, traffic.call_id, retransmission=True)


def test_the_same_message_seen_by_two_nodes_is_no_retransmission() -> None:
    traffic = normal_call()
    late = timedelta(milliseconds=3)
    others = [replace(each, node="edge-2", at=each.at + late) for each in traffic.messages]

    call = call_of([*traffic.messages, *others])

    assert call.retransmissions == 0
    assert call.messages == 2 * len(traffic.messages)
    assert replace(call, messages=len(traffic.messages)) == call_of(traffic.messages)


def test_messages_that_overtake_the_invite_wait_for_it() -> None:
    traffic = normal_call()
    assembler = CallAssembler()

    placed = [assembler.receive(each, NOW) for each in reversed(traffic.messages)]

    assert placed[0] == Placed(Placing.UNKNOWN, traffic.call_id)
    assert placed[-1] == Placed(Placing.CALL, traffic.call_id)
    assert assembler.changed() == (call_of(traffic.messages),)


def test_messages_whose_invite_never_comes_are_forgotten() -> None:
    traffic = normal_call()
    assembler = CallAssembler()
    for each in traffic.messages[6:]:
        assembler.receive(each, NOW)

    assert (assembler.changed(), assembler.calls) == ((), 0)
    assert assembler.call(traffic.call_id) is None
    assert assembler.related(traffic.call_id) == ()
    assembler.expire(NOW + timedelta(seconds=9))
    assert assembler.state_of(traffic.call_id) is not None
    assembler.expire(NOW + timedelta(seconds=15))
    assert assembler.state_of(traffic.call_id) is None
    assert assembler.counts.unknown == len(traffic.messages) - 6
    assert assembler.counts.unknown_forgotten == 1


def test_unknown_calls_beyond_the_limit_are_not_held() -> None:
    assembler = CallAssembler(CallLimits(max_unknown=1))
    for call_id in ("a", "b"):
        (message,) = normal_call(call_id).messages[-1:]
        assert assembler.receive(message, NOW).placing is Placing.UNKNOWN

    assert assembler.state_of("a") is not None
    assert assembler.state_of("b") is None
    assert assembler.counts.unknown == 2


def test_a_full_table_refuses_new_calls_and_keeps_the_old_ones() -> None:
    assembler = CallAssembler(CallLimits(max_calls=2))
    early = normal_call("c").messages
    assert assembler.receive(early[5], NOW).placing is Placing.UNKNOWN
    placed = [assembler.receive(normal_call(each).messages[0], NOW) for each in "abcd"]

    assert [each.placing for each in placed] == [
        *(Placing.CALL, Placing.CALL),
        *(Placing.TABLE_FULL, Placing.TABLE_FULL),
    ]
    assert assembler.counts.table_full == 2
    assert [each.sip_call_id for each in assembler.changed()] == ["a", "b"]
    assert assembler.calls == 2


def test_a_flood_of_call_ids_costs_bounded_memory() -> None:
    assembler = CallAssembler(CallLimits(max_calls=50, max_unknown=20))
    for number in range(500):
        first, *_, last = normal_call(f"flood-{number}").messages
        assembler.receive(first, NOW)
        assembler.receive(replace(last, data=last.data.replace(b"flood", b"other")), NOW)

    assert assembler.calls == 50
    assert assembler.counts.table_full == 450
    assert len(assembler._records) == 70
    assert len(assembler._due) == 70


def test_one_call_costs_bounded_memory() -> None:
    traffic = Traffic()
    traffic.invites()
    for number in range(30):
        traffic.repeats(3 + number, 0)
    for number in range(300):
        traffic.passes(50 + 2 * number, 183, "Session Progress", to_tag=f"t{number}")
    traffic.passes(5000, 200, "OK", to_tag="t0")
    traffic.caller_hangs_up(9000, to_tag="t0")

    assembler, call = assembled(traffic.messages)

    state = from_state(assembler.state_of(traffic.call_id))
    assert len(state.sightings) == MAX_SIGHTINGS
    assert len(state.copies) == MAX_COPIES
    assert max(map(len, state.copies.values())) <= MAX_TIMES
    assert (call.messages, call.retransmissions) == (len(traffic.messages), 30)
    assert (call.status, call.duration_ms) == ("200 OK", 3999)


def test_what_decides_is_dropped_as_well_when_nothing_lesser_can_make_room() -> None:
    traffic = Traffic()
    traffic.invites()
    for number in range(MAX_SIGHTINGS + 5):
        traffic.caller_hangs_up(10 + number, cseq=2 + number, to_tag=f"t{number}")

    assembler, _ = assembled(traffic.messages)

    assert len(from_state(assembler.state_of(traffic.call_id)).sightings) == MAX_SIGHTINGS


def test_an_ended_call_is_forgotten_when_no_retransmission_can_come() -> None:
    traffic = normal_call()
    assembler, _ = assembled(traffic.messages)

    assembler.expire(NOW + timedelta(seconds=39))
    traffic.repeats(35_000, -1)
    assert assembler.receive(traffic.messages[-1], NOW).retransmission
    assembler.expire(NOW + timedelta(seconds=44))
    assert assembler.calls == 1, "a change was not told yet"
    (call,) = assembler.changed()
    assert call.retransmissions == 1
    assembler.expire(NOW + timedelta(seconds=50))
    assert (assembler.calls, assembler.changed()) == (0, ())
    assert assembler.counts.expired == 0
