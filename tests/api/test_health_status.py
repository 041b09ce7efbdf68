"""``health_status`` of numbers and trunks follows the states of what is probed."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from domain.health import HealthState
from storage.engine import Database
from tests.api.configured import INBOUND, attached, configuration
from tests.api.tenants import Tenant
from tests.api.trunk_calls import create, get, patch
from tests.api.watched import NUMBER, Watched, outbound, watch, watched

OTHER = "+14155550171"


async def listed(
    client: httpx.AsyncClient, tenant: Tenant, **query: Any
) -> dict[str, tuple[str | None, str]]:
    answer = await client.get("/v1/sip/numbers", params=query, headers=tenant.viewer)
    assert answer.status_code == 200, answer.text
    return {
        each["phone_number"]: (each["sip_endpoint"], each["health_status"])
        for each in answer.json()["data"]["numbers"]
    }


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (HealthState.HEALTHY, "healthy"),
        (HealthState.REACHABLE, "healthy"),
        (HealthState.DEGRADED, "healthy"),
        (HealthState.DOWN, "unreachable"),
    ],
)
async def test_a_number_is_listed_as_its_first_trunk_stands(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, state: HealthState, word: str
) -> None:
    trunk = await watched(client, database, tenant, INBOUND, outbound())
    await attached(client, tenant, NUMBER, directions=[outbound("sip:192.0.2.99")])
    await attached(client, tenant, OTHER, directions=[INBOUND])
    await trunk.changed(state)

    endpoint = "sip:192.0.2.10:5080;transport=udp"
    for query in ({}, {"limit": 5}, {"direction": "outbound"}, {"search": "0170"}):
        found = await listed(client, tenant, **query)
        assert found[NUMBER] == (endpoint, word)
        assert found.get(OTHER, (None, "unchecked")) == (None, "unchecked")
    shown = await configuration(client, tenant, NUMBER)
    assert [each["health_status"] for each in shown["outbound_configs"]] == [word, "unchecked"]
    assert shown["inbound"]["health_status"] == "unchecked"


async def test_before_the_first_look_everything_is_unchecked(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    await attached(client, tenant, NUMBER, directions=[outbound()])
    before = await listed(client, tenant)
    await watched(client, database, tenant)
    assert before[NUMBER][1] == "unchecked"
    assert await listed(client, tenant) == before


async def test_a_trunk_shows_how_it_stands(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    made = await create(client, tenant, sip_endpoint="192.0.2.30")
    assert made["health_status"] == "unchecked"
    trunk_id = made["trunk_id"]
    picture = await watch(database, tenant.org_id, trunk_id)
    trunk = Watched(database, tenant.org_id, trunk_id, picture)
    await trunk.changed(HealthState.DOWN)

    assert (await get(client, tenant, trunk_id))["health_status"] == "unreachable"
    answer = await client.get("/v1/sip/trunks", headers=tenant.viewer)
    (item,) = answer.json()["data"]["trunks"]
    assert item["health_status"] == "unreachable"
    for changes in ({"name": made["name"]}, {"name": "Another"}):
        changed = await patch(client, tenant, trunk_id, **changes)
        assert changed.json()["data"]["health_status"] == "unreachable"
    await attached(client, tenant, "2001", directions=[{"type": "outbound"}], trunk_id=trunk_id)
    assert (await listed(client, tenant))["2001"][1] == "unreachable"
