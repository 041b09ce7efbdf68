from __future__ import annotations

import httpx
import pytest

from domain.providers import PROVIDERS
from tests.api.tenants import Tenant


async def parse(client: httpx.AsyncClient, tenant: Tenant, text: str) -> httpx.Response:
    return await client.post(
        "/v1/sip/parse-destination", json={"input": text}, headers=tenant.viewer
    )


async def test_the_answer_has_the_shape_of_the_contract(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    answer = await parse(client, tenant, "sip:your.provider.com:5061;transport=tls")

    assert answer.status_code == 200
    body = answer.json()
    assert body["errors"] is None
    assert body["data"]["valid"] is True
    assert {
        "host": "your.provider.com",
        "port": 5061,
        "transport": "tls",
        "is_private_ip": False,
        "normalized": "sip:your.provider.com:5061;transport=tls",
    }.items() <= body["data"]["parsed"].items()


async def test_parts_that_are_not_in_the_input_are_not_in_the_answer(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    answer = await parse(client, tenant, "10.0.0.5")

    parsed = answer.json()["data"]["parsed"]
    assert parsed["is_private_ip"] is True
    assert not {"port", "user", "transport"} & parsed.keys()


@pytest.mark.parametrize("text", ["", "   ", "not a host", "a:b:c", "sip:", "\u202e", "\x7f"])
async def test_what_is_no_destination_is_200_with_a_reason(
    client: httpx.AsyncClient, tenant: Tenant, text: str
) -> None:
    answer = await parse(client, tenant, text)

    assert answer.status_code == 200
    data = answer.json()["data"]
    assert data["valid"] is False
    assert data["parsed"] is None
    assert data["message"]


async def test_the_catalogue_is_complete_and_in_order(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    answer = await client.get("/v1/sip/providers", headers=tenant.viewer)

    listed = answer.json()["data"]["providers"]
    assert [each["id"] for each in listed] == [each.id for each in PROVIDERS]
    assert all(each["enter"] and each["where"] for each in listed)
