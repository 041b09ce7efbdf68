"""Configurations exported and applied by the API, for the tests of their routes."""

from __future__ import annotations

from typing import Any

import httpx
from sqlalchemy import text

from storage.engine import Database
from tests.api.configured import INBOUND, OUTBOUND, attached
from tests.api.tenants import Tenant
from tests.api.trunk_calls import create

__all__ = ["URL", "applied", "configured", "document", "error", "export", "put", "rows"]

URL = "/v1/sip/state"


async def export(client: httpx.AsyncClient, tenant: Tenant) -> httpx.Response:
    answer = await client.get(URL, headers=tenant.viewer)
    assert answer.status_code == 200, answer.text
    return answer


async def document(client: httpx.AsyncClient, tenant: Tenant) -> dict[str, Any]:
    """What is configured."""
    found: dict[str, Any] = (await export(client, tenant)).json()["data"]
    return found


async def put(
    client: httpx.AsyncClient,
    tenant: Tenant,
    body: Any,
    *,
    dry_run: bool = False,
    if_match: str | None = None,
    key: str | None = None,
) -> httpx.Response:
    headers = dict(tenant.editor)
    if if_match is not None:
        headers["If-Match"] = if_match
    if key is not None:
        headers["Idempotency-Key"] = key
    params = {"dry_run": "true"} if dry_run else {}
    return await client.put(URL, json=body, params=params, headers=headers)


async def applied(
    client: httpx.AsyncClient, tenant: Tenant, trunks: list[Any], numbers: list[Any]
) -> dict[str, Any]:
    """What applying the document answered."""
    answer = await put(client, tenant, {"version": 1, "trunks": trunks, "numbers": numbers})
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def error(answer: httpx.Response) -> tuple[int, str, str | None]:
    """Status, code and field of the first refusal."""
    first = answer.json()["errors"][0]
    return answer.status_code, first["error"], first.get("field")


async def configured(client: httpx.AsyncClient, tenant: Tenant) -> str:
    """A registering trunk with passwords, numbers on it, and numbers of their own; the trunk's id."""
    trunk = await create(client, tenant)
    trunk_id = str(trunk["trunk_id"])
    both = [{"type": "inbound"}, {"type": "outbound"}]
    await attached(client, tenant, "+14150000001", "2001", directions=both, trunk_id=trunk_id)
    private = {
        **OUTBOUND,
        "options": {"sip_username": "bob", "sip_password": "canary-bob", "port": 5070},
    }
    await attached(client, tenant, "+14150000002", "+14150000003", directions=[INBOUND, private])
    await attached(client, tenant, "+14150000001", directions=[OUTBOUND])
    return trunk_id


async def rows(database: Database, tenant: Tenant) -> dict[str, list[str]]:
    """Everything that configures, as it is stored."""
    async with database.tenant(tenant.org_id) as session:
        found = {}
        for table in ("trunks", "number_bindings", "inbound_numbers", "outbox", "audit_log"):
            query = text(f"SELECT to_jsonb(t)::text FROM {table} t")
            found[table] = sorted(await session.scalars(query))
        return found
