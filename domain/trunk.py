"""Trunks: how a customer's carrier or PBX is reached, and how it reaches us (contract 3.2, 7).

A profile holds everything but the passwords, so it may be shown, compared and logged.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from domain.call_settings import CallerId, IdentityHeader, MediaSecurity, NumberFormat
from domain.codecs import Codec
from domain.destination import Destination, parse_destination
from domain.health_rule import HealthRule
from domain.trunk_config import AlertConfig, CodecConfig, FailoverConfig
from sip.transports import Transport

__all__ = [
    "DEFAULT_CODECS",
    "MAX_CONFIGURATIONS",
    "AuthMode",
    "Direction",
    "Endpoint",
    "TrunkDirection",
    "TrunkOptions",
    "TrunkProfile",
    "TrunkSecrets",
]

MAX_CONFIGURATIONS: Final = 10
"""Configurations of one number, both directions together (contract section 2)."""

DEFAULT_CODECS: Final = (Codec.PCMU, Codec.PCMA, Codec.OPUS)


class Direction(StrEnum):
    """Of a call, seen from the platform."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class TrunkDirection(StrEnum):
    """Calls that a trunk carries."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    BOTH = "both"

    def serves(self, direction: Direction) -> bool:
        """Whether numbers can be bound to the trunk for this direction."""
        return self is TrunkDirection.BOTH or self.value == direction.value


class AuthMode(StrEnum):
    """How the customer's side knows us: by our addresses, or by a REGISTER that we send."""

    IP = "ip"
    REGISTER = "register"


class TrunkOptions(BaseModel):
    """What was set; an option that is ``None`` has its default.

    ``port`` and ``transport`` win over those inside the endpoint. ``sip_realm`` pins the digest
    realm that is answered, ``minimum_digest`` is a name of ``sip.digest.Algorithm``, ``codecs``
    are the enabled ones in order; ``transcode`` is set beside them (contract 5.5).
    ``certificate_pin`` is the SHA-256 of the peer's certificate or public key in hex,
    ``client_certificate`` our own chain for this peer as PEM, leaf first. ``health_check`` is how
    the trunk's endpoints are judged.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    port: Annotated[int | None, Field(ge=1, le=65535)] = None
    transport: Transport | None = None
    secure_media: bool | None = None
    sip_username: str | None = None
    sip_realm: str | None = None
    minimum_digest: str | None = None
    caller_id: CallerId | None = None
    identity_header: IdentityHeader | None = None
    number_format: NumberFormat | None = None
    from_domain: str | None = None
    codecs: tuple[Codec, ...] | None = None
    transcode: bool | None = None
    exact_tls_names: bool | None = None
    ca_pem: str | None = None
    certificate_pin: str | None = None
    client_certificate: str | None = None
    health_check: HealthRule | None = None


@dataclass(frozen=True, slots=True)
class TrunkSecrets:
    """The passwords of a trunk: of its calls (digest), and of the registration as it was typed;
    and the key of its client certificate as PEM."""

    sip_password: str | None = field(default=None, repr=False)
    register_password: str | None = field(default=None, repr=False)
    client_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where calls of a trunk go: the endpoint with the options over it and the defaults under it.

    Without ``transport`` RFC 3263 selects one.
    """

    host: str
    port: int | None
    transport: Transport | None
    media: MediaSecurity


class TrunkProfile(BaseModel):
    """Everything of a trunk but its name and its passwords.

    ``sip_endpoint`` is a SIP URI as ``domain.destination`` normalizes it. ``headers`` is the
    contract's object (3.7) or a flat map of header names to values (7.1).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    direction: TrunkDirection
    sip_endpoint: str | None = None
    auth_mode: AuthMode = AuthMode.IP
    register_username: str | None = None
    options: TrunkOptions = TrunkOptions()
    headers: dict[str, Any] | None = None
    failover: FailoverConfig | None = None
    alerts: AlertConfig | None = None

    @property
    def codecs(self) -> CodecConfig | None:
        """The codecs that were set, with the defaults under them; ``None`` when none were."""
        if self.options.codecs is None and self.options.transcode is None:
            return None
        return CodecConfig(
            codecs=self.options.codecs or DEFAULT_CODECS,
            transcode=bool(self.options.transcode),
        )

    @property
    def destination(self) -> Destination | None:
        """The endpoint, read."""
        if self.sip_endpoint is None:
            return None
        return parse_destination(self.sip_endpoint).parsed

    @property
    def endpoint(self) -> Endpoint | None:
        """Where calls go; ``None`` without an endpoint. TLS encrypts media unless told not to."""
        destination = self.destination
        if destination is None:
            return None
        return self._at(
            destination.host,
            self.options.port or destination.port,
            self.options.transport or destination.transport,
        )

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where calls may go, the first to try first: the endpoint, then those of the failover that
        is enabled, by their priority. One that is the endpoint again is not repeated."""
        primary = self.endpoint
        if primary is None:
            return ()
        if self.failover is None or not self.failover.enabled:
            return (primary,)
        others = (
            self._at(each.host, each.port, each.transport)
            for each in sorted(self.failover.endpoints, key=lambda each: each.priority)
        )
        return tuple(dict.fromkeys((primary, *others)))

    def _at(self, host: str, port: int | None, transport: Transport | None) -> Endpoint:
        secure = self.options.secure_media
        if secure is None:
            secure = transport is Transport.TLS
        media = MediaSecurity.SRTP if secure else MediaSecurity.PLAIN
        return Endpoint(host=host, port=port, transport=transport, media=media)

    def canonical(self, secrets: TrunkSecrets) -> bytes:
        """The same bytes for the same connection, and other bytes for any other one.

        Holds the passwords: feed it to a keyed hash and drop it.
        """
        said = self.model_dump(mode="json", exclude_none=True)
        said["secrets"] = [secrets.sip_password, secrets.register_password]
        if secrets.client_key is not None:
            said["client_key"] = secrets.client_key
        return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
