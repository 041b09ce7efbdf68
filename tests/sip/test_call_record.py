"""What happens to an INVITE becomes its facts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sip.authenticator import Credentials
from sip.build import response_to
from sip.call_facts import OfferFacts
from sip.call_record import MAX_KEPT, CallRecord
from sip.dialog_state import (
    Calling,
    Challenged,
    EarlyMedia,
    Ended,
    EndedBy,
    Failed,
    FailureCause,
    IntervalRaised,
    OtherForkEnded,
    PeerRequest,
    Progress,
    Ringing,
    Said,
    Trying,
)
from sip.digest import Algorithm
from sip.message import Message, Request
from sip.session_requests import invite_request
from tests.sip.caller import PLAN

NOBODY = Said()
INVITE = invite_request(PLAN, "UDP", "z9hG4bKa")
OFFER = OfferFacts(codecs=("PCMU",), secure=False, address="192.0.2.1", port=10000, size=900)


def record(credentials: Credentials | None = None) -> CallRecord:
    return CallRecord(
        request_uri="sip:100@x",
        from_uri="sip:us@x",
        sip_call_id="c",
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        started=10.0,
        offer=OFFER,
        credentials=credentials,
    )


def answer(tag: str, status: int = 200) -> Message:
    return response_to(INVITE, status, to_tag=tag)


def challenged(value: str) -> Said:
    return Said(details=(("WWW-Authenticate", value),))


def test_progress_is_kept_with_its_time() -> None:
    made = record()
    for event in (
        Calling(10.0, 1),
        Trying(10.1),
        Ringing(10.2, 180, "Ringing", "a", False),
        Progress(10.3, 183, "Session Progress", "a", True),
        EarlyMedia(10.3, b"v=0", "a"),
    ):
        made.event(event)
    assert [
        (p.status, round(p.ms), p.reliable, p.early_media) for p in made.facts.provisionals
    ] == [
        (100, 100, False, False),
        (180, 200, False, False),
        (183, 300, True, True),
    ]
    assert made.heard_anything


def test_repeated_answers_and_other_forks_are_counted() -> None:
    made = record()
    made.sent(INVITE, retransmission=False, now=10.0)
    made.sent(INVITE, retransmission=True, now=10.5)
    for message in (answer("a", 180), answer("a"), answer("a"), answer("b"), answer("x", 486)):
        made.received(message)
    made.event(OtherForkEnded(12.0, "b"))
    assert made.invite_left
    assert made.tags == {"a", "b"}
    facts = made.facts
    assert (facts.retransmissions, facts.peer_retransmissions, facts.forks_ended) == (1, 1, 1)


def test_a_failure_before_any_answer_has_no_final_response() -> None:
    made = record()
    made.event(Failed(42.0, FailureCause.NO_REPLY, None, "no final response", NOBODY))
    assert made.facts.final is None
    assert made.facts.failure is FailureCause.NO_REPLY
    assert made.facts.failed_ms == 32_000
    assert not made.heard_anything


def test_a_bye_that_nobody_answers_has_no_status() -> None:
    made = record()
    made.event(Ended(15.0, EndedBy.US, "no final response", None, NOBODY))
    assert (made.facts.ended_by, made.facts.bye_status) == (EndedBy.US, None)
    assert (made.facts.bye_ms, made.facts.talk_ms) == (None, None)


MD5 = 'Digest realm="r", nonce="n", algorithm=MD5, stale=TRUE'


@pytest.mark.parametrize(
    ("credentials", "value", "why_not"),
    [
        (None, MD5, "no credentials"),
        (Credentials("u", "p", realm="other"), MD5, "realm"),
        (Credentials("u", "p", minimum=Algorithm.SHA_256), MD5, "algorithm"),
        (Credentials("u", "p"), 'Digest realm="r", nonce="n", algorithm=NEW', "algorithm"),
        (Credentials("u", "p"), "Basic realm=x y z", "algorithm"),
        (Credentials("u", "p"), MD5, "refused again"),
    ],
)
def test_a_challenge_without_an_answer_says_why(
    credentials: Credentials | None, value: str, why_not: str
) -> None:
    made = record(credentials)
    made.event(Failed(11.0, FailureCause.UNAUTHORIZED, 401, "Unauthorized", challenged(value)))
    (facts,) = made.facts.challenges
    assert (facts.answered, facts.why_not, facts.status) == (None, why_not, 401)


def test_an_answered_challenge_names_the_algorithm() -> None:
    made = record(Credentials("u", "p"))
    made.event(Challenged(11.0, 407, "INVITE", challenged(MD5)))
    made.event(IntervalRaised(11.5, 1800))
    (facts,) = made.facts.challenges
    assert (facts.answered, facts.realm, facts.stale) == ("MD5", "r", True)
    assert made.facts.min_se == 1800


def test_what_a_peer_can_repeat_is_bounded() -> None:
    made = record()
    for number in range(3 * MAX_KEPT):
        made.received(answer(f"t{number}"))
        made.event(Ringing(11.0, 180, "Ringing", "a", False))
        made.event(PeerRequest(11.0, "OPTIONS", 200, NOBODY))
        made.event(Challenged(11.0, 401, "INVITE", challenged(MD5)))
    facts = made.facts
    assert len(facts.provisionals) == len(facts.peer_requests) == MAX_KEPT
    assert len(facts.challenges) == len(made.tags) == MAX_KEPT


def test_what_is_no_answer_to_the_invite_changes_nothing() -> None:
    made = record()
    before = made.facts
    bye = Request("BYE", INVITE.uri, INVITE.headers.with_set("CSeq", "2 BYE"))
    made.received(response_to(bye, 200))
    made.received(bye)
    made.sent(response_to(bye, 200), retransmission=False, now=11.0)
    assert made.facts == before
