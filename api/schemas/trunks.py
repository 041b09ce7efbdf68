"""Bodies and answers of the trunk routes (contract 7.1 to 7.5)."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from api.schemas.number_views import Certificates, HealthStatus, RegisterPassword
from api.schemas.trunk_config import ConfigFields
from api.schemas.trunk_fields import ConnectionFields
from api.validation import absent
from domain.header_mappings import HeaderMappings
from domain.trunk import AuthMode, Direction, TrunkDirection
from domain.trunk_config import AlertConfig, CodecConfig, FailoverConfig

__all__ = [
    "EXAMPLE_TRUNK",
    "BoundNumber",
    "DeletedTrunkView",
    "HeadersInput",
    "TrunkChanges",
    "TrunkDetailView",
    "TrunkDraft",
    "TrunkItem",
    "TrunkList",
    "TrunkView",
]

EXAMPLE_TRUNK: dict[str, Any] = {
    "trunk_id": "trk_9mWc2RzKp0nLq4TbXs7VhE",
    "name": "Acme Carrier, US East",
    "provider": "custom",
    "direction": "outbound",
    "sip_endpoint": "sip:trunk.acme.example",
    "health_status": "healthy",
    "auth_mode": "ip",
    "headers": {"X-Account": "acme"},
    "options": {"sip_username": "acme", "sip_password": "********"},
    "failover_config": None,
    "codec_config": None,
    "alert_config": None,
    "revision": 3,
    "adopted_revision": 3,
    "created_at": "2026-03-09T12:00:00Z",
    "updated_at": "2026-03-09T12:00:00Z",
}

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
HeadersInput = HeaderMappings | dict[str, str]


class TrunkDraft(ConnectionFields, ConfigFields):
    """A new trunk."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Acme Carrier, US East",
                    "provider": "custom",
                    "direction": "outbound",
                    "sip_endpoint": "sip:trunk.acme.example",
                    "headers": {"X-Account": "acme"},
                }
            ]
        }
    )

    name: Name
    provider: Annotated[Label, Field(description="A free label.")] = "custom"
    direction: TrunkDirection
    headers: Annotated[
        HeadersInput | None,
        Field(description="Header names to fixed values, or mappings as attach takes them."),
    ] = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        self.must_be_whole()
        self.must_not_repeat(self.options)
        return self


class TrunkChanges(ConnectionFields, ConfigFields):
    """New values of what is given; ``options`` and the configurations are merged key by key, and
    ``null`` clears one."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"headers": {"X-Account": "acme-2"}}]}
    )

    name: Name = absent()
    provider: Label = absent()
    headers: Annotated[
        HeadersInput | None, Field(description="Replaces all of them; null or empty clears.")
    ] = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        self.must_not_repeat(self.options)
        return self


class TrunkView(BaseModel):
    """A trunk; passwords read `********`."""

    trunk_id: str
    name: str
    provider: str
    direction: TrunkDirection
    sip_endpoint: str | None
    health_status: HealthStatus
    auth_mode: AuthMode
    headers: dict[str, Any] | None
    options: dict[str, Any] | None
    certificates: Certificates = None
    failover_config: FailoverConfig | None
    codec_config: CodecConfig | None
    alert_config: AlertConfig | None
    revision: Annotated[
        int, Field(description="Grows with every change; `ETag` says the same, for `If-Match`.")
    ]
    adopted_revision: Annotated[
        int, Field(description="The newest revision that the trunk's workflow goes by.")
    ]
    created_at: AwareDatetime
    updated_at: AwareDatetime
    register_password_for_pbx: RegisterPassword = None


class TrunkItem(TrunkView):
    """One trunk of the list."""

    bound_number_count: int


class TrunkList(BaseModel):
    """The named trunks, oldest first; `next_cursor` only when `limit` was given."""

    trunks: list[TrunkItem]
    next_cursor: Annotated[
        str | None,
        Field(
            description="`cursor` of the next page; not there on the last one.",
            exclude_if=lambda cursor: cursor is None,
        ),
    ] = None


class BoundNumber(BaseModel):
    """A number, a DID or an extension, and the directions in which the trunk carries it."""

    phone_number: str
    directions: list[Direction]


class TrunkDetailView(TrunkView):
    """A trunk with everything that is bound to it."""

    bound_numbers: list[BoundNumber]


class DeletedTrunkView(BaseModel):
    """The trunk is gone; its numbers keep working with the settings that it had."""

    trunk_id: str
    unbound_number_count: int
