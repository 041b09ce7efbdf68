"""How calls of real traffic end: refused, challenged, cancelled, hung up, or never heard of again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.live_call import HangupSide, LiveCallState
from tests.domain.live_traffic import (
    CALLEE,
    CALLER,
    FROM_CALLEE,
    NOW,
    OTHER,
    PROXY,
    START,
    TO_CALLEE,
    TO_CALLER,
    TO_PROXY,
    Traffic,
    assembled,
    call_of,
    later,
    moment,
)

CHALLENGE = 'Proxy-Authenticate: Digest realm="acme", nonce="f00d"'


def challenged() -> Traffic:
    traffic = Traffic()
    traffic.request(0, TO_PROXY, "INVITE")
    traffic.response(
        2, TO_CALLER, 407, "Proxy Authentication Required", to_tag="p", headers=[CHALLENGE]
    )
    traffic.request(3, TO_PROXY, "ACK", to_tag="p")
    return traffic


@pytest.mark.parametrize(
    ("status", "reason", "q850", "cause"),
    [
        (486, "Busy Here", 17, "callee busy"),
        (404, "Not Found", 1, "number not assigned"),
        (480, "Temporarily Unavailable", 18, "callee's telephone does not respond"),
        (503, "Service Unavailable", 41, "temporary failure"),
        (603, "Decline", 21, "call rejected"),
        (499, "", None, None),
    ],
)
def test_a_refusal_ends_the_call(
    status: int, reason: str, q850: int | None, cause: str | None
) -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.passes(1200, status, reason)
    traffic.acks(1210)

    call = call_of(traffic.messages)

    assert (call.state, call.sip_code, call.sip_reason) == (LiveCallState.ENDED, status, reason)
    assert call.status == f"{status} {reason}".strip()
    assert (call.ended_at, call.pdd_ms) == (moment(1201), 1201)
    assert (call.answered_at, call.duration_ms, call.hung_up_by) == (None, None, None)
    assert (call.q850, call.hangup_cause) == (q850, cause)
    assert call.destination == CALLEE


def test_the_peers_own_reason_counts_before_what_the_code_means() -> None:
    traffic = Traffic()
    traffic.invites()
    reason = 'Reason: Q.850;cause=34;text="No channel"'
    traffic.response(1200, FROM_CALLEE, 503, "Service Unavailable", hops=2, headers=[reason])
    traffic.response(1201, TO_CALLER, 503, "Service Unavailable")

    call = call_of(traffic.messages)

    assert (call.q850, call.hangup_cause) == (34, 'Q.850 34: "No channel"')


@pytest.mark.parametrize(
    ("header", "q850", "cause"),
    [
        ("Reason: Q.850;cause=16", 16, "Q.850 16: normal end of the call"),
        ('Reason: SIP;cause=200;text="Call completed elsewhere"', 16,
         'SIP 200: "Call completed elsewhere"'),
        ("X-Asterisk-HangupCause: User busy", 17, "callee busy"),
        ("X-Acme-Id: 17", 16, "normal end of the call"),
        ("Reason: nonsense", 16, "normal end of the call"),
    ],
)  # fmt: skip
def test_a_bye_says_why(header: str, q850: int, cause: str) -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.answered()
    traffic.caller_hangs_up(9000, headers=[header])

    call = call_of(traffic.messages)

    assert (call.q850, call.hangup_cause) == (q850, cause)


def test_a_challenge_that_the_caller_meets_is_not_the_end() -> None:
    traffic = challenged()
    waiting = call_of(traffic.messages)
    traffic.invites(10, cseq=2, headers=["Proxy-Authorization: Digest ..."])
    traffic.answered(4000, cseq=2)
    traffic.caller_hangs_up(9001, cseq=3)

    call = call_of(traffic.messages)

    assert (waiting.state, waiting.ended_at) == (LiveCallState.TRYING, None)
    assert waiting.status == "407 Proxy Authentication Required"
    assert (call.status, call.attempts, call.branches) == ("200 OK", 2, 1)
    assert (call.started_at, call.duration_ms) == (START, 5000)
    assert call.pdd_ms == 991, "counted from the INVITE with credentials"
    assert call_of(reversed(traffic.messages)) == call


def test_an_invite_with_credentials_that_was_not_captured_is_made_up() -> None:
    traffic = challenged()
    traffic.response(900, TO_CALLER, 180, "Ringing", cseq=2)
    ringing = call_of(traffic.messages)
    traffic.response(950, TO_CALLER, 200, "OK", cseq=2)

    assert (ringing.state, ringing.attempts) == (LiveCallState.RINGING, 2)
    assert call_of(traffic.messages).status == "200 OK"


def test_a_challenge_that_nobody_meets_is_the_end() -> None:
    assembler, call = assembled(challenged().messages)
    assert call.state is LiveCallState.TRYING

    ended = later(assembler, timedelta(seconds=10))

    assert (ended.state, ended.expired) == (LiveCallState.ENDED, False)
    assert (ended.sip_code, ended.ended_at, ended.pdd_ms) == (407, moment(2), 2)
    assert assembler.counts.expired == 0


def test_credentials_that_come_late_open_the_call_again() -> None:
    traffic = challenged()
    assembler, _ = assembled(traffic.messages)
    later(assembler, timedelta(seconds=10))
    traffic.messages.clear()
    traffic.invites(12_000, cseq=2)

    for each in traffic.messages:
        assembler.receive(each, NOW + timedelta(seconds=12))
    (call,) = assembler.changed()

    assert (call.state, call.sip_code) == (LiveCallState.TRYING, None)


def test_a_redirection_is_the_end_unless_the_caller_follows_it() -> None:
    traffic = Traffic()
    traffic.request(0, TO_PROXY, "INVITE")
    traffic.response(5, TO_CALLER, 302, "Moved Temporarily", to_tag="r")
    assembler, _ = assembled(traffic.messages)
    ended = later(assembler, timedelta(seconds=10))
    traffic.request(20, (CALLER, OTHER), "INVITE", cseq=2)
    traffic.response(800, (OTHER, CALLER), 200, "OK", cseq=2, to_tag="o")
    followed = call_of(traffic.messages)

    assert (ended.state, ended.status) == (LiveCallState.ENDED, "302 Moved Temporarily")
    assert (followed.state, followed.status) == (LiveCallState.IN_PROGRESS, "200 OK")
    assert (followed.destination, followed.pdd_ms) == (OTHER, 780)


def test_a_caller_that_cancels_ends_the_call() -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.passes(1000, 180, "Ringing")
    traffic.request(5000, TO_PROXY, "CANCEL", headers=["Reason: SIP;cause=487"])
    traffic.request(5001, TO_CALLEE, "CANCEL", headers=["Reason: SIP;cause=487"])
    traffic.passes(5010, 487, "Request Terminated")

    call = call_of(traffic.messages)

    assert (call.status, call.hung_up_by) == ("487 Request Terminated", HangupSide.CALLER)
    assert (call.pdd_ms, call.duration_ms, call.ended_at) == (1001, None, moment(5011))
    assert (call.q850, call.hangup_cause) == (16, "SIP 487")


def test_a_cancel_without_a_final_answer_ends_the_call_by_silence() -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.request(5000, TO_PROXY, "CANCEL")
    assembler, _ = assembled(traffic.messages)

    call = later(assembler, timedelta(seconds=45))

    assert (call.state, call.expired, call.sip_code) == (LiveCallState.ENDED, True, None)
    assert call.status == "Cancelled, and no final answer was seen"
    assert call.ended_at == moment(5000)


def test_a_proxy_that_gives_up_ends_the_call() -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.passes(1000, 180, "Ringing")
    traffic.request(30_000, TO_CALLEE, "CANCEL")
    traffic.response(30_001, TO_CALLER, 408, "Request Timeout", to_tag="proxy")
    traffic.response(30_010, FROM_CALLEE, 487, "Request Terminated", hops=2)

    call = call_of(traffic.messages)

    assert (call.status, call.hung_up_by) == ("408 Request Timeout", HangupSide.PROXY)
    assert (call.branches, call.q850) == (1, 102)


def test_a_branch_that_was_cancelled_for_another_refusal_is_nobodys_hang_up() -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.request(3, (PROXY, OTHER), "INVITE", hops=2)
    traffic.response(900, (OTHER, PROXY), 603, "Decline", to_tag="two", hops=2)
    traffic.request(901, TO_CALLEE, "CANCEL")
    traffic.response(920, TO_CALLER, 603, "Decline", to_tag="two")

    call = call_of(traffic.messages)

    assert (call.status, call.hung_up_by) == ("603 Decline", None)


def test_an_answer_that_crosses_the_cancel_counts() -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.request(3999, TO_PROXY, "CANCEL")
    traffic.answered()
    traffic.caller_hangs_up(4201)

    call = call_of(traffic.messages)

    assert (call.status, call.duration_ms) == ("200 OK", 200)


def test_either_end_may_hang_up() -> None:
    for hang_up, side in (
        (Traffic.caller_hangs_up, HangupSide.CALLER),
        (Traffic.callee_hangs_up, HangupSide.CALLEE),
    ):
        traffic = Traffic()
        traffic.invites()
        traffic.answered()
        hang_up(traffic, 9001)

        call = call_of(traffic.messages)

        assert (call.state, call.hung_up_by) == (LiveCallState.ENDED, side)
        assert (call.duration_ms, call.ended_at) == (5000, moment(9001))


def test_a_proxy_may_hang_up_both_ends() -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.answered()
    traffic.request(9001, TO_CALLER, "BYE", by_callee=True, to_tag="314159")
    traffic.request(9002, TO_CALLEE, "BYE", cseq=2, to_tag="314159")

    call = call_of(traffic.messages)

    assert (call.hung_up_by, call.duration_ms) == (HangupSide.PROXY, 5000)


def test_the_answer_to_a_bye_that_was_not_captured_stands_for_it() -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.answered()
    traffic.response(9001, TO_CALLER, 200, "OK", method="BYE", cseq=2)

    call = call_of(traffic.messages)

    assert (call.state, call.hung_up_by) == (LiveCallState.ENDED, HangupSide.CALLER)


def test_a_bye_of_a_dialog_that_is_not_the_calls_does_not_end_it() -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.answered()
    stranger = Traffic(caller_tag="stranger")
    stranger.caller_hangs_up(5000)

    call = call_of([*traffic.messages, *stranger.messages])

    assert call.state is LiveCallState.IN_PROGRESS
