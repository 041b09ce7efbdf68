"""Fields that every request to configure a number or a trunk shares (contract 3.2, 3.7)."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, SecretStr, StrictBool
from pydantic_core import PydanticCustomError

from api.schemas.health_check import HealthCheckInput
from api.validation import RequestModel
from domain.call_settings import CallerId, IdentityHeader, NumberFormat
from domain.certificates import certificates_in, read_pin
from domain.codecs import Codec, parse_codec
from domain.destination import parse_destination
from domain.host_names import InvalidDestination, parse_host
from domain.passwords import MAX_LENGTH, MIN_LENGTH
from domain.trunk import AuthMode
from sip.digest_algorithms import Algorithm
from sip.transports import Transport

__all__ = [
    "REDACTED",
    "CodecNames",
    "ConnectionFields",
    "HostName",
    "OptionsInput",
    "RegisterAuthInput",
    "SipEndpoint",
    "UserName",
    "misplaced",
]

REDACTED: Final = "********"
"""Stands for a password in every answer."""

MAX_ENDPOINT = 1024
MAX_USER = 128
MAX_REALM = 255
MAX_CA_PEM = 65_536
MAX_KEY_PEM = 16_384
MAX_PIN = 128


def _endpoint(text: str) -> str:
    parsed = parse_destination(text)
    if parsed.parsed is None:
        words = " ".join(part for part in (parsed.message, parsed.suggestion) if part)
        raise ValueError(words or "is not a SIP URI, a host name or an IP address")
    return parsed.parsed.normalized


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must not hold control characters or line breaks")
    return text


def _host(text: str) -> str:
    try:
        return parse_host(text).text
    except InvalidDestination as error:
        raise ValueError(error.message) from error


def _codecs(names: list[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        codec = parse_codec(name)
        if codec is None:
            known = ", ".join(each.value for each in Codec)
            raise ValueError(f"a codec is one of {known}")
        if codec.value in found:
            raise ValueError(f"{codec.value} is there twice")
        found.append(codec.value)
    return found


def _algorithm(name: str) -> str:
    algorithm = Algorithm.named(name)
    if algorithm is None:
        raise ValueError(f"must be one of {', '.join(each.value for each in Algorithm)}")
    return algorithm.value


def _certificates(text: str) -> str:
    certificates_in(text)
    return text


def _password(value: SecretStr) -> SecretStr:
    _one_line(value.get_secret_value())
    return value


SipEndpoint = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_ENDPOINT,
        description="A SIP URI, a host name or an address.",
        examples=["sip:trunk.provider.com"],
    ),
    AfterValidator(_endpoint),
]
HostName = Annotated[str, Field(max_length=MAX_REALM), AfterValidator(_host)]
CodecNames = Annotated[list[str], Field(min_length=1, max_length=16), AfterValidator(_codecs)]
UserName = Annotated[str, Field(min_length=1, max_length=MAX_USER), AfterValidator(_one_line)]
Password = Annotated[
    SecretStr, Field(min_length=1, max_length=MAX_LENGTH), AfterValidator(_password)
]
RegisterPassword = Annotated[
    SecretStr, Field(min_length=MIN_LENGTH, max_length=MAX_LENGTH), AfterValidator(_password)
]


class RegisterAuthInput(RequestModel):
    """Credentials of the registration. The PBX gets a password derived from this one."""

    username: UserName
    password: RegisterPassword


class OptionsInput(RequestModel):
    """``options`` of a direction. ``null`` is the same as leaving a field out when attaching, and
    clears it when updating."""

    port: Annotated[
        int | None,
        Field(ge=1, le=65535, strict=True, description="Wins over a port inside sip_endpoint."),
    ] = None
    transport: Annotated[Transport | None, Field(description="Default: what RFC 3263 selects.")] = (
        None
    )
    secure_media: Annotated[
        StrictBool | None, Field(description="SRTP. Default: true on TLS, else false.")
    ] = None
    sip_username: Annotated[UserName | None, Field(description="For digest on INVITE.")] = None
    sip_password: Annotated[Password | None, Field(description="For digest on INVITE.")] = None
    sip_realm: Annotated[
        Annotated[str, Field(min_length=1, max_length=MAX_REALM), AfterValidator(_one_line)] | None,
        Field(description="Answer digest challenges of this realm only. Default: of any."),
    ] = None
    minimum_digest: Annotated[
        Annotated[str, AfterValidator(_algorithm)] | None,
        Field(description="Weakest digest algorithm that is answered, such as SHA-256."),
    ] = None
    caller_id: Annotated[CallerId | None, Field(description="User part of From.")] = None
    identity_header: Annotated[
        IdentityHeader | None, Field(description="Header that asserts the number (RFC 3325).")
    ] = None
    number_format: Annotated[
        NumberFormat | None, Field(description="How E.164 numbers are written on the wire.")
    ] = None
    from_domain: Annotated[
        HostName | None,
        Field(description="Host part of From. Default: the source address."),
    ] = None
    codecs: Annotated[
        CodecNames | None,
        Field(description="Enabled codecs in order. Default: PCMU, PCMA, Opus."),
    ] = None
    exact_tls_names: Annotated[
        StrictBool | None, Field(description="Refuse wildcard certificates.")
    ] = None
    ca_pem: Annotated[
        Annotated[str, Field(max_length=MAX_CA_PEM), AfterValidator(_certificates)] | None,
        Field(description="Certification authorities of the peer, beside the system's."),
    ] = None

    certificate_pin: Annotated[
        Annotated[str, Field(max_length=MAX_PIN), AfterValidator(read_pin)] | None,
        Field(
            description="SHA-256 of the peer's certificate or of its public key, in hex or base64. "
            "Asked for beside a chain and a name that verify.",
        ),
    ] = None
    client_certificate: Annotated[
        Annotated[str, Field(max_length=MAX_CA_PEM), AfterValidator(_certificates)] | None,
        Field(description="PEM of our certificate for a peer that demands one, leaf first."),
    ] = None
    client_key: Annotated[
        Annotated[SecretStr, Field(min_length=1, max_length=MAX_KEY_PEM)] | None,
        Field(description="Unencrypted private key of client_certificate, as PEM."),
    ] = None
    health_check: Annotated[
        HealthCheckInput | None,
        Field(description="How endpoints are judged; replaced as a whole. Default: standard."),
    ] = None

    def settings(self) -> dict[str, Any]:
        """The fields that came, as JSON, without the secrets."""
        given: dict[str, Any] = self.model_dump(
            mode="json", exclude_unset=True, exclude={"sip_password", "client_key"}
        )
        return given


class ConnectionFields(RequestModel):
    """How a carrier or a PBX is connected, whether for a number or for a trunk."""

    sip_endpoint: Annotated[
        SipEndpoint | None, Field(description="`sip:host` or `host`, with port and transport.")
    ] = None
    auth_mode: Annotated[AuthMode | None, Field(description="Default: ip.")] = None
    register_auth: Annotated[
        RegisterAuthInput | None, Field(description="Needed when auth_mode is register.")
    ] = None
    options: OptionsInput | None = None

    def must_be_whole(self, place: str = "") -> None:
        """For a connection that is made: refuse credentials of which a part is missing."""
        if self.auth_mode is AuthMode.REGISTER and self.register_auth is None:
            raise misplaced(f"{place}register_auth", "auth_mode register needs one")
        if self.auth_mode is not AuthMode.REGISTER and self.register_auth is not None:
            raise misplaced(f"{place}register_auth", "needs auth_mode register")
        given = self.options
        if given is not None and given.sip_password is not None and given.sip_username is None:
            raise misplaced(f"{place}options.sip_username", "a sip_password needs one")


def misplaced(place: str, message: str) -> PydanticCustomError:
    """A refusal that names the field inside of the model that was checked."""
    # The text is a template; what came from outside goes in as a value.
    return PydanticCustomError("misplaced", "{text}", {"text": message, "place": place})
