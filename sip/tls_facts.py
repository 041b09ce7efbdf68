"""What a TLS handshake showed of the peer, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

__all__ = ["CertificateFacts", "TlsFacts"]


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """One certificate: names as text, times as aware UTC, SHA-256 of the DER in hex."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    fingerprint: str


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """What a TLS connection showed of its peer.

    ``verifies`` says chain and name are good; ``problem`` is the reason when they are not.
    """

    version: str
    cipher: str
    chain: tuple[CertificateFacts, ...] = ()
    verifies: bool = False
    problem: str | None = None
    notes: tuple[str, ...] = field(default=())
