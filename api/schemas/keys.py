"""Bodies of the API key routes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.organizations import OrganizationView
from api.validation import RequestModel
from storage.api_keys import KEY_PREFIX
from storage.tables import Role

__all__ = [
    "EXAMPLE_CREATED_KEY",
    "EXAMPLE_KEY",
    "CreatedKeyView",
    "KeyDraft",
    "KeyList",
    "KeyView",
    "MeView",
]

EXAMPLE_KEY: dict[str, Any] = {
    "key_id": "key_7hWc2RzKp0nLq4TbXs9VmE",
    "org_id": "org_4fJq0ZxYbT1mN8cRw2LkPa",
    "name": "provisioning",
    "role": "editor",
    "hint": "x3Qk",
    "created_at": "2026-03-09T12:00:00Z",
    "expires_at": None,
    "revoked_at": None,
}


EXAMPLE_CREATED_KEY: dict[str, Any] = {
    **EXAMPLE_KEY,
    "api_key": f"{KEY_PREFIX}EXAMPLE-EXAMPLE-EXAMPLE-EXAMPLE-EXAMPLE-x3Qk",
}


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is beyond the year 9999") from error


class KeyDraft(RequestModel):
    """A new API key."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "provisioning", "role": "editor"}]}
    )

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    role: Role
    expires_at: Annotated[
        Annotated[AwareDatetime, AfterValidator(_in_utc)] | None,
        Field(description="With a time zone, in the future; null never."),
    ] = None


class KeyView(BaseModel):
    """An API key without the key itself."""

    key_id: str
    org_id: str
    name: str
    role: Role
    hint: Annotated[str, Field(description="The key's last four characters.")]
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    revoked_at: AwareDatetime | None


class CreatedKeyView(KeyView):
    """A new API key, with the key itself: it is shown this once."""

    api_key: Annotated[str, Field(description="The key itself; store it now.")]


class KeyList(BaseModel):
    """All keys of an organization, oldest first, revoked ones included."""

    keys: list[KeyView]


class MeView(BaseModel):
    """What the caller's key is."""

    organization: OrganizationView
    role: Role
    key: KeyView
