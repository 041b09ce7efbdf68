"""Our client certificate given to OpenSSL, and the pin that a peer's certificate is held against."""

from __future__ import annotations

import hashlib
import os
import ssl

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sip.tls_identity import ClientCertificate

__all__ = ["load_client", "pin_problem", "pins_of"]


def load_client(context: ssl.SSLContext, client: ClientCertificate) -> None:
    """Let the context show the certificate to whoever asks. Raises ``OSError`` (``ssl.SSLError``).

    OpenSSL reads keys from files only; this one is in memory and has no name.
    """
    descriptor = os.memfd_create("client-certificate", os.MFD_CLOEXEC)
    with os.fdopen(descriptor, "wb") as file:
        file.write(f"{client.key_pem}\n{client.chain_pem}\n".encode())
        file.flush()
        # An encrypted key is refused instead of asking a terminal for its password.
        context.load_cert_chain(f"/proc/self/fd/{descriptor}", password="")


def pin_problem(connection: ssl.SSLObject | ssl.SSLSocket, pin: str | None) -> str | None:
    """Why the peer is not the pinned one; ``None`` when it is, or when there is no pin."""
    if pin is None or pin in pins_of(connection.getpeercert(binary_form=True) or b""):
        return None
    return "neither the certificate nor its public key is the pinned one"


def pins_of(der: bytes) -> frozenset[str]:
    """The pins that name a DER certificate: SHA-256 of it and of its public key, in hex."""
    try:
        key = x509.load_der_x509_certificate(der).public_key()
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return frozenset()
    return frozenset(hashlib.sha256(data).hexdigest() for data in (der, spki))
