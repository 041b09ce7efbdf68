"""Certificates that customers enter: what is read, and what is refused in words."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from domain.certificates import (
    MAX_CERTIFICATES,
    certificates_in,
    check_client,
    check_key,
    first_expiry,
    read_pin,
)
from tests.support.certificates import Certified, certified

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DIGEST = hashlib.sha256(b"certificate").digest()


@pytest.fixture(scope="module")
def ours() -> Certified:
    return certified(NOW - timedelta(days=1), NOW + timedelta(days=30))


def test_a_certificate_that_is_valid_fits_its_key(ours: Certified) -> None:
    check_client(ours.chain_pem, now=NOW)
    check_key(ours.key_pem, ours.chain_pem)
    assert first_expiry(ours.chain_pem) == NOW + timedelta(days=30)


def test_the_first_to_expire_counts(ours: Certified) -> None:
    sooner = certified(NOW, NOW + timedelta(days=3))
    assert first_expiry(ours.chain_pem + sooner.chain_pem) == NOW + timedelta(days=3)
    assert first_expiry("nothing") is None


@pytest.mark.parametrize(
    ("begins", "ends", "words"),
    [
        (-10, -1, "expired on 2026-11-22"),
        (-10, 0, "expired on 2026-11-23"),
        (1, 10, "is not valid before 2026-11-24"),
    ],
)
def test_a_certificate_out_of_its_time_is_refused(begins: int, ends: int, words: str) -> None:
    out = certified(NOW + timedelta(days=begins), NOW + timedelta(days=ends))
    with pytest.raises(ValueError, match=words):
        check_client(out.chain_pem, now=NOW)


def test_keys_that_are_none_or_another_ones_are_refused(ours: Certified) -> None:
    other = certified(NOW, NOW + timedelta(days=1))
    encrypted = ours.key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    ).decode()
    for key, words in (
        (other.key_pem, "is not the key of client_certificate"),
        (encrypted, "is encrypted"),
        ("canary", "is not a private key in PEM form"),
        (ours.chain_pem, "is not a private key in PEM form"),
    ):
        with pytest.raises(ValueError, match=words) as refused:
            check_key(key, ours.chain_pem)
        assert "canary" not in str(refused.value)
    old_form = ours.key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    ).decode()
    check_key(old_form, ours.chain_pem)


def test_a_list_of_certificates_holds_nothing_else(ours: Certified) -> None:
    for text, words in (
        (ours.chain_pem + ours.key_pem, "not a private key"),
        ("", "PEM form"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "PEM form"),
        (ours.chain_pem * (MAX_CERTIFICATES + 1), "at most 20"),
    ):
        with pytest.raises(ValueError, match=words):
            certificates_in(text)


@pytest.mark.parametrize(
    "written",
    [
        DIGEST.hex(),
        DIGEST.hex().upper(),
        DIGEST.hex(":"),
        DIGEST.hex(":").upper(),
        f"sha256:{DIGEST.hex()}",
        f"SHA-256 {DIGEST.hex()}",
        f"  {DIGEST.hex()}\n",
        base64.b64encode(DIGEST).decode(),
        f"sha256/{base64.b64encode(DIGEST).decode()}",
    ],
)
def test_a_pin_is_read_in_every_usual_form(written: str) -> None:
    assert read_pin(written) == DIGEST.hex()


@given(st.text(max_size=80))
def test_what_is_no_pin_is_refused_and_what_is_one_is_a_digest(text: str) -> None:
    try:
        found = read_pin(text)
    except ValueError:
        return
    assert len(bytes.fromhex(found)) == 32


@given(st.binary(min_size=32, max_size=32))
def test_every_digest_can_be_written_in_both_ways(digest: bytes) -> None:
    assert read_pin(digest.hex()) == digest.hex()
    assert read_pin(base64.b64encode(digest).decode()) == digest.hex()
