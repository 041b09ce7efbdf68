"""What a trace shows of a message: everything but its secrets, each octet where it was."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.digest_fields import DigestCredentials, parse_challenges
from sip.masking import masked
from sip.message import MAX_HEADER_BYTES, parse_message
from tests.domain.traces import KEY, RESPONSE_DIGEST, request, sdp

NONCE = "1709985600/f00dcafe"
CNONCE = "0a4f113b9c2d"
OPAQUE = "5ccc069c403ebaf9"
CREDENTIALS = (
    f'Digest username="acme", realm="asterisk", nonce="{NONCE}", '
    f'uri="sip:+14155550100@sip.example.com", response="{RESPONSE_DIGEST}", algorithm=MD5, '
    f'cnonce="{CNONCE}", opaque="{OPAQUE}", qop=auth, nc=00000001'
)
SECRETS = [each.encode() for each in (NONCE, CNONCE, OPAQUE, RESPONSE_DIGEST)]


def shown(field: str, **options: bool) -> str:
    """A message with this header field among others, masked; the field as it is then."""
    data = f"OPTIONS sip:a@b SIP/2.0\r\nVia: x\r\n{field}\r\nTo: <sip:a@b>\r\n\r\n".encode()
    answer = masked(data, **options)
    assert len(answer) == len(data)
    assert answer.startswith(b"OPTIONS sip:a@b SIP/2.0\r\nVia: x\r\n")
    assert answer.endswith(b"\r\nTo: <sip:a@b>\r\n\r\n")
    return answer[len(b"OPTIONS sip:a@b SIP/2.0\r\nVia: x\r\n") : -19].decode()


def leaked(data: bytes) -> list[bytes]:
    return [secret for secret in SECRETS if secret in data]


def test_credentials_keep_who_and_where_and_lose_what_proves_it() -> None:
    field = shown(f"Authorization: {CREDENTIALS}")

    read = DigestCredentials.parse(field.partition(": ")[2])
    assert (read.username, read.realm, read.uri) == (
        "acme",
        "asterisk",
        "sip:+14155550100@sip.example.com",
    )
    assert (read.algorithm_name, read.qop, read.nc) == ("MD5", "auth", 1)
    for value, secret in (
        (read.nonce, NONCE),
        (read.cnonce, CNONCE),
        (read.opaque, OPAQUE),
        (read.response, RESPONSE_DIGEST),
    ):
        assert value == "*" * len(secret)


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "proxy-authorization",
        "PROXY-AUTHORIZATION",
        "Authorization ",
        "Authorization\t",
        " Authorization",
        "WWW-Authenticate",
        "Proxy-Authenticate",
        "Authentication-Info",
        "Proxy-Authentication-Info",
    ],
)
def test_each_field_that_can_hold_credentials_is_masked(name: str) -> None:
    assert not leaked(shown(f"{name}: {CREDENTIALS}").encode())


def test_a_challenge_keeps_its_offer() -> None:
    field = shown(
        f'WWW-Authenticate: Digest realm="pbx", nonce="{NONCE}", opaque="{OPAQUE}", '
        'stale=TRUE, algorithm=SHA-256, qop="auth,auth-int", domain="sip:example.com"'
    )

    assert not leaked(field.encode())
    (challenge,) = parse_challenges(field.partition(": ")[2])
    assert (challenge.realm, challenge.stale, challenge.algorithm_name) == ("pbx", True, "SHA-256")
    assert (challenge.qop, challenge.domain) == (("auth", "auth-int"), "sip:example.com")


def test_several_challenges_in_one_field_are_masked() -> None:
    field = shown(
        f'WWW-Authenticate: Digest realm="a", nonce="{NONCE}", Digest realm="b", nonce="{CNONCE}"'
    )

    assert not leaked(field.encode())
    assert 'realm="a"' in field
    assert 'realm="b"' in field


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ('Authentication-Info: nextnonce="47364c23432d2e131a5fb210812c", qop=auth', "qop=auth"),
        ("Authorization: Basic YWNtZTpzZWNyZXQ=", "Authorization: Basic *"),
        ("Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIx", "Authorization: Bearer *"),
        ("Authorization: Negotiate YIIJvwYGKwYBBQUCoIIJs", "Authorization: *"),
        ('WWW-Authenticate: Digest realm="ims", nonce="x", ik="0101", ck="9999"', 'realm="ims"'),
    ],
)
def test_other_schemes_lose_their_secrets_too(field: str, expected: str) -> None:
    answer = shown(field)

    assert expected in answer
    for secret in ("4736", "YWNtZ", "eyJhb", "YIIJ", "0101", "9999"):
        assert secret not in answer


def test_a_folded_field_keeps_its_folds() -> None:
    folded = CREDENTIALS.replace(", ", ",\r\n  ").replace('nonce="', 'nonce\r\n\t=\r\n "')

    answer = shown(f"Authorization:\r\n {folded}")

    assert not leaked(answer.encode())
    assert answer.count("\r\n") == folded.count("\r\n") + 1
    assert 'username="acme"' in answer


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n"])
def test_any_line_end_separates_fields(line_end: str) -> None:
    data = f"X: y{line_end}Authorization: {CREDENTIALS}{line_end}Z: nonce={line_end}".encode()

    answer = masked(data)

    assert not leaked(answer)
    assert answer.endswith(f"Z: nonce={line_end}".encode())


@pytest.mark.parametrize(
    "broken",
    [
        CREDENTIALS.replace('asterisk"', "asterisk"),
        CREDENTIALS.replace('"asterisk"', '"asterisk\\"'),
        CREDENTIALS.replace('asterisk", nonce="', "asterisk, nonce="),
        CREDENTIALS.replace('username="acme", realm="asterisk", ', ""),
        CREDENTIALS.replace(", ", " "),
        CREDENTIALS.replace(", ", ";"),
        CREDENTIALS.replace("=", ":"),
        CREDENTIALS.replace("Digest ", "Digest"),
        CREDENTIALS + "\x00\x01",
        CREDENTIALS + ', x="',
    ],
)
def test_what_breaks_the_grammar_is_masked_whole(broken: str) -> None:
    assert not leaked(shown(f"Authorization: {broken}").encode())


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(CREDENTIALS)), st.sampled_from(['"', ",", "\\", " ", "\r\n "])
        ),
        max_size=6,
    ),
    st.sets(st.integers(0, CREDENTIALS.count('"') - 1), max_size=4),
)
@settings(max_examples=200)
def test_no_damage_makes_a_response_readable(
    inserted: list[tuple[int, str]], dropped: set[int]
) -> None:
    secret = range(CREDENTIALS.index(RESPONSE_DIGEST) + 1, CREDENTIALS.index('", algorithm'))
    text, quotes = "", 0
    for place, character in enumerate(CREDENTIALS):
        if place not in secret:
            text += "".join(extra for at, extra in inserted if at == place)
        if character == '"':
            quotes += 1
            if quotes - 1 in dropped:
                continue
        text += character
    assert RESPONSE_DIGEST in text

    assert RESPONSE_DIGEST.encode() not in masked(f"Authorization: {text}\r\n\r\n".encode())


def test_media_keys_are_masked_and_the_message_still_parses() -> None:
    data = request("INVITE", body=sdp(secure=True, extra="a=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"))

    message = parse_message(masked(data))

    assert KEY not in message.text_body
    assert f"inline:{'*' * len(KEY)}\r\n" in message.text_body
    assert f"a=ice-pwd:{'*' * 22}\r\n" in message.text_body


def test_a_password_in_a_uri_is_masked() -> None:
    assert shown("Contact: <sip:bob:hunter2@192.0.2.1:5060>") == (
        "Contact: <sip:bob:*******@192.0.2.1:5060>"
    )
    assert shown("Contact: <sip:192.0.2.1:5060>, <sip:a@b>") == (
        "Contact: <sip:192.0.2.1:5060>, <sip:a@b>"
    )


def test_a_quoted_message_in_a_body_is_masked() -> None:
    fragment = f"INVITE sip:a@b SIP/2.0\r\nAuthorization: {CREDENTIALS}\r\n"

    assert not leaked(masked(request("NOTIFY", body=fragment)))


def test_numbers_keep_their_last_four_digits_when_they_are_to_be_hidden() -> None:
    field = shown(
        'From: "+1 (415) 14155550199" <sip:+14155550199@192.0.2.10:40404;transport=udp>, '
        "<tel:+1-415-555-0100>, <sip:14155550188;npdi@x>, <sip:100@x>, <sip:192.0.2.10:5060>",
        hide_numbers=True,
    )

    assert field == (
        'From: "+1 (415) *******0199" <sip:+*******0199@192.0.2.10:40404;transport=udp>, '
        "<tel:+*-***-***-0100>, <sip:*******0188;npdi@x>, <sip:100@x>, <sip:192.0.2.10:5060>"
    )


def test_numbers_stay_unless_they_are_to_be_hidden() -> None:
    assert shown("From: <sip:+14155550199@x>") == "From: <sip:+14155550199@x>"


@given(st.binary(max_size=400), st.booleans())
@settings(max_examples=200)
def test_any_bytes_keep_their_length_and_lines(noise: bytes, hide: bool) -> None:
    data = b"Authorization: " + noise + b"\r\nFrom: <sip:+14155550199@x>\r\n" + noise

    answer = masked(data, hide_numbers=hide)

    assert len(answer) == len(data)
    for old, new in zip(data, answer, strict=True):
        assert new in (old, ord("*"))
        assert (old in b"\r\n") == (new in b"\r\n")
    assert masked(answer, hide_numbers=hide) == answer


@pytest.mark.parametrize(
    "unit",
    [
        b"Authorization: ",
        b"Authorization: Digest a=b,",
        b'\r\nAuthorization: Digest a="',
        b"\r\n ",
        b'nonce="',
        b"a=b ,",
        b"\\",
        b"sip:1;",
        b"sip:1",
        b"sip:a:",
        b"+1-",
        b"tel:1.",
        b"inline:",
        b"\t",
    ],
)
def test_time_is_linear_whatever_the_peer_sends(unit: bytes) -> None:
    data = b"X: y\r\nAuthorization: Digest " + unit * (MAX_HEADER_BYTES // len(unit))
    begun = perf_counter()

    masked(data, hide_numbers=True)

    assert perf_counter() - begun < 1
