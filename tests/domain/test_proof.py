"""The proof ladder up to the answer, and the end of the call: pass, fail or skip, with evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.proof import ProofStep, Rung, RungOutcome, first_failure, proof_of
from sip.call_facts import (
    AddressFinding,
    AddressPlace,
    CallFacts,
    ProvisionalFacts,
    StopCause,
    TargetOutcome,
)
from sip.dialog_state import EndedBy, FailureCause, Said
from tests.domain.calls import (
    DNS,
    RINGING,
    answered,
    challenge,
    dead,
    refused,
    target,
    tls,
    unanswered,
)

PASS, FAIL, SKIP = RungOutcome.PASS, RungOutcome.FAIL, RungOutcome.SKIP


def step(facts: CallFacts, rung: Rung) -> ProofStep:
    return next(each for each in proof_of(facts) if each.rung is rung)


def outcomes(facts: CallFacts) -> dict[Rung, RungOutcome]:
    return {each.rung: each.outcome for each in proof_of(facts)}


def test_a_call_over_udp_that_works_proves_all_but_what_it_does_not_use() -> None:
    found = outcomes(answered())
    unused = {Rung.TCP, Rung.TLS, Rung.AUTHENTICATION, Rung.SRTP}
    assert {rung for rung, outcome in found.items() if outcome is SKIP} == unused
    assert {outcome for rung, outcome in found.items() if rung not in unused} == {PASS}
    assert first_failure(proof_of(answered())) is None


def test_each_rung_of_a_working_call_says_how_long_it_took() -> None:
    facts = answered(
        targets=(target("tls", tcp_ms=30.0, tls_ms=60.0, tls=tls()),),
        invite={"challenges": (challenge(),)},
    )
    times = {each.rung: each.ms for each in proof_of(facts) if each.ms is not None}
    assert times == {
        Rung.DNS: 12.0,
        Rung.TCP: 30.0,
        Rung.TLS: 60.0,
        Rung.AUTHENTICATION: 25.0,
        Rung.INVITE: 20.0,
        Rung.RINGING: 120.0,
        Rung.ANSWER: 400.0,
        Rung.RTP_IN: 8.0,
        Rung.BYE: 30.0,
    }


def test_an_address_needs_no_name_to_be_looked_up() -> None:
    facts = answered(dns=replace(DNS, name="198.51.100.7", literal=True))
    assert step(facts, Rung.DNS).outcome is SKIP


def test_a_name_that_does_not_resolve_fails_dns_and_skips_all_else() -> None:
    facts = dead(dns=replace(DNS, targets=0, failure="the name does not exist (NXDOMAIN)"))
    found = outcomes(facts)
    assert found.pop(Rung.DNS) is FAIL
    assert set(found.values()) == {SKIP}
    assert "NXDOMAIN" in step(facts, Rung.DNS).evidence
    assert step(facts, Rung.DNS).details["lookups"] == ["A sip.example.com: 1 record"]


def test_a_call_hung_up_before_its_name_was_looked_up_proves_nothing_of_the_name() -> None:
    facts = dead(dns=replace(DNS, targets=0, lookups=()), stopped=StopCause.HANG_UP)
    assert outcomes(facts)[Rung.DNS] is SKIP
    assert first_failure(proof_of(facts)) is Rung.INVITE


@pytest.mark.parametrize(
    ("transport", "outcome", "tcp_ms", "rung"),
    [
        ("tcp", TargetOutcome.REFUSED, None, Rung.TCP),
        ("tls", TargetOutcome.CONNECT_TIMEOUT, None, Rung.TCP),
        ("tls", TargetOutcome.NOT_ALLOWED, None, Rung.TCP),
        ("tls", TargetOutcome.RESET, 30.0, Rung.TLS),
        ("tls", TargetOutcome.TLS_UNTRUSTED, 30.0, Rung.TLS),
        ("tls", TargetOutcome.NOT_TLS, 30.0, Rung.TLS),
        ("udp", TargetOutcome.REFUSED, None, Rung.INVITE),
        ("udp", TargetOutcome.NOT_ALLOWED, None, Rung.INVITE),
    ],
)
def test_a_target_that_gets_no_invite_fails_the_rung_it_stopped_at(
    transport: str, outcome: TargetOutcome, tcp_ms: float | None, rung: Rung
) -> None:
    facts = dead(target(transport, outcome, tcp_ms=tcp_ms))
    assert first_failure(proof_of(facts)) is rung
    assert outcomes(facts)[Rung.ANSWER] is SKIP


def test_of_several_dead_targets_the_one_that_got_furthest_is_shown() -> None:
    facts = dead(
        target("tls", TargetOutcome.REFUSED, address="198.51.100.8"),
        target("tls", TargetOutcome.TLS_NAME_MISMATCH, tcp_ms=20.0, tls=tls()),
        target("tls", TargetOutcome.CONNECT_TIMEOUT, address="198.51.100.9"),
    )
    assert first_failure(proof_of(facts)) is Rung.TLS
    assert step(facts, Rung.TCP).details["other_targets"] == [
        "198.51.100.8, TLS port 5061: refused",
        "198.51.100.9, TLS port 5061: connect timeout",
    ]


def test_a_certificate_that_expires_soon_passes_and_says_so() -> None:
    facts = answered(targets=(target("tls", tcp_ms=1.0, tls_ms=2.0, tls=tls(days_left=9)),))
    found = step(facts, Rung.TLS)
    assert found.outcome is PASS
    assert "expires in 9 days" in found.evidence
    assert found.details["days_left"] == 9


def test_a_handshake_refused_behind_the_client_fails_tls_although_the_invite_was_sent() -> None:
    facts = unanswered(
        FailureCause.TRANSPORT,
        failure_reason="tls:TLSV13_ALERT_CERTIFICATE_REQUIRED",
        facts={"targets": (target("tls", tcp_ms=1.0, tls_ms=2.0, tls=tls()),)},
    )
    assert first_failure(proof_of(facts)) is Rung.TLS
    assert "client certificate" in step(facts, Rung.TLS).evidence


@pytest.mark.parametrize(
    ("why_not", "words"),
    [
        ("no credentials", "the trunk has none"),
        ("realm", "not the realm"),
        ("algorithm", "SHA-256, MD5"),
        ("refused again", "refused those"),
    ],
)
def test_a_challenge_that_ends_the_call_fails_authentication(why_not: str, words: str) -> None:
    facts = refused(407, "Proxy Authentication Required", challenges=(challenge(why_not),))
    found = step(facts, Rung.AUTHENTICATION)
    assert first_failure(proof_of(facts)) is Rung.AUTHENTICATION
    assert found.outcome is FAIL
    assert words in found.evidence
    assert '"carrier.example"' in found.evidence


def test_credentials_that_a_403_follows_are_neither_proven_nor_refuted() -> None:
    facts = refused(403, "Forbidden", challenges=(challenge(),))
    assert outcomes(facts)[Rung.AUTHENTICATION] is SKIP
    assert first_failure(proof_of(facts)) is Rung.INVITE


def test_credentials_that_another_answer_follows_are_proven() -> None:
    facts = refused(486, "Busy Here", challenges=(challenge(),))
    assert outcomes(facts)[Rung.AUTHENTICATION] is PASS


@pytest.mark.parametrize("status", [403, 404, 488, 500, 503, 302])
def test_a_refusal_before_ringing_fails_the_invite(status: int) -> None:
    facts = refused(status, "No")
    assert first_failure(proof_of(facts)) is Rung.INVITE
    assert f"{status} No" in step(facts, Rung.INVITE).evidence


@pytest.mark.parametrize("status", [480, 486, 487, 600, 603, 607, 608])
def test_a_refusal_that_speaks_for_the_callee_fails_the_answer(status: int) -> None:
    found = outcomes(refused(status, "No"))
    assert found[Rung.INVITE] is PASS
    assert found[Rung.RINGING] is SKIP
    assert found[Rung.ANSWER] is FAIL


def test_a_refusal_after_ringing_fails_the_answer() -> None:
    found = outcomes(refused(503, "Service Unavailable", rang=True))
    assert (found[Rung.INVITE], found[Rung.RINGING], found[Rung.ANSWER]) == (PASS, PASS, FAIL)


def test_100_and_then_silence_fails_ringing_also_when_487_confirms_our_cancel() -> None:
    silent = unanswered(FailureCause.NO_ANSWER, provisionals=RINGING[:1])
    cancelled = refused(487, "Request Terminated", failure=FailureCause.NO_ANSWER)
    for facts in (silent, cancelled):
        assert first_failure(proof_of(facts)) is Rung.RINGING
        assert "nothing behind it within 60 s" in step(facts, Rung.RINGING).evidence


def test_silence_fails_the_invite_and_counts_how_often_it_was_sent() -> None:
    facts = unanswered(FailureCause.NO_REPLY, retransmissions=6)
    assert first_failure(proof_of(facts)) is Rung.INVITE
    assert "sent 7 times" in step(facts, Rung.INVITE).evidence


def test_ringing_without_an_answer_fails_the_answer() -> None:
    for facts in (
        unanswered(FailureCause.NO_ANSWER, provisionals=RINGING),
        unanswered(
            FailureCause.CANCELLED, provisionals=RINGING, facts={"stopped": StopCause.LIMIT}
        ),
    ):
        assert first_failure(proof_of(facts)) is Rung.ANSWER
        assert "Nobody answered" in step(facts, Rung.ANSWER).evidence


def test_an_answer_that_came_after_the_cancel_is_none() -> None:
    late = refused(200, "OK", rang=True, failure=FailureCause.NO_ANSWER)
    found = outcomes(late)
    assert (found[Rung.ANSWER], found[Rung.SDP], found[Rung.BYE]) == (FAIL, SKIP, SKIP)


def test_reliable_early_media_is_told_with_the_ringing() -> None:
    early = ProvisionalFacts(
        status=183, reason="Session Progress", ms=90.0, reliable=True, early_media=True
    )
    found = step(answered(invite={"provisionals": (early,)}), Rung.RINGING)
    assert "183 Session Progress" in found.evidence
    assert "Early media" in found.evidence
    assert "PRACK" in found.evidence


@pytest.mark.parametrize(("repetitions", "outcome"), [(0, PASS), (1, PASS), (2, FAIL), (5, FAIL)])
def test_an_answer_that_the_peer_keeps_repeating_lacks_our_ack(
    repetitions: int, outcome: RungOutcome
) -> None:
    facts = answered(invite={"peer_retransmissions": repetitions})
    assert outcomes(facts)[Rung.ANSWER] is outcome


def test_a_private_contact_is_pointed_out_although_the_call_works() -> None:
    finding = AddressFinding(
        place=AddressPlace.CONTACT,
        address="10.0.0.5",
        problem="10.0.0.5 is a private address (RFC 1918)",
        blocked=True,
    )
    found = step(answered(addresses=(finding,)), Rung.ANSWER)
    assert found.outcome is PASS
    assert "names 10.0.0.5 in its Contact" in found.evidence
    assert "private address (RFC 1918)" in found.evidence
    assert "10.0.0.5" not in step(answered(addresses=(finding,)), Rung.SDP).evidence


@pytest.mark.parametrize(
    ("changes", "outcome", "words"),
    [
        ({}, PASS, "answered 200 in 30 ms"),
        ({"ended_by": EndedBy.PEER, "bye_status": None}, PASS, "peer hung up after 3.0 s"),
        (
            {"ended_by": EndedBy.PEER, "bye_status": None, "talk_ms": 1999.0},
            FAIL,
            "after its own answer",
        ),
        ({"ended_by": EndedBy.PEER, "bye_status": None, "talk_ms": 32_050.0}, FAIL, "ACK (32 s)"),
        ({"ended_by": EndedBy.PEER, "bye_status": None, "talk_ms": 900_400.0}, FAIL, "refreshed"),
        ({"ended_by": EndedBy.PEER, "bye_status": None, "talk_ms": 1_768_000.0}, FAIL, "refreshed"),
        ({"bye_status": None}, FAIL, "not answered"),
        ({"bye_status": 481}, FAIL, "refused with 481"),
    ],
)
def test_the_end_of_a_call_is_judged_by_who_ended_it_when_and_how(
    changes: dict[str, object], outcome: RungOutcome, words: str
) -> None:
    found = step(answered(invite=changes), Rung.BYE)
    assert found.outcome is outcome
    assert words in found.evidence


def test_the_peers_reason_for_hanging_up_at_once_is_quoted() -> None:
    facts = answered(
        invite={
            "ended_by": EndedBy.PEER,
            "bye_status": None,
            "talk_ms": 40.0,
            "ended_said": Said(reasons=('Q.850;cause=88;text="Incompatible destination"',)),
        }
    )
    assert "cause=88" in step(facts, Rung.BYE).evidence
