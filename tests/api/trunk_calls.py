"""Trunks made, read and changed by the API, for the tests of their routes."""

from __future__ import annotations

from typing import Any

import httpx

from tests.api.configured import post
from tests.api.tenants import Tenant

__all__ = ["DRAFT", "create", "get", "patch"]

DRAFT: dict[str, Any] = {
    "name": "Acme Carrier, US East",
    "provider": "custom",
    "direction": "both",
    "sip_endpoint": "trunk.acme.example",
    "auth_mode": "register",
    "register_auth": {"username": "acme", "password": "canary-register"},
    "headers": {"X-Account": "acme"},
    "options": {"sip_username": "acme", "sip_password": "canary-call", "port": 5080},
}


async def create(client: httpx.AsyncClient, tenant: Tenant, **fields: Any) -> dict[str, Any]:
    answer = await post(client, tenant, "trunks", **{**DRAFT, **fields})
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def get(client: httpx.AsyncClient, tenant: Tenant, trunk_id: str) -> dict[str, Any]:
    answer = await client.get(f"/v1/sip/trunks/{trunk_id}", headers=tenant.viewer)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def patch(
    client: httpx.AsyncClient, tenant: Tenant, trunk_id: str, **changes: Any
) -> httpx.Response:
    return await client.patch(f"/v1/sip/trunks/{trunk_id}", json=changes, headers=tenant.editor)
