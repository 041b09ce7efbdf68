"""The key that an installation seals letters with: ECDSA on P-256 and a certificate that it signs itself.

The certificate says who sealed, not that somebody vouches for it: a recipient compares its SHA-256 with
the one that the operator publishes. Source: RFC 5280 4.2.1 for the extensions, RFC 9336 for the purpose.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID, ObjectIdentifier

from papers.errors import SealFailed

__all__ = ["VALID_FOR", "SealKey", "load_seal_key", "make_seal_key"]

VALID_FOR: Final = timedelta(days=3650)
"""Letters are kept for two years (47 CFR 64.1120(a)(1)(ii)); the key they were sealed with outlasts them."""

_BEFORE: Final = timedelta(hours=1)
"""The clock of who verifies may be behind ours."""

_MAX_NAME: Final = 64
"""Characters of a common name (RFC 5280 A.1)."""

_DOCUMENT_SIGNING: Final = ObjectIdentifier("1.3.6.1.5.5.7.3.36")


@dataclass(frozen=True, slots=True)
class SealKey:
    """A private key (PKCS #8, PEM, not encrypted: seal it before it is stored) and its certificate (PEM)."""

    key_pem: bytes = field(repr=False)
    certificate_pem: bytes

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, in hex."""
        return fingerprint_of(self.certificate_pem)


def make_seal_key(now: datetime, name: str) -> SealKey:
    """A new random key of the installation ``name``, valid from ``now`` for ``VALID_FOR``."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name.strip()[:_MAX_NAME] or "-")])
    begins = now.astimezone(UTC).replace(microsecond=0)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins - _BEFORE)
        .not_valid_after(begins + VALID_FOR)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([_DOCUMENT_SIGNING]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return SealKey(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        certificate.public_bytes(Encoding.PEM),
    )


def load_seal_key(key_pem: bytes, certificate_pem: bytes) -> SealKey:
    """A key as ``make_seal_key`` made it. Raises ``SealFailed`` when it cannot be read or its two parts
    do not belong together."""
    try:
        key = load_pem_private_key(key_pem, None)
        certificate = x509.load_pem_x509_certificate(certificate_pem)
    except (ValueError, TypeError) as error:
        raise SealFailed("the sealing key cannot be read") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SealFailed("the sealing key is not one of an elliptic curve")
    if key.public_key() != certificate.public_key():
        raise SealFailed("the sealing key and its certificate do not belong together")
    return SealKey(key_pem, certificate_pem)


def fingerprint_of(certificate_pem: bytes) -> str:
    """SHA-256 of a certificate, in hex."""
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
