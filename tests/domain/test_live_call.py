"""What captured messages tell of a call: who, how far, with what answer and which audio."""

from __future__ import annotations

from domain.live_call import HangupSide, LiveCallState
from tests.domain.live_traffic import (
    ANSWER,
    CALLEE,
    CALLER,
    FROM_CALLEE,
    OFFER,
    OTHER,
    PROXY,
    START,
    TO_CALLEE,
    TO_CALLER,
    TO_PROXY,
    Traffic,
    call_of,
    moment,
    normal_call,
)


def test_a_call_through_a_proxy_is_one_call() -> None:
    call = call_of(normal_call().messages)

    assert (call.sip_call_id, call.correlation_id) == ("a84b4c76e66710@192.0.2.10", None)
    assert call.group == call.sip_call_id
    assert (call.state, call.expired) == (LiveCallState.ENDED, False)
    assert (call.from_user, call.to_user) == ("+14155550199", "+14155550100")
    assert call.request_user == "+14155550100"
    assert (call.source, call.destination, call.transport) == (CALLER, CALLEE, "UDP")
    assert (call.sip_code, call.sip_reason, call.status) == (200, "OK", "200 OK")
    assert call.started_at == START
    assert call.ringing_at == moment(1001)
    assert call.answered_at == moment(4001)
    assert call.ended_at == moment(34_001)
    assert (call.pdd_ms, call.duration_ms) == (1001, 30_000)
    assert (call.hung_up_by, call.q850) == (HangupSide.CALLER, 16)
    assert call.hangup_cause == "normal end of the call"
    assert (call.messages, call.retransmissions) == (13, 0)
    assert (call.attempts, call.branches, call.reinvites) == (1, 1, 0)
    assert call.offered_codecs == ("PCMU", "PCMA")
    assert (call.answered_codecs, call.codec) == (("PCMA",), "PCMA")
    assert call.secure_media is False
    assert (call.caller_agent, call.callee_agent) == ("Acme PBX 1.0", "Beta SBC 2.0")


def test_a_call_without_a_proxy_is_one_call() -> None:
    traffic = Traffic()
    traffic.request(0, (CALLER, CALLEE), "INVITE", body=OFFER)
    traffic.response(1500, (CALLEE, CALLER), 200, "OK", body=ANSWER)
    traffic.request(2500, (CALLEE, CALLER), "BYE", by_callee=True, to_tag="314159")

    call = call_of(traffic.messages)

    assert (call.source, call.destination, call.status) == (CALLER, CALLEE, "200 OK")
    assert (call.pdd_ms, call.duration_ms) == (1500, 1000)
    assert (call.hung_up_by, call.ringing_at) == (HangupSide.CALLEE, None)


def test_each_step_of_a_call_shows() -> None:
    traffic = Traffic()
    traffic.invites()
    trying = call_of(traffic.messages)
    traffic.passes(1000, 180, "Ringing")
    ringing = call_of(traffic.messages)
    traffic.passes(4000, 200, "OK", body=ANSWER)
    talking = call_of(traffic.messages)

    assert (trying.state, trying.status, trying.pdd_ms) == (LiveCallState.TRYING, "Trying", None)
    assert (ringing.state, ringing.status) == (LiveCallState.RINGING, "Ringing")
    assert (ringing.pdd_ms, ringing.sip_code) == (1001, None)
    assert (talking.state, talking.status) == (LiveCallState.IN_PROGRESS, "200 OK")
    assert (talking.duration_ms, talking.ended_at, talking.hung_up_by) == (None, None, None)


def test_ringing_counts_when_the_caller_hears_of_it() -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.response(1000, FROM_CALLEE, 180, "Ringing", hops=2)

    call = call_of(traffic.messages)

    assert (call.state, call.ringing_at) == (LiveCallState.TRYING, None)


def test_a_response_to_the_caller_is_known_by_its_branch_when_it_comes_from_elsewhere() -> None:
    traffic = Traffic()
    traffic.request(0, TO_PROXY, "INVITE")
    traffic.response(900, TO_CALLER, 180, "Ringing")
    data = traffic.messages.pop().data
    traffic.send(900, (("198.51.100.2", 49152), CALLER), data)

    assert call_of(traffic.messages).state is LiveCallState.RINGING
    without = data.replace(b";branch=", b";b=")
    traffic.messages.pop()
    traffic.send(900, (("198.51.100.2", 49152), CALLER), without)
    assert call_of(traffic.messages).state is LiveCallState.TRYING


def test_an_answer_whose_packet_to_the_caller_was_lost_is_an_answer() -> None:
    traffic = normal_call()

    call = call_of(traffic.without(6))

    assert traffic.messages[6].source == PROXY
    assert traffic.messages[6].data.startswith(b"SIP/2.0 200 OK")
    assert (call.status, call.answered_at) == ("200 OK", moment(4000))
    assert call.state is LiveCallState.ENDED


def test_a_forked_call_is_one_call_with_the_branch_that_answered() -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.request(3, (PROXY, OTHER), "INVITE", hops=2, body=OFFER)
    traffic.passes(800, 180, "Ringing", to_tag="one")
    traffic.response(900, (OTHER, PROXY), 180, "Ringing", to_tag="two", hops=2)
    traffic.response(901, TO_CALLER, 180, "Ringing", to_tag="two")
    traffic.passes(4000, 200, "OK", to_tag="one", body=ANSWER)
    traffic.request(4002, (PROXY, OTHER), "CANCEL", hops=1)
    traffic.response(4010, (OTHER, PROXY), 487, "Request Terminated", to_tag="two", hops=2)
    traffic.acks(4020, to_tag="one")
    traffic.caller_hangs_up(9001, to_tag="one")

    call = call_of(traffic.messages)

    assert (call.branches, call.destination, call.status) == (2, CALLEE, "200 OK")
    assert (call.pdd_ms, call.duration_ms) == (801, 5000)
    assert call.hung_up_by is HangupSide.CALLER


def test_a_call_that_two_branches_answer_goes_on_until_both_have_ended() -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.passes(4000, 200, "OK", to_tag="one", body=ANSWER)
    traffic.passes(4010, 200, "OK", to_tag="two", body=ANSWER)
    traffic.caller_hangs_up(4020, to_tag="two")
    assert call_of(traffic.messages).state is LiveCallState.IN_PROGRESS

    traffic.callee_hangs_up(9001, to_tag="one")
    call = call_of(traffic.messages)

    assert (call.duration_ms, call.hung_up_by) == (5000, HangupSide.CALLEE)


def test_a_carrier_that_fails_is_not_the_end_when_the_next_one_answers() -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.response(500, FROM_CALLEE, 503, "Service Unavailable", to_tag="down", hops=2)
    traffic.request(510, (PROXY, OTHER), "INVITE", hops=2, body=OFFER)
    going = call_of(traffic.messages)
    traffic.response(900, (OTHER, PROXY), 200, "OK", to_tag="up", hops=2, body=ANSWER)
    traffic.response(901, TO_CALLER, 200, "OK", to_tag="up", body=ANSWER)

    assert (going.state, going.sip_code, going.destination) == (LiveCallState.TRYING, None, OTHER)
    call = call_of(traffic.messages)
    assert (call.status, call.destination) == ("200 OK", OTHER)


def test_a_reinvite_is_counted_and_changes_nothing_else() -> None:
    traffic = normal_call(length=60_000)
    before = call_of(traffic.messages)
    for at, by_callee in ((10_000, False), (20_000, True)):
        way = (TO_PROXY, TO_CALLER) if not by_callee else (TO_CALLER, TO_PROXY)
        traffic.request(
            at, way[0], "INVITE", cseq=7, to_tag="314159", by_callee=by_callee, body=OFFER
        )
        traffic.response(at + 9, way[1], 488, "Not Acceptable Here", cseq=7, by_callee=by_callee)
    after = call_of(traffic.messages)

    assert (before.reinvites, after.reinvites) == (0, 2)
    assert (after.status, after.duration_ms, after.codec) == ("200 OK", 60_000, "PCMA")
    assert (after.attempts, after.answered_at) == (1, before.answered_at)
    assert call_of(reversed(traffic.messages)) == after


def test_a_refused_reinvite_that_was_not_captured_refuses_nothing() -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.answered()
    traffic.response(5000, TO_CALLER, 488, "Not Acceptable Here", cseq=2)

    call = call_of(traffic.messages)

    assert (call.state, call.status) == (LiveCallState.IN_PROGRESS, "200 OK")


def test_what_counts_is_what_the_caller_was_answered_when_a_server_changes_it() -> None:
    traffic = Traffic()
    traffic.invites()
    traffic.response(900, FROM_CALLEE, 200, "OK", to_tag="inner", hops=2, body=ANSWER)
    traffic.response(901, TO_CALLER, 200, "OK", to_tag="outer", body=OFFER)
    traffic.request(1901, TO_PROXY, "BYE", cseq=2, to_tag="outer")

    call = call_of(traffic.messages)

    assert (call.state, call.duration_ms, call.codec) == (LiveCallState.ENDED, 1000, "PCMU")


def test_an_invite_to_the_callers_own_address_is_no_answer_to_it() -> None:
    traffic = Traffic()
    traffic.request(0, TO_PROXY, "INVITE", body=OFFER)
    traffic.request(2, TO_CALLER, "INVITE", hops=2, body=OFFER)
    traffic.response(1000, TO_PROXY, 180, "Ringing", hops=2)
    assert call_of(traffic.messages).state is LiveCallState.TRYING

    traffic.response(1001, TO_CALLER, 180, "Ringing")
    assert call_of(traffic.messages).state is LiveCallState.RINGING


def test_a_server_that_sends_from_another_port_is_still_the_server() -> None:
    out = (("198.51.100.1", 49152), CALLEE)
    traffic = Traffic()
    traffic.request(0, TO_PROXY, "INVITE", body=OFFER)
    # The server answers a challenge of its carrier itself, with a higher CSeq.
    traffic.request(2, out, "INVITE", hops=2, body=OFFER)
    traffic.response(10, (CALLEE, out[0]), 407, "Proxy Authentication Required", hops=2)
    traffic.request(12, out, "INVITE", cseq=2, hops=2, body=OFFER)
    traffic.response(900, (CALLEE, out[0]), 486, "Busy Here", cseq=2, hops=2)
    traffic.response(901, TO_CALLER, 486, "Busy Here", cseq=1)

    call = call_of(traffic.messages)

    assert (call.state, call.status, call.attempts) == (LiveCallState.ENDED, "486 Busy Here", 1)


def test_an_invite_is_read_whatever_way_it_went() -> None:
    assert call_of(normal_call().without(0)).source == PROXY
    assert call_of(normal_call().without(2)).destination == CALLEE
    assert TO_CALLEE == (PROXY, CALLEE)
