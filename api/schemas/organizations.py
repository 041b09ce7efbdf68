"""Bodies of the organization routes."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.common import Entitlement, Region
from api.schemas.quiet_hours import EXAMPLE_QUIET_HOURS, QuietHoursInput, QuietHoursView
from api.schemas.recipients import (
    AlertEmails,
    AlertPhones,
    WebhookEndpoints,
    WebhookEndpointView,
)
from api.validation import RequestModel, absent

__all__ = [
    "EXAMPLE_ORGANIZATION",
    "EntitlementsInput",
    "OrganizationChanges",
    "OrganizationDraft",
    "OrganizationList",
    "OrganizationView",
    "SigningSecretView",
]

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    Field(description="For people; need not be unique."),
]
QuietHours = Annotated[
    QuietHoursInput | None,
    Field(description="When alerts that can wait are not told; `null`: never."),
]
Entitlements = Annotated[
    list[Entitlement], Field(max_length=len(Entitlement), description="`SIP` opens /v1/sip.")
]

EXAMPLE_ORGANIZATION: dict[str, Any] = {
    "org_id": "org_4fJq0ZxYbT1mN8cRw2LkPa",
    "name": "Example Telecom",
    "region": "us",
    "region_name": "US1",
    "entitlements": ["SIP"],
    "alert_emails": ["noc@example.com"],
    "alert_phones": ["+14155550100"],
    "webhook_endpoints": [
        {
            "webhook_id": "whk_9sVt3QeUo6yHd1BgXn5MiC",
            "url": "https://hooks.example.com/trunkline",
            "description": "pager",
            "format": "standard",
        }
    ],
    "quiet_hours": EXAMPLE_QUIET_HOURS,
    "signing_secret_set_at": None,
    "created_at": "2026-03-09T12:00:00Z",
    "updated_at": "2026-03-09T12:00:00Z",
}


class OrganizationDraft(RequestModel):
    """A new organization."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Example Telecom",
                    "region": "us",
                    "entitlements": ["SIP"],
                    "alert_emails": ["noc@example.com"],
                    "webhook_endpoints": [{"url": "https://hooks.example.com/trunkline"}],
                    "quiet_hours": EXAMPLE_QUIET_HOURS,
                }
            ]
        }
    )

    name: Name
    region: Region = Region.US
    entitlements: Entitlements = Field(default_factory=list)
    alert_emails: AlertEmails = Field(default_factory=list)
    alert_phones: AlertPhones = Field(default_factory=list)
    webhook_endpoints: WebhookEndpoints = Field(default_factory=list)
    quiet_hours: QuietHours = None


class OrganizationChanges(RequestModel):
    """What to change; a field that is left out stays as it is, a list is replaced as a whole.

    Editors change the recipients and quiet hours of their own organization; the rest is for operators.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"alert_emails": ["noc@example.com", "oncall@example.com"]}]
        }
    )

    name: Name = absent()
    region: Region = absent()
    entitlements: Entitlements = absent()
    alert_emails: AlertEmails = absent()
    alert_phones: AlertPhones = absent()
    webhook_endpoints: WebhookEndpoints = absent()
    quiet_hours: QuietHours = absent()


class EntitlementsInput(RequestModel):
    """The complete list of entitlements."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"entitlements": ["SIP"]}]})

    entitlements: Entitlements


class OrganizationView(BaseModel):
    """An organization. Its signing secret is never shown again; only when it was set is."""

    org_id: str
    name: str
    region: Region
    region_name: Annotated[str, Field(description="The region as firewall lists name it.")]
    entitlements: list[Entitlement]
    alert_emails: list[str]
    alert_phones: list[str]
    webhook_endpoints: list[WebhookEndpointView]
    quiet_hours: QuietHoursView | None
    signing_secret_set_at: AwareDatetime | None
    created_at: AwareDatetime
    updated_at: AwareDatetime


class OrganizationList(BaseModel):
    """A page of organizations, by id."""

    organizations: list[OrganizationView]
    next_cursor: Annotated[str | None, Field(description="Give it as `cursor`; null at the end.")]


class SigningSecretView(BaseModel):
    """A new signing secret, shown this once."""

    signing_secret: Annotated[str, Field(description="`whsec_` and the base64 of 32 random bytes.")]
    set_at: AwareDatetime
