"""What is probed, and what makes two probes the same one.

A name (host, perhaps port and transport) is resolved to targets (address, port, transport) by
RFC 3263. Both carry the profile of the request, because a peer may answer another request
otherwise. Ids are made of what they name: whoever configures the same probe gets the same id, and
with it the same state, without having to look it up.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from domain.base62 import base62
from sip.transports import Transport

__all__ = [
    "SHARDS",
    "NameIdentity",
    "ProbeProfile",
    "TargetIdentity",
    "shard_of",
    "tls_difference",
]

SHARDS: Final = 64
"""Logical shards; a constant of every installation, since ids were placed by it."""

DIGEST_BYTES: Final = 16
"""128 bits: as base 62 these are the 22 characters of every other id."""


@dataclass(frozen=True, slots=True)
class ProbeProfile:
    """How the request is made.

    ``domain`` is the SIP domain of Request-URI, SNI and certificate, ``from_uri`` what From holds
    instead of our own address. ``tls`` is "" for the usual verification, else a digest of what
    differs (``tls_difference``). ``org_id`` is set when the connection uses what belongs to one
    organization (a client certificate, an authority, a pin): such a target is not shared.
    """

    domain: str
    from_uri: str | None = None
    tls: str = ""
    org_id: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As an object; what has its default is left out."""
        said: dict[str, Any] = {"domain": self.domain}
        if self.from_uri is not None:
            said["from_uri"] = self.from_uri
        if self.tls:
            said["tls"] = self.tls
        if self.org_id is not None:
            said["org_id"] = self.org_id
        return said

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> ProbeProfile:
        """Read what ``to_json`` made; keys that are not known are ignored."""
        from_uri, org_id = said.get("from_uri"), said.get("org_id")
        return cls(
            domain=str(said["domain"]),
            from_uri=None if from_uri is None else str(from_uri),
            tls=str(said.get("tls", "")),
            org_id=None if org_id is None else str(org_id),
        )


@dataclass(frozen=True, slots=True)
class NameIdentity:
    """A host as it was configured, lower case, an IPv6 address without brackets.

    What is ``None`` RFC 3263 chooses.
    """

    host: str
    port: int | None
    transport: Transport | None
    profile: ProbeProfile

    @property
    def name_id(self) -> str:
        return _id("nam", self.host, self.port, self.transport, self.profile)


@dataclass(frozen=True, slots=True)
class TargetIdentity:
    """One address that is probed over one transport; an IPv6 address without brackets."""

    address: str
    port: int
    transport: Transport
    profile: ProbeProfile

    @property
    def target_id(self) -> str:
        return _id("tgt", self.address, self.port, self.transport, self.profile)


def shard_of(any_id: str) -> int:
    """The shard of an id: the same everywhere, and evenly spread."""
    return int.from_bytes(hashlib.sha256(any_id.encode()).digest()[:8], "big") % SHARDS


def tls_difference(
    *,
    exact_names: bool = False,
    ca_pem: str | None = None,
    pin: str | None = None,
    client_chain: str | None = None,
) -> str:
    """What ``ProbeProfile.tls`` says of a connection: "" when nothing differs from the usual.

    ``client_chain`` is the public part of a client certificate. No secret goes in.
    """
    if not exact_names and ca_pem is None and pin is None and client_chain is None:
        return ""
    return _digest([exact_names, ca_pem, pin, client_chain])


def _id(
    prefix: str, host: str, port: int | None, transport: Transport | None, profile: ProbeProfile
) -> str:
    parts = [host.lower(), port, transport, profile.domain.lower()]
    rest = [profile.from_uri, profile.tls, profile.org_id]
    return f"{prefix}_{_digest([*parts, *rest])}"


def _digest(parts: list[Any]) -> str:
    said = json.dumps(parts, separators=(",", ":")).encode()
    return base62(hashlib.sha256(said).digest()[:DIGEST_BYTES])
