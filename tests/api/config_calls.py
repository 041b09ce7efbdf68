"""Failover, codecs and alerts set and read by the API, for the tests of their route."""

from __future__ import annotations

from typing import Any

import httpx

from api.schemas.trunk_config import EXAMPLE_CONFIG
from storage import organizations
from storage.engine import Database
from tests.api.configured import configuration
from tests.api.tenants import Tenant

__all__ = [
    "ENDPOINT",
    "NUMBER",
    "SECOND",
    "SIBLING",
    "STANDARD",
    "WEBHOOK",
    "configure",
    "give_recipients",
    "shown",
]

NUMBER = "+14150000001"
SIBLING = "+14150000002"
WEBHOOK = "https://hooks.example.com/trunkline"
ENDPOINT = {"host": "sip1.provider.com", "port": 5061, "transport": "tls", "priority": 1}
SECOND = {"host": "sip2.provider.com", "port": 5061, "transport": "tls", "priority": 2}
STANDARD = EXAMPLE_CONFIG["alert_config"]["thresholds"]


async def configure(client: httpx.AsyncClient, tenant: Tenant, **body: Any) -> httpx.Response:
    return await client.patch(
        "/v1/sip/config",
        json={"phone_number": NUMBER, "direction": "outbound", **body},
        headers=tenant.editor,
    )


async def shown(client: httpx.AsyncClient, tenant: Tenant, number: str = NUMBER) -> dict[str, Any]:
    found: dict[str, Any] = (await configuration(client, tenant, number))["outbound"]
    return {name: found[name] for name in EXAMPLE_CONFIG}


async def give_recipients(database: Database, tenant: Tenant) -> None:
    async with database.system() as session:
        await organizations.change(
            session,
            tenant.org_id,
            alert_emails=["noc@example.com"],
            alert_phones=["+14155550100"],
            webhook_endpoints=[{"id": "whk_1", "url": WEBHOOK, "description": ""}],
        )
