"""Recommendations: what is preferred, what is warned about, and that more knowledge only improves."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.attempts import AttemptCause, AttemptOutcome, CandidateSource
from domain.codecs import CodecEvidence
from domain.fingerprint import UNKNOWN_SYSTEM, Fingerprint
from domain.recommendation import Recommendation, rank_of, recommend
from domain.replies import SipReply
from sip.transports import Transport
from tests.domain.builders import answered, failed, tls_facts

UDP, TCP, TLS = Transport.UDP, Transport.TCP, Transport.TLS
UNVERIFIED = tls_facts(verifies=False, problem="certificate has expired")


def recommended(*attempts: AttemptOutcome) -> Recommendation:
    found = recommend(attempts)
    assert found is not None
    return found


def test_nothing_is_recommended_when_nothing_answered() -> None:
    assert recommend([]) is None
    assert recommend([failed(cause) for cause in AttemptCause if cause != "answered"]) is None


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (answered(TLS), answered(TLS, tls=UNVERIFIED)),
        (answered(TLS, tls=UNVERIFIED), answered(TCP)),
        (answered(TCP), answered(UDP)),
        (answered(TLS, 401), answered(UDP, 200)),
        (answered(TCP, 200), answered(TCP, 401, port=5080)),
        (answered(UDP, 401), answered(UDP, 404, port=5080)),
        (answered(UDP, 404), answered(UDP, 500, port=5080)),
        (answered(UDP, 500), answered(UDP, 503, port=5080)),
        (answered(UDP, 200), answered(TLS, 503)),
        (answered(UDP, 200), answered(TLS, 403)),
        (answered(TLS, 404), answered(UDP, 404)),
        (
            answered(UDP, port=5070, ms=90, source=CandidateSource.SRV, priority=10),
            answered(UDP, ms=5),
        ),
        (
            answered(UDP, port=5070, ms=90, source=CandidateSource.SRV, priority=10),
            answered(UDP, ms=5, source=CandidateSource.SRV, priority=20),
        ),
        (answered(UDP, ms=10), answered(UDP, port=5080, ms=11)),
        (answered(UDP, ms=10), answered(UDP, port=5080, ms=None)),
    ],
)
def test_the_better_of_two_answers_is_recommended(
    better: AttemptOutcome, worse: AttemptOutcome
) -> None:
    for attempts in ([better, worse], [worse, better]):
        found = recommend(attempts)
        assert found is not None
        assert (found.port, found.transport, found.response_code) == (
            better.port,
            better.transport,
            better.reply.status if better.reply else None,
        )


def test_the_contracts_fields_come_from_the_answer() -> None:
    reply = SipReply(
        status=200,
        reason="OK",
        user_agent="Asterisk PBX 18.0.0",
        allow=("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS"),
        codecs=("PCMU", "PCMA", "G.722"),
    )

    shown = recommended(answered(UDP, reply=reply)).model_dump(mode="json")

    assert {
        name: shown[name]
        for name in ("port", "transport", "detected_system", "codecs", "methods", "user_agent")
    } == {
        "port": 5060,
        "transport": "udp",
        "detected_system": "Asterisk",
        "codecs": ["PCMU", "PCMA", "G.722"],
        "methods": ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS"],
        "user_agent": "Asterisk PBX 18.0.0",
    }
    assert shown["codecs_evidence"] == "advertised"
    assert shown["host"] == "sip.example.com"


def test_what_the_best_answer_hides_is_taken_from_the_others() -> None:
    talkative = SipReply(
        status=200, server="kamailio (5.7.2 (x86_64/linux))", allow=("INVITE",), codecs=("Opus",)
    )

    found = recommended(answered(TLS, 200), answered(UDP, reply=talkative))

    assert found.transport is TLS
    assert found.detected_system == "Kamailio"
    assert found.methods == ("INVITE",)
    assert (found.codecs, found.codecs_evidence) == (("Opus",), CodecEvidence.ADVERTISED)


def test_unknown_is_said_where_nothing_is_known() -> None:
    found = recommended(answered(UDP))

    assert found.detected_system == UNKNOWN_SYSTEM
    assert (found.codecs, found.codecs_evidence) == ((), CodecEvidence.UNKNOWN)


def test_a_fingerprint_that_is_given_is_used() -> None:
    given_one = Fingerprint(system="Cisco UCM", confidence=0.8)

    found = recommend([answered(UDP)], fingerprint=given_one)

    assert found is not None
    assert (found.detected_system, found.fingerprint) == ("Cisco UCM", given_one)


@pytest.mark.parametrize("transport", [UDP, TCP])
def test_a_plaintext_transport_is_warned_about(transport: Transport) -> None:
    found = recommended(answered(transport))

    assert f"Over {transport.upper()} the signalling is not encrypted" in found.warnings[0]
    assert "keys of encrypted media" in found.warnings[0]


def test_verified_tls_with_a_good_answer_has_no_warning() -> None:
    found = recommended(answered(TLS), answered(UDP), failed(AttemptCause.SILENT))

    assert found.warnings == ()
    assert "the certificate verifies for sip.example.com" in found.reason
    assert "It is the best of 2 settings that answered." in found.reason


def test_a_certificate_that_does_not_verify_is_warned_about_with_its_reason() -> None:
    found = recommended(answered(TLS, tls=UNVERIFIED))

    assert any("certificate has expired" in warning for warning in found.warnings)
    assert "does not verify" in found.reason


def test_a_certificate_that_ends_soon_is_warned_about() -> None:
    soon = recommended(answered(TLS, tls=tls_facts(days_left=12)))
    later = recommended(answered(TLS, tls=tls_facts(days_left=31)))

    assert soon.warnings == ("The certificate expires on 2026-03-21, in 12 days.",)
    assert later.warnings == ()


@pytest.mark.parametrize(
    ("status", "words", "usable"),
    [
        (401, "credentials", True),
        (403, "allow-list", True),
        (503, "takes no calls", False),
    ],
)
def test_an_answer_that_is_not_2xx_says_what_to_do(status: int, words: str, usable: bool) -> None:
    found = recommended(answered(TLS, status))

    assert words in found.warnings[0]
    assert found.usable is usable


def test_a_reply_from_another_address_is_warned_about() -> None:
    found = recommended(answered(TLS, replied_from="203.0.113.99"))

    assert "203.0.113.99" in found.warnings[0]


def test_what_keeps_tls_from_working_is_said_beside_a_plaintext_recommendation() -> None:
    found = recommended(
        answered(UDP),
        failed(AttemptCause.TLS_OLD_VERSION, TLS, detail="TLSv1.1"),
        failed(AttemptCause.TLS_CLIENT_CERTIFICATE, TLS, port=5080),
        failed(AttemptCause.CONNECT_TIMEOUT, TLS, port=5060),
    )

    assert any("TLSv1.1" in warning for warning in found.warnings)
    assert any("client certificate" in warning for warning in found.warnings)
    assert len(found.warnings) == 3


def test_what_keeps_tls_from_working_elsewhere_is_not_said_beside_verified_tls() -> None:
    assert recommended(answered(TLS), failed(AttemptCause.TLS_FAILED, TLS, 5080)).warnings == ()


@pytest.mark.parametrize(
    ("attempts", "words"),
    [
        ([answered(TCP), answered(UDP)], "No TLS port answers; TCP"),
        ([answered(UDP), answered(TCP, 503)], "No TLS port answers, and TCP answers worse."),
        ([answered(UDP)], "Neither TLS nor TCP answers."),
        ([answered(UDP), answered(TLS, 503)], "TLS port 5061 answers too, but with 503"),
        (
            [answered(TLS, source=CandidateSource.SRV, priority=1)],
            "The SRV records of sip.example.com name it.",
        ),
    ],
)
def test_the_reason_tells_why_this_transport(attempts: list[AttemptOutcome], words: str) -> None:
    assert words in recommended(*attempts).reason


def test_a_recommendation_survives_json() -> None:
    found = recommended(answered(TLS, 401), answered(UDP))

    assert Recommendation.model_validate_json(found.model_dump_json()) == found


_ANSWERS = st.builds(
    answered,
    transport=st.sampled_from(Transport),
    status=st.sampled_from([200, 401, 403, 404, 407, 408, 480, 500, 501, 503, 603]),
    port=st.sampled_from([5060, 5061, 5080]),
    ms=st.none() | st.sampled_from([5.0, 10.0]),
    tls=st.none() | st.just(UNVERIFIED),
    source=st.sampled_from(CandidateSource),
    priority=st.none() | st.sampled_from([0, 10]),
    address=st.sampled_from(["203.0.113.10", "2001:db8::10"]),
    replied_from=st.none() | st.just("203.0.113.99"),
)
_FAILURES = st.builds(
    failed,
    cause=st.sampled_from([cause for cause in AttemptCause if cause != "answered"]),
    transport=st.sampled_from(Transport),
    port=st.sampled_from([5060, 5061]),
)
_ATTEMPTS = st.lists(st.one_of(_ANSWERS, _FAILURES), max_size=8)


def place(attempts: list[AttemptOutcome]) -> tuple[object, ...]:
    """Rank of what is recommended; nothing recommended ranks behind everything."""
    found = recommend(attempts)
    ranks = [
        rank
        for attempt in attempts
        if (rank := rank_of(attempt)) is not None
        and found is not None
        and (attempt.address, attempt.port, attempt.transport, attempt.response_time_ms)
        == (found.address, found.port, found.transport, found.response_time_ms)
        and attempt.reply is not None
        and attempt.reply.status == found.response_code
        and attempt.tls == found.tls
    ]
    return (0, min(ranks)) if ranks else (1,)


@settings(max_examples=150, deadline=None)
@given(attempts=_ATTEMPTS, another=st.one_of(_ANSWERS, _FAILURES))
def test_another_attempt_never_makes_the_recommendation_worse(
    attempts: list[AttemptOutcome], another: AttemptOutcome
) -> None:
    before, after = recommend(attempts), recommend([*attempts, another])

    assert place([*attempts, another]) <= place(attempts)
    if before is not None:
        assert after is not None
        assert after.usable >= before.usable
        if before.response_code == 200 and before.tls is not None:
            assert after.transport is TLS
            assert after.tls is not None
            assert after.tls.verifies >= before.tls.verifies
        if before.response_code == 200:
            assert after.response_code in (200, 401, 407)


@settings(max_examples=150, deadline=None)
@given(attempts=_ATTEMPTS, seed=st.integers(0, 1000))
def test_the_order_of_arrival_does_not_matter(attempts: list[AttemptOutcome], seed: int) -> None:
    shuffled = list(attempts)
    random.Random(seed).shuffle(shuffled)

    assert recommend(shuffled) == recommend(attempts)


@settings(max_examples=100, deadline=None)
@given(attempts=_ATTEMPTS)
def test_the_recommended_setting_is_one_that_answered(attempts: list[AttemptOutcome]) -> None:
    found = recommend(attempts)

    answered_ones = {(a.address, a.port, a.transport) for a in attempts if a.answered}
    if found is None:
        assert answered_ones == set()
    else:
        assert (found.address, found.port, found.transport) in answered_ones
