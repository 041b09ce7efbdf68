"""What a diagnosis says of a call: who said so, what was found beside it, what is done next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.diagnosis import Blame, Diagnosis, DiagnosisCode, FailOver, diagnose
from sip.call_facts import (
    AddressFinding,
    AddressPlace,
    CallFacts,
    StopCause,
    TargetOutcome,
)
from sip.dialog_state import EndedBy, FailureCause, Said
from sip.media_agreement import ProblemKind
from tests.domain.calls import (
    DNS,
    answered,
    challenge,
    dead,
    refused,
    target,
    unanswered,
)

Code = DiagnosisCode
YES, NO, OPT_IN, NA = FailOver.YES, FailOver.NO, FailOver.OPT_IN, FailOver.NOT_APPLICABLE
CLIENT, UPSTREAM, OURS = Blame.CLIENT_ERROR, Blame.UPSTREAM_ERROR, Blame.SERVER_ERROR
PATH, PEER, UNKNOWN = Blame.NETWORK_PATH, Blame.PEER_CONFIG, Blame.INDETERMINATE

PRIVATE = AddressFinding(
    place=AddressPlace.SDP,
    address="10.0.0.5",
    problem="10.0.0.5 is a private address (RFC 1918)",
    blocked=True,
)


def found(facts: CallFacts) -> Diagnosis:
    diagnosis = diagnose(facts)
    assert diagnosis is not None
    return diagnosis


def ended_by_peer(talk_ms: float, *reasons: str) -> CallFacts:
    said = Said(server="Asterisk PBX 20", reasons=reasons)
    changes = {"ended_by": EndedBy.PEER, "bye_status": None, "talk_ms": talk_ms, "ended_said": said}
    return answered(invite=changes)


def test_a_call_that_works_has_no_diagnosis() -> None:
    assert diagnose(answered()) is None


def test_connections_that_were_taken_elsewhere_are_named_beside_a_refusal() -> None:
    facts = dead(
        target("tcp", TargetOutcome.REFUSED),
        target("tls", TargetOutcome.LOCAL_LIMIT, tcp_ms=20.0),
    )
    assert "Connections are taken at 198.51.100.7, TLS port 5061." in found(facts).what


@pytest.mark.parametrize(
    ("kinds", "secure", "code", "blame"),
    [
        ((ProblemKind.SRTP_NOT_OFFERED,), False, Code.ENCRYPTION_REQUIRED, CLIENT),
        ((ProblemKind.SRTP_REFUSED,), True, Code.ENCRYPTION_REFUSED, CLIENT),
        ((ProblemKind.CRYPTO_TAG_MISMATCH,), True, Code.ENCRYPTION_REFUSED, PEER),
        ((ProblemKind.NO_COMMON_CODEC,), False, Code.NO_COMMON_CODEC, CLIENT),
        ((ProblemKind.MEDIA_CHANGED,), False, Code.BAD_SDP, PEER),
        ((ProblemKind.STREAM_REJECTED,), True, Code.MEDIA_NOT_ACCEPTABLE, CLIENT),
        ((), True, Code.MEDIA_NOT_ACCEPTABLE, CLIENT),
    ],
)
def test_an_answer_that_allows_no_media_is_told_by_its_problem(
    kinds: tuple[ProblemKind, ...], secure: bool, code: Code, blame: Blame
) -> None:
    facts = answered(agreed={"fatal": True, "problem_kinds": kinds, "problems": ("it is so",)})
    assert facts.invite is not None
    offer = replace(facts.invite.offer, secure=secure)
    facts = replace(facts, invite=replace(facts.invite, offer=offer))
    diagnosis = found(facts)
    assert (diagnosis.code, diagnosis.blame) == (code, blame)
    assert "It is so." in diagnosis.what


def test_what_the_peer_said_when_it_hung_up_is_kept() -> None:
    diagnosis = found(ended_by_peer(300.0, 'Q.850;cause=88;text="Incompatible destination"'))
    assert (diagnosis.q850, diagnosis.q850_text) == (88, "incompatible destination")
    assert diagnosis.reasons == ('Q.850 88: "Incompatible destination"',)
    assert "Asterisk PBX 20" in diagnosis.who


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (AddressPlace.SDP, "in its SDP; audio"),
        (AddressPlace.CONTACT, "in its Contact; our ACK and BYE"),
        (AddressPlace.VIA, "in the Via of its requests"),
        (AddressPlace.RECORD_ROUTE, "in its Record-Route; our ACK and BYE"),
    ],
)
def test_addresses_that_cannot_work_are_pointed_out(place: AddressPlace, words: str) -> None:
    facts = answered(invite={"bye_status": None}, addresses=(replace(PRIVATE, place=place),))
    (finding,) = found(facts).findings
    assert f"names 10.0.0.5 {words}" in finding
    assert finding.endswith("is a private address (RFC 1918). It was not contacted.")


def test_media_from_elsewhere_than_the_sdp_says_is_pointed_out() -> None:
    facts = answered(media={"source": ("203.0.113.9", 4000)}, invite={"bye_status": None})
    assert found(facts).findings[0].startswith("Audio came from 203.0.113.9 port 4000, although")


@pytest.mark.parametrize(
    ("facts", "who"),
    [
        (refused(403, said=Said(server="Kamailio 5.7")), 'which calls itself "Kamailio 5.7".'),
        (refused(404), "The peer at 198.51.100.7, UDP port 5060."),
        (
            refused(488, said=Said(warnings=('305 sbc.example "no codec"',))),
            'its Warning was written by "sbc.example".',
        ),
        (unanswered(FailureCause.NO_REPLY), "Nobody: nothing came back."),
        (dead(dns=replace(DNS, targets=0, failure="NXDOMAIN")), "The DNS, asked from here."),
        (dead(target("tcp", TargetOutcome.REFUSED)), "The host at 198.51.100.7, TCP port 5060."),
        (answered(stopped=StopCause.INTERRUPTED), "Trunkline itself."),
    ],
)
def test_the_diagnosis_says_who_said_so(facts: CallFacts, who: str) -> None:
    assert found(facts).who.endswith(who)


def test_the_target_that_was_called_is_named_among_those_that_were_tried() -> None:
    called = target(address="198.51.100.9")
    others = (
        target(outcome=TargetOutcome.UNAVAILABLE, address="198.51.100.8"),
        target(outcome=TargetOutcome.SILENT, address="198.51.100.10"),
    )
    for targets in ((others[0], called, others[1]), (*others, called)):
        facts = replace(refused(404), targets=targets)
        assert found(facts).who.startswith("The peer at 198.51.100.9,")
    unavailable = replace(refused(503), targets=(*others, target("tcp", TargetOutcome.REFUSED)))
    assert found(unavailable).who.startswith("The peer at 198.51.100.8,")


@pytest.mark.parametrize("status", [403, 408, 480, 500, 503, 513])
def test_a_refusal_after_ringing_is_never_tried_elsewhere(status: int) -> None:
    before, after = found(refused(status)), found(refused(status, rang=True))
    assert before.fail_over in (YES, OPT_IN, FailOver.PROVIDER, FailOver.RETRY_TCP)
    assert after.fail_over is NO


@pytest.mark.parametrize(
    ("why_not", "code", "fail_over", "blame"),
    [
        ("no credentials", Code.AUTH_REQUIRED, NO, CLIENT),
        ("realm", Code.AUTH_REALM, OPT_IN, CLIENT),
        ("algorithm", Code.AUTH_ALGORITHM, OPT_IN, PEER),
        ("refused again", Code.AUTH_FAILED, OPT_IN, CLIENT),
    ],
)
@pytest.mark.parametrize("status", [401, 407])
def test_each_way_in_which_credentials_fail_is_told_apart(
    status: int, why_not: str, code: Code, fail_over: FailOver, blame: Blame
) -> None:
    challenges: tuple[Any, ...] = (challenge(), challenge(why_not))
    diagnosis = found(refused(status, challenges=challenges))
    assert (diagnosis.code, diagnosis.fail_over, diagnosis.blame) == (code, fail_over, blame)
    assert "carrier.example" in diagnosis.what or code is Code.AUTH_ALGORITHM


def test_refused_credentials_show_algorithm_from_and_checklist() -> None:
    diagnosis = found(
        refused(401, challenges=(challenge(), challenge("refused again", stale=True)))
    )
    assert "(SHA-256)" in diagnosis.what
    assert "From was sip:+14155550199@192.0.2.1." in diagnosis.what
    assert "stale" in diagnosis.what
    assert diagnosis.checklist[0] == "The password is wrong."
