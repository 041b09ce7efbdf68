"""Numbers that are configured, for tests of what follows from it."""

from __future__ import annotations

from typing import Any

import httpx

from api.schemas.numbers import AttachRequest
from api.services.actor import Actor
from api.services.attach import attach
from settings import Settings
from storage.engine import Database
from storage.outbound import outbound_of
from storage.secret_box import SecretBox
from tests.api.tenants import Tenant

__all__ = ["INBOUND", "OUTBOUND", "attach_number", "attached", "box_of", "configuration", "post"]

INBOUND: dict[str, Any] = {"type": "inbound", "auth_mode": "ip"}
OUTBOUND: dict[str, Any] = {
    "type": "outbound",
    "sip_endpoint": "sip:trunk.provider.com",
    "options": {"port": 5061, "transport": "tls", "secure_media": True},
}


def box_of(settings: Settings) -> SecretBox:
    """The ring of the API under test."""
    assert settings.secret_keys is not None
    return SecretBox.from_key_ring(settings.secret_keys.get_secret_value())


async def attach_number(
    database: Database, settings: Settings, org_id: str, number: str, **outbound: Any
) -> str:
    """Attach a number in both directions without the API; the id of its outbound trunk.

    ``outbound`` replaces fields of that direction.
    """
    body = AttachRequest.model_validate(
        {
            "phone_number": number,
            "service": "sip",
            "directions": [INBOUND, {**OUTBOUND, "sip_endpoint": "victim.example.com", **outbound}],
        }
    )
    async with database.tenant(org_id) as session:
        made = await attach(session, box_of(settings), org_id, body, actor=Actor("system", None))
        assert made.failed == []
        (config,) = await outbound_of(session, number)
    return config.trunk_id


async def post(
    client: httpx.AsyncClient, tenant: Tenant, action: str, **body: Any
) -> httpx.Response:
    """Call ``/v1/sip/{action}`` as an editor."""
    return await client.post(f"/v1/sip/{action}", json=body, headers=tenant.editor)


async def attached(
    client: httpx.AsyncClient, tenant: Tenant, *numbers: str, directions: Any, **body: Any
) -> dict[str, Any]:
    """What attaching answered; every number must have been read."""
    answer = await post(
        client,
        tenant,
        "attach",
        phone_numbers=list(numbers),
        directions=directions,
        service="sip",
        **body,
    )
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def configuration(client: httpx.AsyncClient, tenant: Tenant, number: str) -> dict[str, Any]:
    """A number's configuration as a viewer sees it."""
    answer = await client.get("/v1/sip", params={"phone_number": number}, headers=tenant.viewer)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data
