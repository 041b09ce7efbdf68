"""Attempts: causes in words that name what to change, and replies read and graded."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.attempt_explanations import explain_attempt, explain_beside, explain_cause
from domain.attempts import AttemptCause, AttemptOutcome, TlsFacts
from domain.replies import MAX_VALUE, ReplyGrade, SipReply, grade_of, read_reply, shown
from domain.reply_explanations import explain_options_reply
from sip.header_map import Headers
from sip.message import Response, parse_message
from sip.net.probe_report import ProbeOutcome
from sip.net.tls import TlsFacts as ObservedTls
from sip.transports import Transport
from tests.domain.builders import answered, failed


def response(status: int, reason: str, *fields: tuple[str, str], body: bytes = b"") -> Response:
    basic = (
        ("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1"),
        ("From", "<sip:a@192.0.2.1>;tag=1"),
        ("To", "<sip:sip.example.com>;tag=as12345678"),
        ("Call-ID", "c1"),
        ("CSeq", "1 OPTIONS"),
    )
    made = Response(status, reason, Headers((*basic, *fields)), body)
    parsed = parse_message(made.serialize())
    assert isinstance(parsed, Response)
    return parsed


def test_every_outcome_of_a_probe_is_a_cause() -> None:
    assert {outcome.value for outcome in ProbeOutcome} <= {cause.value for cause in AttemptCause}


@pytest.mark.parametrize("cause", AttemptCause)
@pytest.mark.parametrize("transport", Transport)
def test_every_cause_has_sentences_without_gaps(cause: AttemptCause, transport: Transport) -> None:
    explanation = explain_cause(
        cause,
        host="sip.example.com",
        address="203.0.113.10",
        port=5060,
        transport=transport,
        detail="some detail",
        source_address="198.51.100.7",
    )

    for sentence in filter(None, (explanation.what, explanation.change)):
        assert sentence[0] in string.ascii_uppercase + string.digits
        assert sentence.endswith(".")
        assert "{" not in sentence
        assert "None" not in sentence
    if cause is not AttemptCause.ANSWERED:
        assert explanation.change


@pytest.mark.parametrize(
    ("cause", "transport", "words"),
    [
        (AttemptCause.REFUSED, Transport.TCP, ("TCP port 5060", "Nothing listens")),
        (AttemptCause.SILENT, Transport.UDP, ("UDP port 5060", "our address 198.51.100.7")),
        (AttemptCause.CONNECTED_SILENT, Transport.TLS, ("TLS port 5061", "allow-list")),
        (AttemptCause.TLS_OLD_VERSION, Transport.TLS, ("TLS 1.2", "TLSv1.1")),
        (AttemptCause.TLS_CLIENT_CERTIFICATE, Transport.TLS, ("client certificate",)),
        (AttemptCause.NOT_TLS, Transport.TLS, ("not in TLS", "TCP")),
        (AttemptCause.NOT_ALLOWED, Transport.UDP, ("203.0.113.10", "operator")),
        (AttemptCause.DNS_FAILURE, Transport.UDP, ("sip.example.com", "SRV")),
    ],
)
def test_a_failed_attempt_says_where_and_what_to_change(
    cause: AttemptCause, transport: Transport, words: tuple[str, ...]
) -> None:
    detail = "TLSv1.1" if cause is AttemptCause.TLS_OLD_VERSION else None

    text = str(
        explain_attempt(failed(cause, transport, detail=detail), source_address="198.51.100.7")
    )

    for word in words:
        assert word in text


def test_our_address_is_not_invented() -> None:
    text = str(explain_attempt(failed(AttemptCause.SILENT)))

    assert "Allow our addresses" in text


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ("sslv3 alert handshake failure", "share no cipher"),
        ("tlsv1 unrecognized name", "no certificate for the name sip.example.com"),
        ("tlsv1 alert no application protocol", "protocol name"),
        ("something new", "Check the certificate"),
    ],
)
def test_a_tls_alert_decides_the_advice(detail: str, words: str) -> None:
    text = str(explain_attempt(failed(AttemptCause.TLS_FAILED, Transport.TLS, detail=detail)))

    assert detail in text
    assert words in text


def test_what_a_peer_sent_is_bounded_and_printable_in_a_sentence() -> None:
    detail = "\x1b[31m{where}" + "x" * 5000

    text = str(explain_attempt(failed(AttemptCause.NOT_SIP, detail=detail)))

    assert text.isprintable()
    assert "{where}" in text
    assert len(text) < 600


def test_an_answered_attempt_is_explained_by_its_reply() -> None:
    assert "speaks SIP" in str(explain_attempt(answered(Transport.UDP, 200)))
    assert "credentials" in str(explain_attempt(answered(Transport.UDP, 401)))


@pytest.mark.parametrize(
    ("status", "grade", "usable"),
    [
        (200, ReplyGrade.ACCEPTED, True),
        (202, ReplyGrade.ACCEPTED, True),
        (302, ReplyGrade.REACHABLE, True),
        (401, ReplyGrade.CHALLENGED, True),
        (407, ReplyGrade.CHALLENGED, True),
        (403, ReplyGrade.REACHABLE, True),
        (404, ReplyGrade.REACHABLE, True),
        (405, ReplyGrade.REACHABLE, True),
        (501, ReplyGrade.REACHABLE, True),
        (603, ReplyGrade.REACHABLE, True),
        (500, ReplyGrade.DEGRADED, True),
        (504, ReplyGrade.DEGRADED, True),
        (580, ReplyGrade.DEGRADED, True),
        (408, ReplyGrade.UNAVAILABLE, False),
        (503, ReplyGrade.UNAVAILABLE, False),
    ],
)
def test_replies_to_options_are_graded(status: int, grade: ReplyGrade, usable: bool) -> None:
    assert (grade_of(status), grade_of(status).usable) == (grade, usable)


def test_every_status_has_an_explanation() -> None:
    for status in range(200, 700):
        explanation = explain_options_reply(SipReply(status=status, reason="Reason"))

        assert f"{status} Reason" in explanation.what
        assert "{" not in str(explanation)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (SipReply(status=401, realm="asterisk"), ('The realm is "asterisk".', "user name")),
        (SipReply(status=401, realm="a{b}"), ('The realm is "a{b}".',)),
        (SipReply(status=403), ("allow-list", "our address 198.51.100.7")),
        (SipReply(status=503, retry_after=1800), ("30 minutes", "maintenance")),
        (SipReply(status=503, retry_after=7200), ("2 hours",)),
        (SipReply(status=503, retry_after=5), ("5 seconds",)),
        (SipReply(status=503), ("takes no calls now",)),
        (
            SipReply(status=503, warning='399 cucm "Unable to find a device handler for x"'),
            ("Cisco UCM", "SIP trunk"),
        ),
        (SipReply(status=400, warning='399 x "bad Contact"'), ('399 x "bad Contact".',)),
        (SipReply(status=416), ("sips",)),
    ],
)
def test_a_reply_says_what_to_change(reply: SipReply, words: tuple[str, ...]) -> None:
    text = str(explain_options_reply(reply, source_address="198.51.100.7"))

    for word in words:
        assert word in text


def test_the_facts_of_a_reply_are_read() -> None:
    reply = read_reply(
        response(
            200,
            "OK",
            ("Server", "Asterisk PBX 20.9.2"),
            ("Allow", "INVITE, ack"),
            ("Allow", "BYE, INVITE"),
            ("Supported", "100rel, timer"),
            ("Accept", "application/sdp;level=1, message/sipfrag"),
            ("X-Twilio-Error", "32203 blocked"),
            ("X-Unrelated", "secret"),
            ("Content-Type", "application/sdp"),
            body=b"v=0\r\nm=audio 0 RTP/AVP 0 8\r\n",
        )
    )

    assert reply == SipReply(
        status=200,
        reason="OK",
        server="Asterisk PBX 20.9.2",
        allow=("INVITE", "ACK", "BYE"),
        supported=("100rel", "timer"),
        accept=("application/sdp", "message/sipfrag"),
        codecs=("PCMU", "PCMA"),
        to_tag="as12345678",
        headers={"x-twilio-error": "32203 blocked"},
    )
    assert reply.banner == "Asterisk PBX 20.9.2"


def test_realm_and_retry_after_are_read() -> None:
    challenge = 'Digest algorithm=MD5, realm="pbx.example", nonce="1"'
    asked = read_reply(response(401, "Unauthorized", ("WWW-Authenticate", challenge)))
    proxy = read_reply(response(407, "Proxy Auth", ("Proxy-Authenticate", challenge)))
    busy = read_reply(response(503, "Busy", ("Retry-After", "120 (maintenance);duration=60")))

    assert (asked.realm, proxy.realm, busy.retry_after) == ("pbx.example", "pbx.example", 120)


def test_a_body_that_is_no_sdp_advertises_nothing() -> None:
    fields = (("Content-Type", "text/plain"),)

    assert read_reply(response(200, "OK", *fields, body=b"m=audio 0 RTP/AVP 0\r\n")).codecs == ()


def test_header_values_are_bounded() -> None:
    reply = read_reply(
        response(
            200,
            "OK",
            ("Server", "x" * 8000),
            ("Allow", ",".join(f"M{number}" for number in range(500))),
        )
    )

    assert reply.server is not None
    assert len(reply.server) == MAX_VALUE
    assert len(reply.allow) == 64


@given(st.text(max_size=2000))
@settings(max_examples=100, deadline=None)
def test_a_peers_text_becomes_one_printable_line(text: str) -> None:
    line = shown(text)

    assert line.isprintable()
    assert len(line) <= MAX_VALUE


def test_a_provisional_status_is_no_reply() -> None:
    with pytest.raises(ValidationError):
        SipReply(status=100)


def test_an_attempt_survives_json() -> None:
    attempt = answered(Transport.TLS, 401, priority=10, replied_from="203.0.113.11")

    assert AttemptOutcome.model_validate_json(attempt.model_dump_json()) == attempt


def test_the_facts_of_a_handshake_are_taken_over_as_they_were_observed() -> None:
    observed = ObservedTls(version="TLSv1.3", cipher="X", verifies=False, problem="expired")

    facts = TlsFacts.model_validate(observed)

    assert (facts.version, facts.verifies, facts.problem) == ("TLSv1.3", False, "expired")
    assert facts.expires_at is None


class TestExplainedBesideOthers:
    def test_a_tls_port_that_ignores_plain_sip_is_no_allow_list(self) -> None:
        tls = answered(port=5061, transport=Transport.TLS)
        tcp = failed(AttemptCause.CONNECTED_SILENT, port=5061, transport=Transport.TCP)
        words = explain_beside(tcp, [tls, tcp])
        assert words.what == "TCP port 5061 is not answered: this port speaks TLS."
        assert words.change is None

    def test_another_port_that_answers_changes_nothing(self) -> None:
        tls = answered(port=5061, transport=Transport.TLS)
        tcp = failed(AttemptCause.CONNECTED_SILENT, port=5060, transport=Transport.TCP)
        assert explain_beside(tcp, [tls, tcp]) == explain_attempt(tcp)
