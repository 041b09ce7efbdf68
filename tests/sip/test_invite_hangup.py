"""The end of a call by us: CANCEL, BYE and what crosses them, from a hostile peer too."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.dialog_state import Answered, Ended, EndedBy, Failed, FailureCause, OtherForkEnded
from tests.sip.caller import ANSWER, CONTACT, CREDENTIALS, PLAN, Caller, peer_request
from tests.sip.test_invite_session import challenge


class TestCancel:
    def test_it_waits_for_a_provisional_response(self) -> None:
        caller = Caller()
        invite = caller.start()
        caller.hang_up()
        assert caller.requests("CANCEL") == []
        caller.respond(100, tag=None)
        (cancel,) = caller.requests("CANCEL")
        assert (cancel.via, cancel.uri, cancel.cseq.number) == (invite.via, invite.uri, 1)
        caller.hang_up()
        caller.respond(180)
        assert len(caller.requests("CANCEL")) == 1
        caller.respond(200, to=cancel)
        caller.respond(487)
        assert [(event.cause, event.status) for event in caller.of(Failed)] == [
            (FailureCause.CANCELLED, 487)
        ]
        caller.advance(60.0)
        assert caller.session.is_over
        assert caller.foreign == []

    def test_a_call_that_nobody_answers_is_cancelled(self) -> None:
        caller = Caller(replace(PLAN, ring_seconds=20.0))
        caller.start()
        caller.respond(180)
        caller.advance(20.0)
        assert caller.requests("CANCEL")
        caller.respond(487)
        assert [event.cause for event in caller.of(Failed)] == [FailureCause.NO_ANSWER]

    def test_without_any_response_there_is_nothing_to_cancel(self) -> None:
        caller = Caller(replace(PLAN, ring_seconds=20.0))
        caller.start()
        caller.advance(70.0)
        assert caller.requests("CANCEL") == []
        assert [event.cause for event in caller.of(Failed)] == [FailureCause.NO_REPLY]

    def test_silence_after_a_hang_up_is_a_cancelled_call(self) -> None:
        caller = Caller()
        caller.start()
        caller.hang_up()
        caller.advance(70.0)
        assert [event.cause for event in caller.of(Failed)] == [FailureCause.CANCELLED]

    def test_a_cancel_that_nothing_follows_ends_the_call_after_64_t1(self) -> None:
        caller = Caller()
        caller.start()
        caller.respond(180)
        caller.hang_up()
        caller.respond(200, to=caller.last("CANCEL"))
        caller.advance(32.0)
        (failed,) = caller.of(Failed)
        assert (failed.cause, failed.at, failed.status) == (FailureCause.CANCELLED, 32.0, None)
        assert caller.session.is_over
        assert caller.saved[-1].is_over
        assert caller.layer.live_client_transactions == 0

    def test_a_refusal_that_crosses_it_is_what_the_peer_said(self) -> None:
        caller = Caller()
        caller.start()
        caller.respond(180)
        caller.hang_up()
        caller.respond(486)
        assert [event.cause for event in caller.of(Failed)] == [FailureCause.REFUSED]

    @pytest.mark.parametrize("status", [401, 422])
    def test_nothing_is_tried_again_after_a_hang_up(self, status: int) -> None:
        caller = Caller(replace(PLAN, credentials=CREDENTIALS))
        caller.start()
        caller.hang_up()
        caller.respond(status, headers=(challenge(), ("Min-SE", "90")))
        assert len(caller.requests("INVITE")) == 1
        assert [event.cause for event in caller.of(Failed)] == [FailureCause.CANCELLED]

    @pytest.mark.parametrize("provisional", [False, True])
    def test_a_2xx_that_crosses_it_is_acknowledged_and_ended(self, provisional: bool) -> None:
        caller = Caller()
        caller.start()
        if provisional:
            caller.respond(180)
        caller.hang_up()
        caller.respond(200)
        assert caller.last("ACK").to.tag == "a"
        assert caller.last("BYE").to.tag == "a"
        caller.respond(200, to=caller.last("BYE"))
        assert [(event.cause, event.status) for event in caller.of(Failed)] == [
            (FailureCause.CANCELLED, 200)
        ]
        assert caller.of(OtherForkEnded)
        assert caller.of(Answered) == []

    def test_a_hang_up_before_and_after_the_call_does_nothing(self) -> None:
        caller = Caller()
        caller.start()
        caller.respond(486)
        before = len(caller.sent)
        caller.hang_up()
        assert len(caller.sent) == before
        assert len(caller.of(Failed)) == 1


class TestBye:
    def test_it_ends_the_call_once(self) -> None:
        caller = Caller()
        caller.answered()
        caller.now = 5.0
        caller.hang_up()
        caller.hang_up()
        (bye,) = caller.requests("BYE")
        assert (bye.cseq.number, bye.to.tag) == (2, "a")
        caller.respond(200, to=bye)
        (ended,) = caller.of(Ended)
        assert (ended.at, ended.by, ended.status) == (5.0, EndedBy.US, 200)
        caller.hang_up()
        assert len(caller.requests("BYE")) == 1

    def test_a_challenged_one_is_repeated_with_credentials(self) -> None:
        caller = Caller(replace(PLAN, credentials=CREDENTIALS))
        caller.answered()
        caller.hang_up()
        caller.respond(407, to=caller.last("BYE"), headers=(challenge(proxy=True),))
        second = caller.last("BYE")
        assert "Proxy-Authorization" in second.headers
        assert second.cseq.number == 3
        assert caller.saved[-1].dialogs[0].local_cseq == 3
        caller.respond(200, to=second)
        assert [event.status for event in caller.of(Ended)] == [200]

    @pytest.mark.parametrize("status", [401, 408, 481, 500])
    def test_every_other_answer_ends_the_call_too(self, status: int) -> None:
        caller = Caller()
        caller.answered()
        caller.hang_up()
        caller.respond(status, to=caller.last("BYE"), headers=(challenge(),))
        assert [event.status for event in caller.of(Ended)] == [status]

    def test_silence_ends_it(self) -> None:
        caller = Caller()
        caller.answered()
        caller.hang_up()
        caller.advance(100.0)
        assert [(e.by, e.status, e.reason) for e in caller.of(Ended)] == [
            (EndedBy.US, None, "no final response")
        ]
        assert caller.session.is_over
        assert caller.saved[-1].is_over

    def test_a_failed_transport_ends_it_here_and_leaves_it_to_be_cleaned_up(self) -> None:
        caller = Caller(transport="TCP")
        caller.answered()
        caller.hang_up()
        caller.layer.transport_failed(caller.flow, 1.0, "closed")
        caller.pump()
        assert [event.reason for event in caller.of(Ended)] == ["closed"]
        assert [state.remote_tag for state in caller.saved[-1].dialogs] == ["a"]

    def test_byes_that_cross_end_the_call_once(self) -> None:
        caller = Caller()
        caller.answered()
        caller.hang_up()
        caller.receive(peer_request("BYE"))
        assert caller.responses()[-1].status == 200
        caller.advance(100.0)
        assert [event.by for event in caller.of(Ended)] == [EndedBy.PEER]
        assert caller.session.is_over


statuses = st.sampled_from([100, 180, 183, 200, 200, 202, 302, 401, 407, 422, 481, 486, 487, 503])
peer_methods = st.sampled_from(["BYE", "INVITE", "UPDATE", "OPTIONS", "INFO", "ACK", "CANCEL"])
tags = st.sampled_from(["a", "b", None])
oddities = st.lists(
    st.sampled_from(
        [
            CONTACT,
            ("Contact", "*"),
            ("Contact", '"\\\x01\xe9" <sip:x@[2001:db8::1];lr?a=b>'),
            ("Record-Route", '"\xe9 \\"," <sip:p.example.com;lr>;x="<>", <tel:+1>, <sip:q>'),
            ("Require", "100rel, timer"),
            ("RSeq", "4294967295"),
            ("RSeq", "1"),
            ("Min-SE", "4294967295 ;a"),
            ("Session-Expires", "90;refresher=uac"),
            ("WWW-Authenticate", 'Digest realm="\\"\xe9", nonce="", qop="auth"'),
            ("Proxy-Authenticate", 'Digest realm="p", nonce="n", stale=TRUE, algorithm=SHA-256'),
            ("WWW-Authenticate", "Digest nonce=1"),
        ]
    ),
    max_size=4,
    unique_by=lambda header: header[0],
)
acts = st.one_of(
    st.tuples(st.just("respond"), st.sampled_from(["INVITE", "BYE", "PRACK", "CANCEL"]), statuses),
    st.tuples(st.just("request"), peer_methods, st.integers(1, 4)),
    st.tuples(st.just("wait"), st.just(""), st.sampled_from([1, 33])),
    st.tuples(st.just("hang up"), st.just(""), st.just(0)),
)


class TestAHostilePeer:
    @settings(max_examples=200, deadline=None)
    @given(st.booleans(), st.lists(st.tuples(acts, tags, oddities, st.booleans()), max_size=12))
    def test_no_sequence_of_messages_breaks_the_session_or_keeps_it_up(
        self,
        offers: bool,
        played: list[tuple[tuple[str, str, int], str | None, list[tuple[str, str]], bool]],
    ) -> None:
        plan = replace(PLAN, credentials=CREDENTIALS, offer=PLAN.offer if offers else None)
        caller = Caller(plan)
        caller.start()
        for (act, method, number), tag, headers, sdp in played:
            body = ANSWER if sdp else b""
            if act == "respond" and caller.requests(method):
                request = caller.last(method)
                caller.respond(number, to=request, tag=tag, headers=headers, sdp=body)
            elif act == "request":
                caller.receive(
                    peer_request(method, cseq=number, tag=tag or "c", headers=headers, sdp=body)
                )
            elif act == "wait":
                caller.advance(caller.now + number)
            else:
                caller.hang_up()
        caller.hang_up()
        caller.advance(caller.now + 200.0)
        assert caller.session.is_over
        assert caller.session.get_timer() is None
        assert len(caller.of(Ended)) + len(caller.of(Failed)) == 1
