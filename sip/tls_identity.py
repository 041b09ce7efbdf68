"""Who we are to a TLS peer that asks for a client certificate, and which peer we take for itself."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["ClientCertificate"]


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate with its intermediates, leaf first, and its unencrypted key, both as PEM."""

    chain_pem: str
    key_pem: str = field(repr=False)
