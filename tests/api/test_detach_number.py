"""Detaching a number (contract 3.4): whole directions go, what is left is answered."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from storage.engine import Database
from tests.api.configured import INBOUND, OUTBOUND, attached, configuration, post
from tests.api.tenants import Tenant

NUMBER = "+14150000001"


async def test_detaching_takes_a_whole_direction_and_answers_what_is_left(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    second = {"type": "outbound", "sip_endpoint": "sip:second.example.com"}
    await attached(client, tenant, NUMBER, directions=[INBOUND, OUTBOUND, second])

    async def detach(*directions: str) -> httpx.Response:
        named = [{"type": each} for each in directions]
        return await post(
            client, tenant, "detach", phone_number=NUMBER, directions=named, service="sip"
        )

    once = await detach("outbound")
    assert once.json()["data"]["outbound_configs"] == []
    assert once.json()["data"]["inbound"]["number"] == NUMBER
    assert (await detach("outbound")).json() == once.json()
    last = await detach("inbound", "outbound")
    assert last.json() == {
        "data": {"inbound": None, "outbound": None, "inbound_configs": [], "outbound_configs": []},
        "errors": None,
    }
    assert (await detach("inbound")).status_code == 404
    async with database.tenant(tenant.org_id) as session:
        for table in ("trunks", "number_bindings", "inbound_numbers"):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"phone_number": "+14150000099"}, 404, None),
        ({"phone_number": "415 000 0001"}, 400, "phone_number"),
        ({"phone_number": 14150000001}, 400, "phone_number"),
        ({"directions": []}, 400, "directions"),
        ({"directions": [{"type": "both"}]}, 400, "directions.0.type"),
        ({"directions": ["outbound"]}, 400, "directions.0"),
        ({"directions": [{"type": "outbound", "id": "x"}]}, 400, "directions.0.id"),
        ({"service": "voice"}, 400, "service"),
    ],
)
async def test_what_cannot_be_detached_is_refused(
    client: httpx.AsyncClient,
    tenant: Tenant,
    body: dict[str, Any],
    status: int,
    field: str | None,
) -> None:
    await attached(client, tenant, NUMBER, directions=[OUTBOUND])
    before = await configuration(client, tenant, NUMBER)

    good = {"phone_number": NUMBER, "directions": [{"type": "outbound"}], "service": "sip"}
    answer = await post(client, tenant, "detach", **(good | body))

    assert answer.status_code == status
    assert answer.json()["errors"][0].get("field") == field
    assert await configuration(client, tenant, NUMBER) == before


async def test_siblings_stay_attached(client: httpx.AsyncClient, tenant: Tenant) -> None:
    await attached(client, tenant, NUMBER, "+14150000002", directions=[OUTBOUND])
    before = await configuration(client, tenant, "+14150000002")

    gone = [{"type": "outbound"}]
    await post(client, tenant, "detach", phone_number=NUMBER, directions=gone, service="sip")

    assert await configuration(client, tenant, "+14150000002") == before
