"""The audit log, read by the organization that it is about."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.configured import OUTBOUND, attached, post
from tests.api.tenants import Tenant


async def changes(client: httpx.AsyncClient, tenant: Tenant, **query: Any) -> dict[str, Any]:
    answer = await client.get("/v1/sip/audit", params=query, headers=tenant.viewer)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()["data"]
    return page


async def test_a_change_names_who_made_it_and_what_it_changed(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    await attached(client, tenant, "+14155550100", directions=[OUTBOUND])

    page = await changes(client, tenant, subject_id="+14155550100")

    (entry,) = page["entries"]
    assert entry["actor"]["kind"] == "api_key"
    assert entry["actor"]["id"] in tenant.key_ids.values()
    assert entry["before"] is None
    assert entry["after"]
    assert entry["request_id"].startswith("req_")


async def test_pages_go_back_in_time_without_a_gap(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    for number in range(5):
        await attached(client, tenant, f"+1415555010{number}", directions=[OUTBOUND])

    whole = await changes(client, tenant)
    ids, cursor = [], None
    while True:
        page = await changes(client, tenant, limit=2, **({"cursor": cursor} if cursor else {}))
        ids += [entry["id"] for entry in page["entries"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert ids == [entry["id"] for entry in whole["entries"]]
    assert ids == sorted(ids, reverse=True)


async def test_another_organization_sees_nothing_of_it(
    client: httpx.AsyncClient, tenant: Tenant, other_tenant: Tenant
) -> None:
    await attached(client, tenant, "+14155550100", directions=[OUTBOUND])

    page = await changes(client, other_tenant, subject_id="+14155550100")

    assert page == {"entries": [], "next_cursor": None}


async def test_a_refused_change_leaves_no_entry(client: httpx.AsyncClient, tenant: Tenant) -> None:
    refused = await post(
        client, tenant, "attach", phone_number="+14155550100", service="sip", directions=[]
    )

    assert refused.status_code == 400
    assert (await changes(client, tenant))["entries"] == []


@pytest.mark.parametrize("cursor", ["x", "-1", "0", "9" * 20, "٣"])
async def test_a_cursor_that_no_page_named_is_refused(
    client: httpx.AsyncClient, tenant: Tenant, cursor: str
) -> None:
    answer = await client.get("/v1/sip/audit", params={"cursor": cursor}, headers=tenant.viewer)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "cursor"
