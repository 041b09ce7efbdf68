"""A trunk with endpoints that were seen, and its health as the API shows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from domain.probe_target import ProbeProfile, TargetIdentity, shard_of
from sip.transports import Transport
from storage.engine import Database
from storage.health_config import ResolvedTarget, write_resolution
from tests.api.configured import attached
from tests.api.tenants import Tenant
from tests.api.watched import NUMBER, Watched, outbound, watched
from tests.storage.health_rows import fences_of

FAILOVER: dict[str, Any] = {
    "failover_config": {
        "endpoints": [{"host": "192.0.2.20", "port": 5070, "transport": "tcp", "priority": 2}]
    }
}


async def get(
    client: httpx.AsyncClient, tenant: Tenant, trunk: Watched, part: str = "", **query: Any
) -> dict[str, Any]:
    answer = await client.get(
        f"/v1/sip/trunks/{trunk.trunk_id}/health{part}", params=query, headers=tenant.viewer
    )
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def with_failover(client: httpx.AsyncClient, database: Database, tenant: Tenant) -> Watched:
    await attached(client, tenant, NUMBER, directions=[outbound()])
    answer = await client.patch(
        "/v1/sip/config",
        json={"phone_number": NUMBER, "direction": "outbound", **FAILOVER},
        headers=tenant.editor,
    )
    assert answer.status_code == 200, answer.text
    return await watched(client, database, tenant, {"type": "inbound"})


async def resolve(
    database: Database, trunk: Watched, *addresses: str, error: str | None = None
) -> None:
    (name,) = trunk.names
    fences = await fences_of(database, name)
    shard = shard_of(name.name_id)
    found = [
        ResolvedTarget(
            TargetIdentity(address, 5061, Transport.TLS, ProbeProfile(name.host)), 10, weight
        )
        for weight, address in enumerate(addresses)
    ]
    async with database.system() as session:
        await write_resolution(
            session,
            shard,
            fences[shard],
            name.name_id,
            error or found,
            now=datetime.now(UTC),
            ttl=timedelta(minutes=5),
        )
