"""The INVITE and its answers: progress, success, refusals and the attempts after them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sip.authenticator import Authenticator, Credentials
from sip.dialog_state import (
    Answered,
    Calling,
    Challenged,
    EarlyMedia,
    Ended,
    EndedBy,
    Failed,
    FailureCause,
    IntervalRaised,
    Progress,
    Ringing,
    Trying,
)
from sip.digest import Algorithm, DigestCredentials
from sip.headers import NameAddr
from sip.session_dialogs import MAX_ACKS
from sip.transaction import Flow
from sip.uri import SipUri, Uri
from tests.sip.caller import ANSWER, CONTACT, CREDENTIALS, OFFER, PLAN, Caller, tokens
from tests.sip.test_dialog import invite, response
from tests.sip.transactions import flow_between

WITH_PASSWORD = replace(PLAN, credentials=CREDENTIALS)


def challenge(
    realm: str = "r", nonce: str = "n", *, stale: bool = False, proxy: bool = False
) -> tuple[str, str]:
    name = "Proxy-Authenticate" if proxy else "WWW-Authenticate"
    end = ", stale=true" if stale else ""
    return name, f'Digest realm="{realm}", nonce="{nonce}", qop="auth"{end}'


class TestTheInvite:
    def test_it_carries_the_plan(self) -> None:
        plan = replace(
            PLAN,
            to=NameAddr(SipUri("sip", "example.com", "200")),
            routes=("<sip:proxy.example.com;lr>",),
            headers=(("P-Asserted-Identity", "<sip:bob@example.com>"),),
            first_cseq=7,
        )
        request = Caller(plan).start()
        assert (request.uri, request.body, request.cseq.number) == (PLAN.target, OFFER, 7)
        assert str(request.to) == "<sip:200@example.com>"
        assert request.headers.get("Route") == "<sip:proxy.example.com;lr>"
        assert request.headers.get("P-Asserted-Identity") == "<sip:bob@example.com>"
        assert request.tokens("Supported") == ("100rel",)
        assert "PRACK" not in request.tokens("Allow")
        assert "Session-Expires" not in request.headers

    def test_without_offer_and_options_it_says_so(self) -> None:
        request = Caller(replace(PLAN, offer=None, supported=())).start()
        assert (request.body, request.content_type) == (b"", None)
        assert "Supported" not in request.headers

    def test_a_password_is_not_shown(self) -> None:
        assert "secret" not in repr(CREDENTIALS)


class TestTheAnswer:
    def test_a_call_is_told_step_by_step(self) -> None:
        caller = Caller()
        caller.start()
        assert not caller.session.is_over
        caller.now = 1.0
        caller.respond(100, tag=None)
        caller.respond(183, sdp=ANSWER)
        caller.respond(180)
        caller.respond(180, tag=None)
        caller.now = 2.0
        caller.respond(200, sdp=ANSWER, headers=(CONTACT, ("Server", "pbx"), ("X-Id", "9")))
        assert caller.events[:-1] == [
            Calling(0.0, 1),
            Trying(1.0),
            Progress(1.0, 183, "Session Progress", "a", False),
            EarlyMedia(1.0, ANSWER, "a"),
            Ringing(1.0, 180, "Ringing", "a", False),
        ]
        (answered,) = caller.of(Answered)
        assert (answered.at, answered.sdp, answered.dialog.remote_tag) == (2.0, ANSWER, "a")
        assert (answered.said.server, answered.said.details) == ("pbx", (("X-Id", "9"),))
        assert caller.last("ACK").uri != PLAN.target
        assert caller.last("ACK").body == b""

    def test_each_repeated_2xx_gets_the_same_ack(self) -> None:
        caller = Caller()
        invite_sent = caller.answered()
        caller.respond(200)
        caller.advance(40.0)
        caller.respond(200, to=invite_sent)
        acks = caller.requests("ACK", copies=True)
        assert len({ack.serialize() for ack in acks}) == 1
        assert (len(acks), len(caller.requests("ACK"))) == (3, 1)
        assert len(caller.of(Answered)) == 1

    def test_a_peer_that_answers_each_ack_with_another_2xx_is_left_alone_at_a_limit(self) -> None:
        caller = Caller()
        caller.answered()
        for _ in range(3 * MAX_ACKS):
            caller.respond(200)
        assert len(caller.requests("ACK", copies=True)) == MAX_ACKS
        assert len(caller.of(Answered)) == 1

    def test_the_offer_of_a_2xx_is_answered_in_the_ack(self) -> None:
        caller = Caller(
            replace(PLAN, offer=None), answer_offer=lambda offer: b"to " + (offer or b"")
        )
        caller.answered()
        assert caller.last("ACK").body == b"to " + ANSWER

    def test_an_offer_that_is_refused_ends_the_call_that_it_answered(self) -> None:
        caller = Caller(replace(PLAN, offer=None), answer_offer=lambda offer: None)
        caller.answered()
        assert caller.last("ACK").body == b""
        caller.respond(200, to=caller.last("BYE"))
        assert [event.by for event in caller.of(Ended)] == [EndedBy.US]

    def test_the_flow_to_the_contact_is_asked_for(self) -> None:
        hops: list[str] = []
        other = flow_between("TCP")

        def flow_to(uri: Uri) -> Flow:
            hops.append(str(uri))
            return other

        caller = Caller(flow_to=flow_to)
        caller.answered()
        assert set(hops) == {"sip:callee@192.0.2.2:5060"}
        assert caller.sent[-1].flow == other
        assert caller.last("ACK").via.transport == "TCP"


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "cause"),
        [
            (486, FailureCause.REFUSED),
            (302, FailureCause.REDIRECTED),
            (401, FailureCause.UNAUTHORIZED),
            (407, FailureCause.UNAUTHORIZED),
            (422, FailureCause.REFUSED),
            (491, FailureCause.REFUSED),
            (603, FailureCause.REFUSED),
        ],
    )
    def test_one_is_reported_with_who_said_it_and_why(
        self, status: int, cause: FailureCause
    ) -> None:
        caller = Caller()
        caller.start()
        headers = (
            ("Server", "pbx"),
            ("Warning", '399 pbx "no route"'),
            ("Reason", "Q.850;cause=34"),
            ("Retry-After", "5 (busy)"),
            ("Contact", "<sip:elsewhere@example.com>"),
        )
        caller.respond(status, headers=headers)
        caller.respond(status, headers=headers)
        (failed,) = caller.of(Failed)
        assert (failed.cause, failed.status) == (cause, status)
        assert failed.said.server == "pbx"
        assert failed.said.warnings == ('399 pbx "no route"',)
        assert failed.said.reasons == ("Q.850;cause=34",)
        assert failed.said.retry_after == "5 (busy)"
        assert failed.said.contacts == ("sip:elsewhere@example.com",)
        assert len(caller.requests("INVITE")) == 1
        assert not caller.session.is_over
        caller.advance(40.0)
        assert caller.session.is_over

    def test_silence_is_no_reply(self) -> None:
        caller = Caller()
        caller.start()
        caller.advance(70.0)
        (failed,) = caller.of(Failed)
        assert (failed.cause, failed.status, failed.at) == (FailureCause.NO_REPLY, None, 32.0)
        assert caller.session.is_over

    def test_a_failed_transport_leaves_the_outcome_to_be_cleaned_up(self) -> None:
        caller = Caller(transport="TCP")
        request = caller.start()
        caller.respond(180)
        caller.layer.transport_failed(caller.flow, 1.0, "reset")
        caller.pump()
        (failed,) = caller.of(Failed)
        assert (failed.cause, failed.reason) == (FailureCause.TRANSPORT, "reset")
        assert caller.session.is_over
        assert caller.saved[-1].pending
        assert len(caller.saved[-1].dialogs) == 1
        caller.respond(200, to=request)
        assert caller.last("BYE").to.tag == "a"
        assert not caller.saved[-1].pending


class TestASmallInterval:
    def test_min_se_is_raised_once(self) -> None:
        caller = Caller()
        first = caller.start()
        caller.respond(422, headers=(("Min-SE", "120;x=y"),))
        second = caller.last("INVITE")
        assert second.headers.get("Min-SE") == "120"
        assert (second.cseq.number, second.call_id) == (2, first.call_id)
        assert second.via.branch != first.via.branch
        assert caller.of(IntervalRaised) == [IntervalRaised(0.0, 120)]
        caller.respond(422, headers=(("Min-SE", "240"),))
        assert [event.status for event in caller.of(Failed)] == [422]


class TestChallenges:
    def test_one_is_answered_in_a_new_transaction_of_the_same_call(self) -> None:
        caller = Caller(WITH_PASSWORD)
        first = caller.start()
        caller.respond(401, headers=(challenge(),))
        second = caller.last("INVITE")
        credentials = DigestCredentials.parse(second.headers.get("Authorization") or "")
        assert (credentials.username, credentials.nc) == ("alice", 1)
        assert (second.cseq.number, second.body) == (2, OFFER)
        assert second.via.branch != first.via.branch
        assert second.from_.tag == first.from_.tag
        assert [event.method for event in caller.of(Challenged)] == ["INVITE"]
        caller.respond(200)
        assert caller.last("ACK").headers.get("Authorization") == str(credentials)
        assert caller.last("ACK").cseq.number == 2

    def test_a_second_challenge_is_a_refusal_unless_the_nonce_was_stale_and_that_once(self) -> None:
        caller = Caller(WITH_PASSWORD)
        caller.start()
        caller.respond(401, headers=(challenge(),))
        caller.respond(401, headers=(challenge(nonce="m", stale=True),))
        assert '"m"' in (caller.last("INVITE").headers.get("Authorization") or "")
        caller.respond(401, headers=(challenge(nonce="o", stale=True),))
        assert len(caller.requests("INVITE")) == 3
        assert [event.cause for event in caller.of(Failed)] == [FailureCause.UNAUTHORIZED]

    def test_without_stale_there_is_no_second_answer(self) -> None:
        caller = Caller(WITH_PASSWORD)
        caller.start()
        caller.respond(401, headers=(challenge(),))
        caller.respond(401, headers=(challenge(nonce="m"),))
        assert len(caller.requests("INVITE")) == 2

    def test_a_proxy_and_the_server_behind_it_are_both_answered(self) -> None:
        caller = Caller(WITH_PASSWORD)
        caller.start()
        caller.respond(407, headers=(challenge("p", proxy=True),))
        caller.respond(401, headers=(challenge("s"),))
        last = caller.last("INVITE")
        proxy = DigestCredentials.parse(last.headers.get("Proxy-Authorization") or "")
        server = DigestCredentials.parse(last.headers.get("Authorization") or "")
        assert (proxy.realm, proxy.nc, server.realm, server.nc) == ("p", 2, "s", 1)

    @pytest.mark.parametrize(
        ("credentials", "header"),
        [
            (Credentials("a", "b", Algorithm.SHA_256), challenge()),
            (CREDENTIALS, ("WWW-Authenticate", "Digest realm=x")),
            (CREDENTIALS, ("Server", "none")),
            (None, challenge()),
        ],
    )
    def test_what_cannot_be_answered_is_not(
        self, credentials: Credentials | None, header: tuple[str, str]
    ) -> None:
        authenticator = Authenticator(credentials, tokens())
        assert authenticator.answer(invite(), response(401, header)) == ()
