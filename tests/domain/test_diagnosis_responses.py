"""What each final response means, by itself and with what the peer adds to it."""

from __future__ import annotations

import pytest

from domain.diagnosis import Blame, Circumstances, DiagnosisCode, FailOver, diagnose_response
from sip.dialog_state import Said

Code = DiagnosisCode
YES, NO, OPT_IN, RETRY = FailOver.YES, FailOver.NO, FailOver.OPT_IN, FailOver.RETRY
CLIENT, UPSTREAM, PEER = Blame.CLIENT_ERROR, Blame.UPSTREAM_ERROR, Blame.PEER_CONFIG
PATH, UNKNOWN = Blame.NETWORK_PATH, Blame.INDETERMINATE

ROWS = [
    (302, Code.REDIRECTED, NO, CLIENT),
    (400, Code.BAD_REQUEST, NO, PEER),
    (401, Code.AUTH_REQUIRED, NO, CLIENT),
    (402, Code.OUT_OF_CREDIT, OPT_IN, CLIENT),
    (403, Code.FORBIDDEN, OPT_IN, CLIENT),
    (404, Code.NOT_FOUND, NO, CLIENT),
    (405, Code.METHOD_UNSUPPORTED, NO, PEER),
    (406, Code.NOT_ACCEPTABLE, NO, PEER),
    (407, Code.AUTH_REQUIRED, NO, CLIENT),
    (408, Code.REQUEST_TIMEOUT, YES, CLIENT),
    (410, Code.GONE, NO, CLIENT),
    (413, Code.TOO_LARGE, FailOver.RETRY_TCP, CLIENT),
    (415, Code.NOT_ACCEPTABLE, NO, PEER),
    (416, Code.URI_SCHEME, NO, CLIENT),
    (420, Code.EXTENSION, NO, PEER),
    (421, Code.EXTENSION, NO, PEER),
    (422, Code.SESSION_INTERVAL, RETRY, PEER),
    (423, Code.REGISTER_INTERVAL, RETRY, PEER),
    (428, Code.IDENTITY, NO, PEER),
    (433, Code.ANONYMOUS_REFUSED, NO, CLIENT),
    (436, Code.IDENTITY, NO, PEER),
    (437, Code.IDENTITY, NO, PEER),
    (438, Code.IDENTITY, NO, PEER),
    (449, Code.REFUSED, NO, CLIENT),
    (480, Code.UNAVAILABLE, FailOver.PROVIDER, CLIENT),
    (481, Code.DIALOG_UNKNOWN, NO, PATH),
    (482, Code.LOOP, NO, PEER),
    (483, Code.LOOP, NO, PEER),
    (484, Code.ADDRESS_INCOMPLETE, NO, CLIENT),
    (485, Code.AMBIGUOUS, NO, CLIENT),
    (486, Code.BUSY, NO, CLIENT),
    (487, Code.REQUEST_TERMINATED, NO, PEER),
    (488, Code.MEDIA_NOT_ACCEPTABLE, NO, CLIENT),
    (491, Code.GLARE, NO, UNKNOWN),
    (493, Code.SECURITY_AGREEMENT, NO, PEER),
    (494, Code.SECURITY_AGREEMENT, NO, PEER),
    (500, Code.PEER_ERROR, YES, UPSTREAM),
    (501, Code.METHOD_UNSUPPORTED, NO, PEER),
    (502, Code.UPSTREAM_TROUBLE, YES, UPSTREAM),
    (503, Code.SERVICE_UNAVAILABLE, YES, UPSTREAM),
    (504, Code.UPSTREAM_TROUBLE, YES, UPSTREAM),
    (505, Code.SIP_VERSION, NO, PEER),
    (513, Code.TOO_LARGE, FailOver.RETRY_TCP, CLIENT),
    (555, Code.PEER_ERROR, YES, UPSTREAM),
    (580, Code.PRECONDITION, NO, PEER),
    (600, Code.BUSY, NO, CLIENT),
    (603, Code.DECLINED, NO, CLIENT),
    (604, Code.NOT_FOUND, NO, CLIENT),
    (606, Code.MEDIA_NOT_ACCEPTABLE, NO, CLIENT),
    (607, Code.CARRIER_BLOCKED, NO, CLIENT),
    (608, Code.CARRIER_BLOCKED, NO, CLIENT),
    (699, Code.REFUSED, NO, CLIENT),
]


@pytest.mark.parametrize(("status", "code", "fail_over", "blame"), ROWS)
def test_each_response_has_its_row(
    status: int, code: Code, fail_over: FailOver, blame: Blame
) -> None:
    found = diagnose_response(status, Said(), around=Circumstances(reason_phrase="Phrase"))
    assert (found.code, found.fail_over, found.blame) == (code, fail_over, blame)
    assert found.what.startswith(f"It answered {status} Phrase")
    assert found.change
    assert found.sip_code == status


@pytest.mark.parametrize(
    ("status", "said", "code", "words"),
    [
        (302, Said(contacts=("sip:b.example",)), Code.REDIRECTED, "another address, sip:b.example"),
        (
            400,
            Said(warnings=('399 pbx "Invalid Contact header"',)),
            Code.BAD_REQUEST,
            "objects to Contact",
        ),
        (400, Said(server="Cisco-CUCM14.0"), Code.BAD_REQUEST, "Cisco UCM"),
        (400, Said(server="Microsoft.PSTNHub.SIPProxy"), Code.BAD_REQUEST, "Microsoft Teams"),
        (
            401,
            Said(details=(("WWW-Authenticate", 'Digest realm="pbx.example", nonce="x"'),)),
            Code.AUTH_REQUIRED,
            'for realm "pbx.example"',
        ),
        (420, Said(details=(("Unsupported", "timer"),)), Code.EXTENSION, "demands timer"),
        (421, Said(details=(("Require", "100rel"),)), Code.EXTENSION, "Make 100rel optional"),
        (422, Said(details=(("Min-SE", "900"),)), Code.SESSION_INTERVAL, "at least 900 seconds"),
        (405, Said(details=(("Allow", "OPTIONS"),)), Code.METHOD_UNSUPPORTED, "It takes OPTIONS."),
        (480, Said(reasons=("Q.850;cause=19",)), Code.UNAVAILABLE, "did not answer"),
        (480, Said(reasons=("Q.850;cause=20",)), Code.UNAVAILABLE, "telephone is registered"),
        (480, Said(reasons=("Q.850;cause=34",)), Code.CONCURRENT_LIMIT_EXCEEDED, "channels"),
        (
            486,
            Said(reasons=('SIP;cause=486;text="Channel limit reached"',)),
            Code.CONCURRENT_LIMIT_EXCEEDED,
            "all channels",
        ),
        (600, Said(reasons=("Q.850;cause=42",)), Code.CONCURRENT_LIMIT_EXCEEDED, "all channels"),
        (486, Said(reasons=("Q.850;cause=17",)), Code.BUSY, "the callee is busy"),
        (488, Said(warnings=('305 a "Codec"',)), Code.NO_COMMON_CODEC, "PCMU only"),
        (488, Said(warnings=('304 a "SRTP required"',)), Code.ENCRYPTION_REQUIRED, "with SRTP"),
        (606, Said(warnings=('302 a "Transport"',)), Code.ENCRYPTION_REQUIRED, "with SRTP"),
        (500, Said(reasons=('SIP;text="CPS exceeded"',)), Code.CPS_LIMIT_EXCEEDED, "faster"),
        (
            500,
            Said(details=(("X-Error", "Too many calls"),)),
            Code.CONCURRENT_LIMIT_EXCEEDED,
            "all channels",
        ),
        (
            503,
            Said(warnings=('399 cucm "Unable to find a device handler for the request"',)),
            Code.UNKNOWN_TO_PEER,
            "Cisco UCM",
        ),
        (503, Said(retry_after="120 (maintenance);duration=60"), Code.SERVICE_UNAVAILABLE, "120 s"),
        (503, Said(reasons=("Q.850;cause=38",)), Code.SERVICE_UNAVAILABLE, "network out of order"),
        (603, Said(details=(("X-Twilio-Error", "32203 Blocked"),)), Code.CARRIER_BLOCKED, "Twilio"),
        (603, Said(details=(("X-Twilio-Error", "13224 Other"),)), Code.DECLINED, "declined"),
        (
            603,
            Said(reasons=('Q.850;cause=21;text="v=analytics1;url=https://x"',)),
            Code.CARRIER_BLOCKED,
            "a network on the way",
        ),
        (403, Said(reasons=("Q.850;cause=57",)), Code.FORBIDDEN, "Have the provider enable"),
    ],
)
def test_what_the_peer_adds_makes_the_cause_clearer(
    status: int, said: Said, code: Code, words: str
) -> None:
    found = diagnose_response(status, said)
    assert found.code is code
    assert words in " ".join((found.what, *found.change))


@pytest.mark.parametrize(
    ("said", "first"),
    [
        (Said(), "Our addresses are not on its allow-list."),
        (
            Said(warnings=('399 sbc "Caller ID not verified"',)),
            "The caller number is not one that the account owns or has verified.",
        ),
        (
            Said(reasons=('SIP;cause=403;text="International calls barred"',)),
            "The country or the kind of number is blocked for the account.",
        ),
    ],
)
def test_the_causes_of_a_403_are_ordered_by_what_the_peer_says(said: Said, first: str) -> None:
    assert diagnose_response(403, said).checklist[0] == first


def test_a_403_to_a_registration_is_about_the_password() -> None:
    found = diagnose_response(403, Said(), "REGISTER")
    assert "password" in found.checklist[0]
    assert "registration" in found.what


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("sip:+14155550100@pbx.example", "without +"),
        ("sip:14155550100@pbx.example", "with + and country code"),
    ],
)
@pytest.mark.parametrize("status", [404, 484])
def test_the_other_number_format_is_advised(status: int, uri: str, words: str) -> None:
    found = diagnose_response(status, Said(), around=Circumstances(request_uri=uri))
    assert words in found.change[0]


@pytest.mark.parametrize(
    ("secure", "code"), [(True, Code.ENCRYPTION_REFUSED), (False, Code.ENCRYPTION_REQUIRED)]
)
def test_a_488_about_encryption_depends_on_what_was_offered(secure: bool, code: Code) -> None:
    said = Said(warnings=('304 a "SRTP"',))
    around = Circumstances(secure=secure, codecs=("PCMU", "PCMA"))
    found = diagnose_response(488, said, around=around)
    assert found.code is code
    offered = "PCMU, PCMA with SRTP" if secure else "PCMU, PCMA as plain RTP"
    assert offered in found.what


@pytest.mark.parametrize(
    ("transport", "first", "fail_over"),
    [
        ("udp", "Use TCP or TLS instead of UDP.", FailOver.RETRY_TCP),
        ("tls", "Switch off codecs that are not needed.", NO),
    ],
)
def test_a_request_that_is_too_large_only_moves_to_tcp_from_udp(
    transport: str, first: str, fail_over: FailOver
) -> None:
    around = Circumstances(transport=transport, invite_size=2100)
    found = diagnose_response(513, Said(), around=around)
    assert (found.change[0], found.fail_over) == (first, fail_over)
    assert "2100 bytes" in found.what


def test_retry_after_is_the_first_thing_to_do() -> None:
    found = diagnose_response(503, Said(retry_after="30"))
    assert found.retry_after == 30
    assert found.change[0] == "Try again after 30 seconds."


@pytest.mark.parametrize("status", [404, 405, 481, 486, 501])
def test_a_refusal_of_options_is_a_sign_of_life(status: int) -> None:
    found = diagnose_response(status, Said(), "OPTIONS")
    assert (found.code, found.blame, found.fail_over) == (Code.ALIVE, Blame.SUCCESS, NO)


@pytest.mark.parametrize("status", [408, 503])
def test_options_can_be_refused_for_being_down(status: int) -> None:
    assert diagnose_response(status, Said(), "OPTIONS").fail_over is YES


def test_a_peers_braces_are_shown_as_they_are() -> None:
    said = Said(contacts=("sip:{status}{x}",), server="{0}")
    found = diagnose_response(302, said, around=Circumstances(reason_phrase="{reason}"))
    assert "302 {reason}" in found.what
    assert "{x}" in found.what
    assert '"{0}"' in found.who
