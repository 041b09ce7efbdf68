"""The rungs about media: what passes is proven, what fails says what was seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.proof import ProofStep, Rung, RungOutcome, first_failure, proof_of
from sip.call_facts import AddressFinding, AddressPlace, CallFacts, StopCause
from sip.media_verdict import Heard, SrtpOutcome
from tests.domain.calls import NOTHING_IN, NOTHING_OUT, SUITE, answered

PASS, FAIL, SKIP = RungOutcome.PASS, RungOutcome.FAIL, RungOutcome.SKIP


def step(facts: CallFacts, rung: Rung) -> ProofStep:
    return next(each for each in proof_of(facts) if each.rung is rung)


def test_what_was_agreed_on_is_named() -> None:
    found = step(answered(agreed={"suite": SUITE}, media={"srtp_authenticated": 150}), Rung.SDP)
    assert found.outcome is PASS
    assert "PCMU, 20 ms packets, SRTP AES_CM_128_HMAC_SHA1_80" in found.evidence
    assert found.details["port"] == 20_000


@pytest.mark.parametrize(
    ("agreed", "words"),
    [
        ({"codec": None, "codecs": (), "fatal": True}, "no codec in common"),
        (
            {"fatal": True, "problems": ("RTP/SAVP was answered with RTP/AVP",)},
            "RTP/SAVP was answered with RTP/AVP.",
        ),
        ({"direction": "recvonly"}, "only sends"),
        ({"direction": "sendonly"}, "only listens"),
        ({"direction": "inactive"}, "no media in either direction"),
    ],
)
def test_an_answer_without_media_both_ways_fails_the_sdp(
    agreed: dict[str, Any], words: str
) -> None:
    facts = answered(agreed=agreed)
    assert first_failure(proof_of(facts)) is Rung.SDP
    assert words in step(facts, Rung.SDP).evidence


def test_an_answer_without_any_sdp_fails_the_sdp() -> None:
    assert first_failure(proof_of(answered(invite={"agreed": None}))) is Rung.SDP


@pytest.mark.parametrize(
    ("outcome", "good", "bad", "expected"),
    [
        (SrtpOutcome.AUTHENTICATED, 150, 0, PASS),
        (SrtpOutcome.PARTLY, 145, 5, PASS),
        (SrtpOutcome.PARTLY, 5, 145, FAIL),
        (SrtpOutcome.FAILED, 0, 150, FAIL),
        (SrtpOutcome.UNPROVEN, 0, 0, SKIP),
    ],
)
def test_srtp_is_proven_by_packets_that_authenticate(
    outcome: SrtpOutcome, good: int, bad: int, expected: RungOutcome
) -> None:
    media = {"srtp": outcome, "srtp_authenticated": good, "srtp_failed": bad}
    found = step(answered(agreed={"suite": SUITE}, media=media), Rung.SRTP)
    assert found.outcome is expected
    assert found.details["authenticated"] == good


def test_a_wrong_key_is_told_at_srtp_and_not_as_missing_audio() -> None:
    media = {**NOTHING_IN, "srtp": SrtpOutcome.FAILED, "srtp_failed": 150}
    facts = answered(agreed={"suite": SUITE}, media=media)
    assert first_failure(proof_of(facts)) is Rung.SRTP
    assert step(facts, Rung.RTP_IN).outcome is SKIP


def test_packets_out_are_shown_with_the_peers_report_of_them() -> None:
    reported = step(answered(media={"remote_loss_percent": 2.5}), Rung.RTP_OUT)
    assert "150 packets of PCMU" in reported.evidence
    assert "2.5 % of them lost" in reported.evidence
    silent = step(answered(media={"remote_loss_percent": None}), Rung.RTP_OUT)
    assert "did not report" in silent.evidence


def test_a_codec_that_cannot_be_spoken_fails_rtp_out_and_leaves_rtp_in_open() -> None:
    media = {**NOTHING_IN, **NOTHING_OUT, "codec": "OPUS", "encodable": False}
    facts = answered(agreed={"codec": "opus", "codecs": ("opus",)}, media=media)
    assert first_failure(proof_of(facts)) is Rung.RTP_OUT
    assert step(facts, Rung.RTP_IN).outcome is SKIP


def test_an_sdp_address_that_may_not_be_contacted_is_why_no_audio_was_sent() -> None:
    finding = AddressFinding(
        place=AddressPlace.SDP,
        address="10.0.0.5",
        problem="10.0.0.5 is a private address (RFC 1918)",
        blocked=True,
    )
    facts = answered(media={**NOTHING_IN, **NOTHING_OUT}, addresses=(finding,))
    assert first_failure(proof_of(facts)) is Rung.RTP_OUT
    assert "10.0.0.5" in step(facts, Rung.RTP_OUT).evidence


@pytest.mark.parametrize(
    ("media", "outcome", "words"),
    [
        ({}, PASS, "audio was heard for 980 ms"),
        ({"heard": Heard.OUR_TONE}, PASS, "an echo"),
        ({"heard": Heard.UNDECODED, "codec": "G729"}, PASS, "cannot be listened to"),
        ({"heard": Heard.SILENCE}, FAIL, "only silence"),
        (NOTHING_IN, FAIL, "the SDP promised it from 198.51.100.7 port 20000"),
        ({"loss_percent": 40.0, "packets_lost": 60}, FAIL, "40.0 % lost"),
        ({"loss_percent": 4.9, "packets_lost": 7}, PASS, "4.9 % lost"),
        ({"loss_percent": 50.0, "packets_lost": 4}, PASS, "50.0 % lost"),
        (
            {"source": ("203.0.113.9", 4000)},
            PASS,
            "203.0.113.9 port 4000 (the SDP says 198.51.100.7 port 20000)",
        ),
    ],
)
def test_rtp_in_is_proven_by_what_is_heard(
    media: dict[str, Any], outcome: RungOutcome, words: str
) -> None:
    found = step(answered(media=media), Rung.RTP_IN)
    assert found.outcome is outcome
    assert words in found.evidence


@pytest.mark.parametrize(
    "facts",
    [
        answered(invite={"talk_ms": 300.0}, media=NOTHING_IN),
        answered(invite={"talk_ms": 1500.0}, media={"heard": Heard.SILENCE}),
        answered(media=NOTHING_IN, stopped=StopCause.INTERRUPTED),
    ],
)
def test_a_call_that_ended_too_soon_does_not_fail_for_missing_audio(facts: CallFacts) -> None:
    assert step(facts, Rung.RTP_IN).outcome is SKIP


@pytest.mark.parametrize(
    ("agreed", "media", "outcome", "words"),
    [
        ({}, {}, PASS, "was sent as telephone-event, payload type 101."),
        ({}, {"dtmf_received": "15"}, PASS, "came back"),
        ({}, {"dtmf_received": "5"}, PASS, "The peer sent 5."),
        ({}, {"dtmf_received": "7", "heard": Heard.OUR_TONE}, FAIL, "brought 7 instead"),
        ({}, {"dtmf_sent": None}, SKIP, "No digit was sent"),
        ({"dtmf_payload_type": None}, {"dtmf_sent": None}, SKIP, "no telephone-event"),
    ],
)
def test_the_digit_is_proven_as_far_as_it_can_be_seen(
    agreed: dict[str, Any], media: dict[str, Any], outcome: RungOutcome, words: str
) -> None:
    found = step(answered(agreed=agreed, media=media), Rung.DTMF)
    assert found.outcome is outcome
    assert words in found.evidence


def test_a_call_whose_media_never_ran_fails_rtp_out() -> None:
    facts = replace(answered(), media=None)
    assert first_failure(proof_of(facts)) is Rung.RTP_OUT
