"""Answers of the routes that configure numbers (contract 3.1 to 3.5)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from domain.trunk import Direction
from domain.trunk_config import AlertConfig, CodecConfig, FailoverConfig

__all__ = [
    "EXAMPLE_ATTACHED",
    "EXAMPLE_CONFIGURATION",
    "EXAMPLE_NUMBERS",
    "AttachView",
    "Certificates",
    "CertificatesView",
    "ConfigurationView",
    "FailedNumber",
    "HealthStatus",
    "NumberItem",
    "NumberList",
    "NumberView",
    "PasswordView",
    "RegistrationView",
    "UpdatedNumberView",
]

EXAMPLE_ATTACHED: dict[str, Any] = {
    "configured": ["+14150000001", "+14150000002"],
    "failed": [
        {
            "phone_number": "(415) 555-0100",
            "error": "INVALID_NUMBER",
            "message": '"(415) 555-0100" is not written as E.164: + and digits only, such as '
            "+14155550100. Did you mean +14155550100?",
        }
    ],
}

_EXAMPLE_OUTBOUND: dict[str, Any] = {
    "number": "+14150000000",
    "id": "cfg_5kLq0ZxYbT1mN8cRw2HdPa",
    "org_id": "org_4fJq0ZxYbT1mN8cRw2LkPa",
    "direction": "outbound",
    "sip_endpoint": "sip:trunk.provider.com",
    "health_status": "healthy",
    "created_at": "2026-03-09T12:00:00Z",
    "updated_at": "2026-03-09T12:00:00Z",
    "headers": None,
    "options": {"port": 5061, "transport": "tls", "secure_media": True},
    "trunk_id": "trk_9mWc2RzKp0nLq4TbXs7VhE",
    "failover_config": None,
    "codec_config": None,
    "alert_config": None,
}
_EXAMPLE_INBOUND: dict[str, Any] = {
    **_EXAMPLE_OUTBOUND,
    "id": "cfg_1pXc7RzKp0nLq4TbXs9VmE",
    "direction": "inbound",
    "sip_endpoint": None,
    "health_status": "unchecked",
    "options": {"auth_mode": "ip"},
    "trunk_id": "trk_3dTn8RzKp0nLq4TbXs9VmE",
}
EXAMPLE_CONFIGURATION: dict[str, Any] = {
    "inbound": _EXAMPLE_INBOUND,
    "outbound": _EXAMPLE_OUTBOUND,
    "inbound_configs": [_EXAMPLE_INBOUND],
    "outbound_configs": [_EXAMPLE_OUTBOUND],
}

EXAMPLE_NUMBERS: dict[str, Any] = {
    "numbers": [
        {
            "phone_number": "+14150000000",
            "directions": ["inbound", "outbound"],
            "sip_endpoint": "sip:trunk.provider.com",
            "health_status": "healthy",
        },
        {
            "phone_number": "+14150000001",
            "directions": ["inbound"],
            "sip_endpoint": None,
            "health_status": "unchecked",
        },
    ]
}


HealthStatus = Annotated[
    str,
    Field(
        description="healthy, unreachable or unchecked, as the best address of its trunk; "
        "`/v1/sip/status` and `/v1/sip/trunks/{trunk_id}/health` say more.",
    ),
]


class FailedNumber(BaseModel):
    """A number that was not configured, and why; nothing of it changed."""

    phone_number: str = Field(description="As it was sent.")
    error: str = Field(description="INVALID_NUMBER, NUMBER_UNAVAILABLE or CONFIG_LIMIT.")
    message: str


RegisterPassword = Annotated[
    str | None,
    Field(
        description="To be typed into the PBX. Only with registration, and never shown again.",
        exclude_if=lambda password: password is None,
    ),
]


class AttachView(BaseModel):
    """What became of each number."""

    configured: list[str] = Field(description="As stored: E.164 with +, or verbatim.")
    failed: list[FailedNumber]
    register_password_for_pbx: RegisterPassword = None


class RegistrationView(BaseModel):
    """Where the registration of a configuration stands."""

    state: str = Field(description="`no_registrar`, or `not_started`: nothing registers yet.")
    registrar: str | None = Field(description="Where REGISTER goes.")
    reason: str


class CertificatesView(BaseModel):
    """When the first certificate of each list expires; `null` without the list."""

    ca_expires_at: AwareDatetime | None
    client_expires_at: AwareDatetime | None


Certificates = Annotated[
    CertificatesView | None,
    Field(
        description="Only where the trunk has certificates of its own.",
        exclude_if=lambda found: found is None,
    ),
]


class ConfigurationView(BaseModel):
    """One configuration of a number; passwords read `********`."""

    number: str
    id: str
    org_id: str
    direction: Direction
    sip_endpoint: str | None
    health_status: HealthStatus
    created_at: AwareDatetime
    updated_at: AwareDatetime
    headers: dict[str, Any] | None
    options: dict[str, Any] | None
    trunk_id: str
    failover_config: FailoverConfig | None
    codec_config: CodecConfig | None
    alert_config: AlertConfig | None
    certificates: Certificates = None
    registration: Annotated[
        RegistrationView | None, Field(exclude_if=lambda found: found is None)
    ] = None


class NumberView(BaseModel):
    """A number's configurations: of each direction the first to be used, and all in route order."""

    inbound: ConfigurationView | None
    outbound: ConfigurationView | None
    inbound_configs: list[ConfigurationView]
    outbound_configs: list[ConfigurationView]


class UpdatedNumberView(NumberView):
    """The configurations after an update."""

    register_password_for_pbx: RegisterPassword = None


class NumberItem(BaseModel):
    """One number in the list."""

    phone_number: str
    directions: list[Direction]
    sip_endpoint: str | None = Field(description="Of the first outbound configuration.")
    health_status: HealthStatus


class NumberList(BaseModel):
    """Numbers by their text; `next_cursor` only when `limit` was given."""

    numbers: list[NumberItem]
    next_cursor: Annotated[
        str | None,
        Field(
            description="`cursor` of the next page; not there on the last one.",
            exclude_if=lambda cursor: cursor is None,
        ),
    ] = None


class PasswordView(BaseModel):
    """A random password; it is kept nowhere."""

    password: str
    length: int
