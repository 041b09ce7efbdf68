"""The key of an installation: made once, kept elsewhere, read back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.verification import PolicyBuilder, Store

from papers.errors import SealFailed
from papers.seal_key import VALID_FOR, load_seal_key, make_seal_key
from tests.papers.loas import AT, KEY


def certificate_of(name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(make_seal_key(AT, name).certificate_pem)


def test_a_key_is_read_back_as_it_was() -> None:
    assert load_seal_key(KEY.key_pem, KEY.certificate_pem) == KEY


def test_no_two_keys_are_the_same() -> None:
    other = make_seal_key(AT, "Trunkline of example.org")
    assert other.key_pem != KEY.key_pem
    assert other.fingerprint != KEY.fingerprint


def test_the_certificate_says_who_and_what_for() -> None:
    made = certificate_of("Trunkline of example.org")
    assert made.subject == made.issuer
    assert made.subject.rfc4514_string() == "CN=Trunkline of example.org"
    usage = made.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.content_commitment) == (True, True)
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert made.not_valid_before_utc < AT < made.not_valid_after_utc == AT + VALID_FOR
    assert PolicyBuilder().store(Store([made]))


@pytest.mark.parametrize("name", ["x" * 200, "", "  ", "Müller & Søn"])
def test_any_name_makes_a_certificate(name: str) -> None:
    [attribute] = certificate_of(name).subject
    assert 1 <= len(str(attribute.value)) <= 64


def test_the_private_key_is_not_shown() -> None:
    assert "PRIVATE" not in repr(KEY)


def test_what_is_no_key_is_refused_without_showing_it() -> None:
    other = make_seal_key(AT + timedelta(days=1), "other")
    edwards = ed25519.Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    for key, certificate, why in (
        (b"not a key", KEY.certificate_pem, "cannot be read"),
        (KEY.key_pem, b"not a certificate", "cannot be read"),
        (edwards, KEY.certificate_pem, "elliptic curve"),
        (other.key_pem, KEY.certificate_pem, "do not belong together"),
    ):
        with pytest.raises(SealFailed, match=why):
            load_seal_key(key, certificate)
