"""Two calls side by side: steps of both, steps of one, and what their messages say otherwise."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from domain.call_comparison import MOST_DIFFERENCES, Comparison, compare
from domain.trace import TraceEntry, trace_of
from sip.capture import CapturedMessage
from tests.domain.traces import UDP, challenged_call, request, response, sdp

Places = list[tuple[str, int | None, int | None]]


def places(comparison: Comparison) -> Places:
    return [(step.label, step.left, step.right) for step in comparison.steps]


def refused_call(status: int = 486, reason: str = "Busy Here") -> list[CapturedMessage]:
    return [
        UDP.sent(0, request("INVITE", body=sdp())),
        UDP.received(20, response(100, "Trying")),
        UDP.received(80, response(status, reason)),
        UDP.sent(81, request("ACK")),
    ]


def answered_call() -> list[CapturedMessage]:
    return [
        UDP.sent(0, request("INVITE", body=sdp())),
        UDP.received(30, response(100, "Trying")),
        UDP.received(900, response(180, "Ringing")),
        UDP.received(4000, response(200, "OK", body=sdp())),
        UDP.sent(4001, request("ACK")),
    ]


def test_a_call_beside_itself_differs_in_nothing() -> None:
    entries = trace_of(challenged_call())
    comparison = compare(entries, entries)
    assert comparison.alike == 1.0
    assert all(step.left == step.right and not step.differences for step in comparison.steps)
    # The INVITE that was sent again is one step.
    assert len(comparison.steps) == len(entries) - 1


def test_what_one_call_has_and_the_other_has_not_stands_where_it_happened() -> None:
    comparison = compare(trace_of(answered_call()), trace_of(refused_call()))
    assert places(comparison) == [
        ("INVITE", 0, 0),
        ("100 Trying", 1, 1),
        ("180 Ringing", 2, None),
        ("200 OK", 3, None),
        ("486 Busy Here", None, 2),
        ("ACK", 4, 3),
    ]
    assert comparison.alike == 0.5
    ringing, refused = comparison.steps[2], comparison.steps[4]
    assert (ringing.left_ms, ringing.right_ms, ringing.left_sdp) == (900.0, None, None)
    assert (refused.left_ms, refused.right_ms, refused.right_sdp) == (None, 80.0, None)
    first = comparison.steps[0]
    assert first.left_sdp is not None
    assert first.left_sdp == first.right_sdp


def test_header_fields_that_differ_are_named_but_for_those_of_every_call() -> None:
    def traced(*headers: str, branch: str = "") -> Sequence[TraceEntry]:
        return trace_of([UDP.sent(0, request("INVITE", headers=headers, branch=branch))])

    (step,) = compare(
        traced("Allow: INVITE", "Allow: BYE", "X-Only: 1", "Subject: a", "Route: <sip:a;lr>"),
        traced("Allow: INVITE, BYE", "Subject: b", "Date: today", branch="other"),
    ).steps
    assert [(each.name, each.left, each.right) for each in step.differences] == [
        ("X-Only", "1", None),
        ("Subject", "a", "b"),
    ]


def test_a_message_with_many_fields_is_told_in_part() -> None:
    headers = [f"X-{number}: 1" for number in range(MOST_DIFFERENCES + 20)]
    many = trace_of([UDP.sent(0, request("INVITE", headers=headers))])
    (step,) = compare(many, trace_of([UDP.sent(0, request("INVITE"))])).steps
    assert len(step.differences) == MOST_DIFFERENCES


def test_calls_without_messages_are_alike() -> None:
    assert compare((), ()) == Comparison((), 1.0)
    nothing = compare(trace_of(refused_call()), ())
    assert nothing.alike == 0.0
    assert [step.right for step in nothing.steps] == [None] * 4


@given(st.lists(st.sampled_from([180, 183, 200, 486])), st.lists(st.sampled_from([180, 200, 503])))
def test_every_step_of_both_calls_is_told_once_and_in_order(
    left: list[int], right: list[int]
) -> None:
    calls = [
        trace_of(
            [
                UDP.received(place, response(status, "Word", cseq=place + 1))
                for place, status in enumerate(each)
            ]
        )
        for each in (left, right)
    ]
    comparison = compare(*calls)
    assert [step.left for step in comparison.steps if step.left is not None] == [*range(len(left))]
    assert [step.right for step in comparison.steps if step.right is not None] == [
        *range(len(right))
    ]
    both = [step for step in comparison.steps if None not in (step.left, step.right)]
    assert all(step.label.startswith(str(left[step.left or 0])) for step in both)
    assert all(left[step.left or 0] == right[step.right or 0] for step in both)
    assert 0.0 <= comparison.alike <= 1.0
