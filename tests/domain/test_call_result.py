"""Status and result of a call in the contract's words, and its timeline."""

from __future__ import annotations

import pytest

from domain.call_result import CallResult, CallStatus, TimelineWord, timeline_text, verdict_of
from domain.call_state import CallFailure
from sip.call_facts import CallFacts, DnsFacts, StopCause, TargetFacts, TargetOutcome
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
    SessionEvent,
    Trying,
)
from sip.media_verdict import Heard
from tests.domain.calls import DNS, RINGING, answered, dead, refused, target, unanswered

DONE = (CallStatus.COMPLETED, CallResult.CONNECTED)
FAILED = (CallStatus.FAILED, CallResult.FAILED)
BUSY = (CallStatus.BUSY, CallResult.BUSY)
NO_ANSWER = (CallStatus.NO_ANSWER, CallResult.NO_ANSWER)
NOBODY = Said(reasons=("Q.850;cause=19",))


@pytest.mark.parametrize(
    ("facts", "expected", "code", "reason"),
    [
        (answered(), DONE, 200, None),
        (answered(media={"heard": Heard.NOTHING, "packets_in": 0}), DONE, 200, None),
        (answered(stopped=StopCause.HANG_UP), DONE, 200, None),
        (answered(stopped=StopCause.INTERRUPTED), FAILED, 200, CallFailure.INTERRUPTED),
        (refused(486), BUSY, 486, None),
        (refused(600, rang=True), BUSY, 600, None),
        (refused(403), FAILED, 403, None),
        (refused(480), FAILED, 480, None),
        (refused(480, rang=True), NO_ANSWER, 480, None),
        (refused(480, said=NOBODY), NO_ANSWER, 480, None),
        (refused(408, rang=True), NO_ANSWER, 408, None),
        (refused(408), FAILED, 408, None),
        (refused(603, rang=True), FAILED, 603, None),
        (
            refused(487, rang=True, failure=FailureCause.NO_ANSWER),
            NO_ANSWER, 487, None,
        ),
        (refused(487, failure=FailureCause.NO_ANSWER), FAILED, 487, None),
        (refused(200, rang=True, failure=FailureCause.NO_ANSWER), NO_ANSWER, None, None),
        (
            refused(
                487, rang=True, failure=FailureCause.CANCELLED, facts={"stopped": StopCause.HANG_UP}
            ),
            FAILED, 487, CallFailure.CANCELLED,
        ),
        (
            refused(
                487, rang=True, failure=FailureCause.CANCELLED, facts={"stopped": StopCause.LIMIT}
            ),
            NO_ANSWER, 487, None,
        ),
        (
            unanswered(FailureCause.CANCELLED, facts={"stopped": StopCause.INTERRUPTED}),
            FAILED, None, CallFailure.INTERRUPTED,
        ),
        (unanswered(FailureCause.NO_REPLY), FAILED, None, None),
        (unanswered(FailureCause.OFFER_REFUSED, provisionals=RINGING), FAILED, None, None),
        (dead(target("tcp", TargetOutcome.REFUSED)), FAILED, None, None),
        (dead(stopped=StopCause.HANG_UP), FAILED, None, CallFailure.CANCELLED),
    ],
)  # fmt: skip
def test_a_call_comes_to_one_of_the_contracts_results(
    facts: CallFacts,
    expected: tuple[CallStatus, CallResult],
    code: int | None,
    reason: CallFailure | None,
) -> None:
    verdict = verdict_of(facts)
    assert (verdict.status, verdict.result) == expected
    assert (verdict.sip_code, verdict.failure_reason) == (code, reason)


def test_the_duration_runs_from_the_first_invite_to_the_end() -> None:
    assert verdict_of(answered()).duration_ms == 3450
    assert verdict_of(refused(404)).duration_ms == 900
    assert verdict_of(dead()).duration_ms is None


SAID = Said()
PLACE = "198.51.100.7, UDP port 5060"


@pytest.mark.parametrize(
    ("event", "word", "detail"),
    [
        (Calling(0.0, 1), TimelineWord.INITIATED, "Call initiated"),
        (Trying(0.0), TimelineWord.TRYING, "Endpoint is working on the call (100 Trying)"),
        (Ringing(0.0, 180, "Ringing", "t", False), TimelineWord.RINGING, "Endpoint ringing"),
        (
            Progress(0.0, 183, "Session Progress", "t", False),
            TimelineWord.PROGRESS,
            "Call makes progress (183 Session Progress)",
        ),
        (
            EarlyMedia(0.0, b"v=0", "t"),
            TimelineWord.EARLY_MEDIA,
            "Audio before the answer (early media)",
        ),
        (
            Challenged(0.0, 407, "INVITE", SAID),
            TimelineWord.CHALLENGED,
            "Peer asked for credentials (407), INVITE sent again with them",
        ),
        (
            IntervalRaised(0.0, 900),
            TimelineWord.INTERVAL_RAISED,
            "Peer wants a session interval of 900 s (422)",
        ),
        (
            PeerRequest(0.0, "UPDATE", 200, SAID),
            TimelineWord.PEER_REQUEST,
            "Endpoint sent UPDATE, answered 200",
        ),
        (
            OtherForkEnded(0.0, "t"),
            TimelineWord.FORK_ENDED,
            "Another answer to the same call was hung up",
        ),
        (Ended(0.0, EndedBy.US, "OK", 200, SAID), TimelineWord.COMPLETED, "Call ended"),
        (
            Ended(0.0, EndedBy.PEER, "BYE", None, SAID),
            TimelineWord.COMPLETED,
            "Call ended, hung up by the endpoint",
        ),
        (
            Failed(0.0, FailureCause.REFUSED, 486, "Busy Here", SAID),
            TimelineWord.BUSY,
            "Endpoint is busy (486 Busy Here)",
        ),
        (
            Failed(0.0, FailureCause.NO_ANSWER, 487, "Request Terminated", SAID),
            TimelineWord.NO_ANSWER,
            "Nobody answered, call cancelled",
        ),
        (
            Failed(0.0, FailureCause.TRANSPORT, None, "errno:111", SAID),
            TimelineWord.FAILED,
            "Connection failed: nothing listens there",
        ),
        (
            target(outcome=TargetOutcome.UNAVAILABLE),
            TimelineWord.TARGET_FAILED,
            f"{PLACE} takes no calls (503)",
        ),
        (DNS, TimelineWord.RESOLVED, "sip.example.com leads to 1 target"),
    ],
)
def test_each_thing_that_happens_has_a_line(
    event: SessionEvent | TargetFacts | DnsFacts, word: TimelineWord, detail: str
) -> None:
    line = timeline_text(event)
    assert line is not None
    assert (line.event, line.detail) == (word, detail)


@pytest.mark.parametrize("cause", list(FailureCause))
def test_each_failure_has_a_line(cause: FailureCause) -> None:
    line = timeline_text(Failed(0.0, cause, 403, "Forbidden", SAID))
    assert line is not None
    assert line.event in (TimelineWord.FAILED, TimelineWord.NO_ANSWER)


@pytest.mark.parametrize(
    "event",
    [
        Calling(0.0, 2),
        PeerRequest(0.0, "BYE", 200, SAID),
        DnsFacts(name="198.51.100.7", literal=True, ms=0.0, targets=1),
    ],
)
def test_what_another_line_tells_has_none(event: SessionEvent | DnsFacts) -> None:
    assert timeline_text(event) is None
