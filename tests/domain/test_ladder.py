"""A call as a ladder: its hosts, its messages, its media."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ladder import Arrow, Band, Ladder, Remark, ladder_of
from domain.ladder_hosts import OURS
from domain.trace import EntryKind, trace_of
from sip.call_facts import CallFacts, TargetOutcome
from sip.capture import CapturedMessage
from sip.dialog_state import FailureCause
from tests.domain.any_calls import FACTS
from tests.domain.calls import answered, dead, target, unanswered
from tests.domain.traces import (
    UDP,
    Way,
    challenged_call,
    request,
    response,
    sdp,
)

PEER = UDP.remote[0]


def drawn(messages: list[CapturedMessage], facts: CallFacts | None = None) -> Ladder:
    return ladder_of(trace_of(messages), facts)


def labels(ladder: Ladder) -> list[str]:
    """Every row in a word or two."""
    words = []
    for row in ladder.rows:
        match row:
            case Arrow():
                words.append(f"{'>' if row.source == OURS else '<'} {row.label}")
            case Band():
                words.append("media")
            case Remark():
                words.append(row.text)
    return words


def band_of(ladder: Ladder) -> Band:
    (band,) = (row for row in ladder.rows if isinstance(row, Band))
    return band


def test_a_call_is_drawn_from_top_to_bottom() -> None:
    ladder = drawn(challenged_call(), answered(media={"source": (PEER, 30000)}))

    assert labels(ladder) == [
        "> INVITE",
        "< 401 Unauthorized",
        "> ACK",
        "> INVITE",
        "< 100 Trying",
        "< 180 Ringing",
        "< 200 OK",
        "> ACK",
        "media",
        "> BYE",
        "< 200 OK (BYE)",
    ]
    assert [arrow.kind for arrow in ladder.arrows[:7]] == [
        EntryKind.REQUEST,
        EntryKind.FAILURE,
        EntryKind.REQUEST,
        EntryKind.REQUEST,
        EntryKind.PROVISIONAL,
        EntryKind.PROVISIONAL,
        EntryKind.SUCCESS,
    ]
    assert ladder.arrows[0].sdp == "SDP PCMU PCMA SRTP"
    assert ladder.arrows[1].note == 'MD5 for realm "asterisk"'


def test_a_repeated_message_is_one_arrow_with_a_count() -> None:
    first = drawn(challenged_call()).arrows[0]

    assert first.entries == (0, 1)
    assert first.retransmissions == 1
    assert (first.elapsed_ms, first.last_ms, first.repeated_ms) == (0.0, 500.0, 500.0)


def test_time_runs_from_arrow_to_arrow() -> None:
    arrows = drawn(challenged_call()).arrows

    assert [arrow.delta_ms for arrow in arrows[:4]] == [0.0, 531.5, 0.4, 0.5]
    assert [arrow.label for arrow in arrows if arrow.after_long_gap] == ["200 OK", "BYE"]


def test_post_dial_delay_and_setup_run_from_the_first_invite() -> None:
    ladder = drawn(challenged_call())

    assert (ladder.post_dial_delay_ms, ladder.setup_ms) == (902.1, 4210.7)


def test_a_call_that_does_not_get_through_has_neither() -> None:
    messages = [UDP.sent(0, request("INVITE")), UDP.received(9, response(486, "Busy Here"))]
    ladder = drawn(messages)

    assert (ladder.post_dial_delay_ms, ladder.setup_ms) == (None, None)


def test_each_host_has_one_lifeline_whatever_its_ports() -> None:
    elsewhere = Way(remote=("203.0.113.6", 5060))
    other_port = Way(remote=("203.0.113.5", 5080), local=("192.0.2.10", 50505))
    ladder = drawn(
        [
            UDP.sent(0, request("OPTIONS")),
            elsewhere.sent(1, request("OPTIONS")),
            other_port.received(2, request("BYE")),
        ]
    )

    assert [each.address for each in ladder.lifelines] == ["", "203.0.113.5", "203.0.113.6"]
    assert [each.ports for each in ladder.lifelines] == [(40404, 50505), (5060, 5080), (5060,)]
    assert [(arrow.source, arrow.target) for arrow in ladder.arrows] == [(0, 1), (0, 2), (1, 0)]


def test_a_host_is_named_by_what_it_was_called_and_by_what_it_says() -> None:
    facts = answered(targets=(target(address=PEER, host="sip.example.com"),))

    us, peer, *_ = drawn(challenged_call(), facts).lifelines

    assert (us.name, us.software) == ("Trunkline", None)
    assert (peer.name, peer.software) == ("sip.example.com", "Asterisk PBX 20.9.2")


def test_a_host_without_a_name_has_its_address() -> None:
    assert drawn(challenged_call()).lifelines[1].name == PEER
    named = ladder_of(trace_of(challenged_call()), names={PEER: "carrier"}, our_name="us")
    assert [each.name for each in named.lifelines] == ["us", "carrier"]


def test_media_from_another_host_adds_its_lifeline() -> None:
    facts = answered(media={"source": ("203.0.113.99", 30000)})

    ladder = drawn(challenged_call(), facts)

    assert ladder.lifelines[2].address == "203.0.113.99"
    assert (band_of(ladder).source, band_of(ladder).target) == (0, 2)


def test_media_that_got_no_answer_runs_to_where_it_was_sent() -> None:
    facts = answered(media={"source": None, "packets_in": 0, "sent_to": (PEER, 30000)})

    assert band_of(drawn(challenged_call(), facts)).target == 1


def test_media_stands_behind_the_answer_when_it_was_not_acknowledged() -> None:
    messages = [UDP.sent(0, request("INVITE")), UDP.received(9, response(200, "OK"))]

    assert labels(drawn(messages, answered())) == ["> INVITE", "< 200 OK", "media"]


def test_targets_that_got_no_message_are_told_first() -> None:
    facts = answered(
        targets=(
            target(outcome=TargetOutcome.REFUSED, transport="tcp", address="203.0.113.4"),
            target(outcome=TargetOutcome.UNAVAILABLE, address="203.0.113.3"),
            target(address=PEER),
        )
    )

    first, second, *_ = drawn(challenged_call(), facts).rows

    assert isinstance(first, Remark)
    assert first.text.startswith("203.0.113.4, TCP port 5060: ")
    assert isinstance(second, Arrow)


def test_a_name_that_leads_nowhere_is_told() -> None:
    facts = dead()

    ladder = drawn([], replace(facts, dns=replace(facts.dns, failure="no such name")))

    assert labels(ladder) == ["sip.example.com: no such name"]
    assert ladder.started_at is None


@pytest.mark.parametrize(
    ("cause", "reason", "words"),
    [
        (FailureCause.NO_REPLY, None, ["No reply to the INVITE came."]),
        (FailureCause.TRANSPORT, "closed", ["The connection failed: the peer closed it."]),
        (FailureCause.TRANSPORT, None, ["The connection failed."]),
        (FailureCause.REFUSED, None, []),
    ],
)
def test_silence_at_the_end_is_told(
    cause: FailureCause, reason: str | None, words: list[str]
) -> None:
    facts = unanswered(cause, failure_reason=reason)

    assert labels(drawn([UDP.sent(0, request("INVITE"))], facts)) == ["> INVITE", *words]


def test_what_breaks_the_grammar_says_so() -> None:
    ladder = drawn(
        [UDP.received(0, b"SIP/2.0 200 OK\r\nCSeq: 1 BYE\r\n\r\n"), UDP.received(1, b"?")]
    )

    broken, unreadable = ladder.arrows
    assert broken.label == "200 OK (BYE)"
    assert broken.note == "breaks the grammar: Via: header field is missing"
    assert (unreadable.kind, unreadable.label) == (EntryKind.UNREADABLE, "not SIP")


_DATA = st.binary(max_size=60) | st.sampled_from(
    [
        request("INVITE", body=sdp()),
        request("ACK"),
        request("BYE", cseq=2),
        response(183, "Progress", body=sdp()),
        response(200, "OK", body=sdp()),
        response(503, "<&>"),
    ]
)
MESSAGES = st.lists(
    st.builds(
        lambda data, at, port, out: (
            Way(remote=("203.0.113.5", port)).sent(at, data)
            if out
            else Way(remote=("203.0.113.6", port)).received(at, data)
        ),
        _DATA,
        st.floats(0, 100_000),
        st.integers(1, 65535),
        st.booleans(),
    ),
    max_size=8,
)
"""Any messages whatever, also back in time."""


@given(MESSAGES, st.none() | FACTS)
@settings(max_examples=100)
def test_every_message_is_in_the_ladder_once(
    messages: list[CapturedMessage], facts: CallFacts | None
) -> None:
    ladder = drawn(messages, facts)

    counted = sorted(index for arrow in ladder.arrows for index in arrow.entries)
    assert counted == list(range(len(messages)))
    for row in ladder.rows:
        if isinstance(row, Arrow | Band):
            assert row.source != row.target
            assert max(row.source, row.target) < len(ladder.lifelines)
