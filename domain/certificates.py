"""Certificates that a customer enters: read, checked against their key, and when they expire."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

__all__ = [
    "MAX_CERTIFICATES",
    "certificates_in",
    "check_authorities",
    "check_client",
    "check_key",
    "first_expiry",
    "read_pin",
]

MAX_CERTIFICATES: Final = 20

_HEX: Final = re.compile(r"(?:sha-?256[:/= ]?)?([0-9a-f]{64})", re.IGNORECASE)
_BASE64: Final = re.compile(r"(?:sha256[/:])?([A-Za-z0-9+/]{43}=)")
_PIN_BYTES: Final = 32


def certificates_in(pem: str) -> list[x509.Certificate]:
    """The certificates of a PEM text, which holds nothing else. Raises ``ValueError``.

    A private key pasted beside them is refused, because the text is shown again.
    """
    if "PRIVATE KEY" in pem:
        raise ValueError("must hold certificates only, not a private key")
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise ValueError("is not a list of certificates in PEM form") from error
    if len(found) > MAX_CERTIFICATES:
        raise ValueError(f"must hold at most {MAX_CERTIFICATES} certificates")
    return found


def first_expiry(pem: str) -> datetime | None:
    """When the first of the certificates expires; ``None`` when the text cannot be read."""
    try:
        return min(each.not_valid_after_utc for each in certificates_in(pem))
    except ValueError:
        return None


def check_authorities(pem: str, *, now: datetime, known: Collection[x509.Certificate] = ()) -> None:
    """Raise ``ValueError`` when every certificate has expired and one of them is not ``known``."""
    found = certificates_in(pem)
    if any(each.not_valid_after_utc > now for each in found):
        return
    if any(each not in known for each in found):
        raise ValueError("every certificate in it has expired")


def check_client(
    chain_pem: str, *, now: datetime, known: Collection[x509.Certificate] = ()
) -> None:
    """Raise ``ValueError`` unless the first certificate of the chain is valid now or ``known``."""
    leaf = certificates_in(chain_pem)[0]
    if leaf in known:
        return
    if leaf.not_valid_after_utc <= now:
        raise ValueError(f"expired on {leaf.not_valid_after_utc:%Y-%m-%d}")
    if leaf.not_valid_before_utc > now:
        raise ValueError(f"is not valid before {leaf.not_valid_before_utc:%Y-%m-%d}")


def check_key(key_pem: str, chain_pem: str) -> None:
    """Raise ``ValueError`` unless the text is the unencrypted key of the chain's first certificate."""
    try:
        key = load_pem_private_key(key_pem.encode(), password=None)
    except TypeError as error:
        raise ValueError("is encrypted; enter it without a pass phrase") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("is not a private key in PEM form") from error
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    try:
        of_certificate = certificates_in(chain_pem)[0].public_key().public_bytes(*form)
    except UnsupportedAlgorithm as error:
        raise ValueError("belongs to a certificate whose kind of key is not known") from error
    if key.public_key().public_bytes(*form) != of_certificate:
        raise ValueError("is not the key of client_certificate")


def read_pin(text: str) -> str:
    """A SHA-256 as lower-case hex, from hex with or without colons, or base64. Raises ``ValueError``.

    A prefix such as ``sha256/`` (RFC 7469's ``pin-sha256`` values are written so) is left out.
    """
    plain = text.strip()
    found = _HEX.fullmatch(plain.replace(":", "") if plain.count(":") >= _PIN_BYTES - 1 else plain)
    if found is not None:
        return found[1].lower()
    encoded = _BASE64.fullmatch(plain)
    if encoded is not None:
        try:
            raw = base64.b64decode(encoded[1], validate=True)
        except binascii.Error:
            raw = b""
        if len(raw) == _PIN_BYTES:
            return raw.hex()
    raise ValueError("must be a SHA-256 as 64 hexadecimal digits or in base64")
