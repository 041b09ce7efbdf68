"""DTMF as telephone-events (RFC 4733)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.dtmf import (
    DIGITS,
    MAX_DIGITS,
    MAX_DURATION,
    DigitReceiver,
    DigitSender,
    ReceivedDigit,
    TelephoneEvent,
    parse_event,
)
from sip.errors import LocalProtocolError, RemoteProtocolError

STEP = 160


def payloads(digit: str) -> list[bytes]:
    sender = DigitSender(digit)
    made: list[bytes] = []
    while not sender.done:
        made.append(sender.next_payload((len(made) + 1) * STEP))
    return made


def event(code: int, duration: int, *, end: bool = False) -> bytes:
    return TelephoneEvent(code, end, 10, duration).serialize()


def test_a_known_event_has_its_octets() -> None:
    assert TelephoneEvent(11, True, 10, 800).serialize() == bytes.fromhex("0b8a0320")


@given(st.integers(0, 255), st.booleans(), st.integers(0, 63), st.integers(0, 0xFFFF))
def test_what_is_built_is_parsed_back(code: int, end: bool, volume: int, duration: int) -> None:
    built = TelephoneEvent(code, end, volume, duration)
    assert parse_event(built.serialize()) == built
    assert built.digit == (DIGITS[code] if code < 16 else None)


@pytest.mark.parametrize(
    "built",
    [
        TelephoneEvent(256, False, 0, 0),
        TelephoneEvent(0, False, 64, 0),
        TelephoneEvent(0, False, 0, 0x10000),
    ],
)
def test_a_field_out_of_its_range_is_not_sent(built: TelephoneEvent) -> None:
    with pytest.raises(LocalProtocolError):
        built.serialize()


def test_a_short_event_is_refused() -> None:
    with pytest.raises(RemoteProtocolError):
        parse_event(b"\x01\x0a\x00")


def test_a_digit_grows_and_ends_three_times() -> None:
    events = [parse_event(payload) for payload in payloads("5")]
    assert [e.duration for e in events] == [STEP * n for n in (1, 2, 3, 4, 5, 6, 7, 8, 8, 8)]
    assert [e.end for e in events] == [False] * 7 + [True] * 3
    assert {e.digit for e in events} == {"5"}


def test_a_digit_has_ended_once_its_first_end_is_made() -> None:
    sender = DigitSender("a")
    for count in range(1, 9):
        assert not sender.ended
        sender.next_payload(count * STEP)
    assert (sender.digit, sender.ended, sender.done) == ("A", True, False)


def test_a_duration_stays_in_its_field() -> None:
    assert parse_event(DigitSender("1").next_payload(1 << 20)).duration == MAX_DURATION


@pytest.mark.parametrize("digit", ["", "E", "12", "é"])
def test_what_no_key_has_is_not_sent(digit: str) -> None:
    with pytest.raises(LocalProtocolError):
        DigitSender(digit)


@pytest.mark.parametrize("digit", DIGITS)
def test_a_digit_is_received_once(digit: str) -> None:
    receiver = DigitReceiver()
    for index, payload in enumerate(payloads(digit)):
        receiver.receive(payload, 1000, marker=index == 0)
    assert receiver.digits == [ReceivedDigit(digit, 1000, 8 * STEP, True)]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20))
def test_any_packets_of_a_digit_in_any_order_are_one_digit(order: list[int]) -> None:
    made = payloads("9")
    receiver = DigitReceiver()
    for index in order:
        receiver.receive(made[index], 7, marker=index == 0)
    (pressed,) = receiver.digits
    assert pressed.digit == "9"
    assert pressed.duration == STEP * min(8, max(order) + 1)
    assert pressed.ended == (max(order) >= 7)


def test_the_same_key_twice_is_two_digits() -> None:
    receiver = DigitReceiver()
    receiver.receive(event(1, 800, end=True), 1000, marker=True)
    receiver.receive(event(1, 800, end=True), 3000)
    receiver.receive(event(1, 800, end=True), 1000)
    assert [pressed.timestamp for pressed in receiver.digits] == [1000, 3000]


def test_another_key_at_the_same_timestamp_is_another_digit() -> None:
    receiver = DigitReceiver()
    receiver.receive(event(1, 800), 1000)
    receiver.receive(event(2, 800), 1000)
    assert [pressed.digit for pressed in receiver.digits] == ["1", "2"]


def test_a_long_digit_goes_on_in_its_next_segment() -> None:
    receiver = DigitReceiver()
    start = 0xFFFFFF00
    receiver.receive(event(1, MAX_DURATION), start, marker=True)
    following = (start + MAX_DURATION) & 0xFFFFFFFF
    receiver.receive(event(1, 400, end=True), following)
    assert receiver.digits == [ReceivedDigit("1", following, 400, True)]


@pytest.mark.parametrize(
    ("first", "later", "marker"),
    [
        pytest.param(event(1, MAX_DURATION), MAX_DURATION, True, id="marked as new"),
        pytest.param(event(2, MAX_DURATION), MAX_DURATION, False, id="another key"),
        pytest.param(event(1, MAX_DURATION, end=True), MAX_DURATION, False, id="ended"),
        pytest.param(event(1, 800), MAX_DURATION, False, id="not full"),
        pytest.param(event(1, MAX_DURATION), 70000, False, id="later"),
    ],
)
def test_what_is_no_next_segment_is_a_new_digit(first: bytes, later: int, marker: bool) -> None:
    receiver = DigitReceiver()
    receiver.receive(first, 0, marker=True)
    receiver.receive(event(1, 400), later, marker=marker)
    assert len(receiver.digits) == 2


def test_events_that_are_no_digits_are_counted_apart() -> None:
    receiver = DigitReceiver()
    receiver.receive(event(32, 100), 0)
    receiver.receive(b"\x01", 0)
    assert (receiver.digits, receiver.other_events, receiver.malformed) == ([], 1, 1)


def test_digits_are_limited() -> None:
    receiver = DigitReceiver()
    for index in range(MAX_DIGITS + 5):
        receiver.receive(event(1, 800, end=True), index * 2000, marker=True)
    assert len(receiver.digits) == MAX_DIGITS
