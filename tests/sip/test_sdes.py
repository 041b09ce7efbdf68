"""SDES keys on the wire, in values and in traces (RFC 4568)."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import LocalProtocolError, RemoteProtocolError
from sip.sdes import (
    CryptoAttribute,
    CryptoReason,
    CryptoRefusal,
    CryptoSuite,
    mask_key_text,
    mask_keys,
    new_crypto_attributes,
    parse_crypto,
)

SUITE = CryptoSuite.AES_CM_128_HMAC_SHA1_80
KEY_TEXT = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"  # RFC 4568 section 4.1's example
KEY = b"YS___semctl () {\t220;}\n}\nunles"

lifetimes = st.none() | st.integers(1, 2**48)
attributes = st.builds(
    CryptoAttribute,
    st.integers(0, 999_999_999),
    st.sampled_from(CryptoSuite),
    st.binary(min_size=30, max_size=30),
    lifetimes,
)


def test_an_attribute_is_read() -> None:
    assert parse_crypto(f"1 {SUITE} inline:{KEY_TEXT}|2^20") == CryptoAttribute(
        1, SUITE, KEY, lifetime=2**20
    )
    assert parse_crypto(f"007 {SUITE.lower()} INLINE:{KEY_TEXT}|100 WSH=64 -NEW=1 ") == (
        CryptoAttribute(7, SUITE, KEY, lifetime=100)
    )


@given(attributes)
def test_what_is_written_is_read_again(attribute: CryptoAttribute) -> None:
    assert parse_crypto(attribute.wire_value()) == attribute


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (f"AEAD_AES_256_GCM_8 inline:{KEY_TEXT}", CryptoReason.SUITE),
        (f"{SUITE} uri:{KEY_TEXT}", CryptoReason.KEY_METHOD),
        (f"{SUITE} inline:{KEY_TEXT}|2^20|1:4", CryptoReason.MKI),
        (f"{SUITE} inline:{KEY_TEXT}|1:4", CryptoReason.MKI),
        (f"{SUITE} inline:{KEY_TEXT};inline:{KEY_TEXT}", CryptoReason.SEVERAL_KEYS),
        (f"{SUITE} inline:{KEY_TEXT[:-4]}", CryptoReason.KEY),
        (f"{SUITE} inline:{KEY_TEXT}AAAA", CryptoReason.KEY),
        (f"{SUITE} inline:{KEY_TEXT[:-1]}", CryptoReason.KEY),
        (f"{SUITE} inline:{KEY_TEXT[:-1]}\u00e9", CryptoReason.KEY),
        (f"{SUITE} inline:", CryptoReason.KEY),
        (f"{SUITE} inline:{KEY_TEXT}|", CryptoReason.LIFETIME),
        (f"{SUITE} inline:{KEY_TEXT}|0", CryptoReason.LIFETIME),
        (f"{SUITE} inline:{KEY_TEXT}|2^49", CryptoReason.LIFETIME),
        (f"{SUITE} inline:{KEY_TEXT}|5|6", CryptoReason.LIFETIME),
        (f"{SUITE} inline:{KEY_TEXT} UNENCRYPTED_SRTP", CryptoReason.SESSION_PARAMETER),
        (f"{SUITE} inline:{KEY_TEXT} WSH=64 KDR=1", CryptoReason.SESSION_PARAMETER),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_reason(value: str, reason: CryptoReason) -> None:
    assert parse_crypto(f"3 {value}") == CryptoRefusal(3, value.split()[0], reason)


@pytest.mark.parametrize(
    "value", ["", "1", f"1 {SUITE}", f"x {SUITE} inline:{KEY_TEXT}", f"1234567890 {SUITE} inline:A"]
)
def test_what_is_no_crypto_attribute_is_an_error_without_the_key(value: str) -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        parse_crypto(value)
    assert KEY_TEXT not in str(refused.value)


@pytest.mark.parametrize(
    ("tag", "key", "lifetime"),
    [(-1, KEY, None), (10**9, KEY, None), (1, KEY[:-1], None), (1, KEY, 0), (1, KEY, 2**48 + 1)],
)
def test_impossible_attributes_cannot_be_made(tag: int, key: bytes, lifetime: int | None) -> None:
    with pytest.raises(LocalProtocolError) as refused:
        CryptoAttribute(tag, SUITE, key, lifetime)
    assert "semctl" not in str(refused.value)


def test_a_key_stands_in_no_text_of_its_attribute() -> None:
    attribute = CryptoAttribute(1, SUITE, KEY)
    for text in (repr(attribute), str(attribute), f"{attribute}"):
        assert "semctl" not in text
        assert KEY_TEXT not in text


def test_each_suite_has_a_key_of_its_own() -> None:
    asked: list[int] = []

    def new_key(octets: int) -> bytes:
        asked.append(octets)
        return bytes([len(asked)]) * octets

    made = new_crypto_attributes(tuple(CryptoSuite), new_key)
    assert asked == [30, 30]
    assert [(each.tag, each.suite, each.key[0]) for each in made] == [
        (1, CryptoSuite.AES_CM_128_HMAC_SHA1_80, 1),
        (2, CryptoSuite.AES_CM_128_HMAC_SHA1_32, 2),
    ]
    assert made[1].with_tag(9) == CryptoAttribute(9, made[1].suite, made[1].key)


MULTIPART = (
    b"INVITE sip:a@b SIP/2.0\r\nContent-Type: multipart/mixed;boundary=x\r\n"
    b"Content-Disposition: inline;handling=optional\r\n\r\n--x\r\n"
    b"Content-Type: application/sdp\r\n\r\nv=0\r\nk=base64:%(key)s\r\na=key-mgmt:mikey %(key)s\r\n"
    b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%(key)s|2^20|1:4;INLINE: %(key)s|2^20\r\n"
    b"--x\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n"
    b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%(key)s WSH=64\n--x--\r\n"
)


def test_every_key_of_a_multipart_message_is_masked() -> None:
    key = KEY_TEXT.encode()
    assert mask_keys(MULTIPART % {b"key": key}) == MULTIPART % {b"key": b"***"}


def test_a_message_can_keep_its_length() -> None:
    message = MULTIPART % {b"key": KEY_TEXT.encode()}
    masked = mask_keys(message, keep_length=True)
    assert len(masked) == len(message)
    assert masked == MULTIPART % {b"key": b"*" * len(KEY_TEXT)}


def test_text_is_masked_too() -> None:
    assert mask_key_text(f"caf\u00e9 inline:{KEY_TEXT}|2^20") == "caf\u00e9 inline:***|2^20"


@given(st.binary(min_size=30, max_size=30), st.binary(max_size=40), st.binary(max_size=40))
def test_no_key_survives_whatever_stands_around_it(key: bytes, before: bytes, after: bytes) -> None:
    text = b64encode(key)
    message = before + b"inline:" + text + after
    for masked in (mask_keys(message), mask_keys(message, keep_length=True)):
        assert b"inline:" + text[:20] not in masked
    assert mask_keys(mask_keys(message)) == mask_keys(message)
