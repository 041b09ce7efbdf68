"""The list of trunks in pages (contract 7.2, which documents none)."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from api.trunk_query import cursor_behind
from storage.engine import Database
from storage.ids import new_id
from storage.shown import named_trunks
from storage.trunks import Place
from tests.api.states import applied
from tests.api.tenants import Tenant
from tests.api.trunk_calls import create
from tests.storage.factories import NOON


async def listed(client: httpx.AsyncClient, tenant: Tenant, **query: Any) -> dict[str, Any]:
    answer = await client.get("/v1/sip/trunks", params=query, headers=tenant.viewer)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def test_without_a_limit_all_are_there_and_no_cursor(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    made = [(await create(client, tenant))["trunk_id"] for _ in range(3)]

    shown = await listed(client, tenant)

    assert set(shown) == {"trunks"}
    assert [each["trunk_id"] for each in shown["trunks"]] == made


async def test_pages_show_every_trunk_once_also_when_the_last_one_seen_is_deleted(
    client: httpx.AsyncClient, tenant: Tenant, other_tenant: Tenant
) -> None:
    await create(client, other_tenant)
    made = [(await create(client, tenant))["trunk_id"] for _ in range(5)]
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = await listed(client, tenant, **query)
        seen += [each["trunk_id"] for each in page["trunks"]]
        if "next_cursor" not in page:
            break
        query["cursor"] = page["next_cursor"]
        gone = await client.delete(f"/v1/sip/trunks/{seen[-1]}", headers=tenant.editor)
        assert gone.status_code == 200
        made.append((await create(client, tenant))["trunk_id"])

    assert seen == made


async def test_trunks_of_one_moment_are_told_apart_by_their_ids(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    drafts = [
        {"name": f"Trunk {number}", "direction": "inbound", "auth_mode": "ip"}
        for number in range(5)
    ]
    await applied(client, tenant, drafts, [])
    rows = [each.trunk for each in await named_trunks(database, tenant.org_id)]
    assert len({row.created_at for row in rows}) == 1

    first = await listed(client, tenant, limit=3)
    rest = await listed(client, tenant, limit=3, cursor=first["next_cursor"])

    pages = [each["trunk_id"] for page in (first, rest) for each in page["trunks"]]
    assert pages == sorted(row.id for row in rows)
    assert (len(rest["trunks"]), "next_cursor" in rest) == (2, False)


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 1001},
        {"limit": "x"},
        {"cursor": "+"},
        {"cursor": "AA"},
        {"cursor": encoded(NOON.isoformat())},
        {"cursor": encoded(f"{NOON.replace(tzinfo=None).isoformat()} {'trk_' + 'a' * 22}")},
        {"cursor": encoded(f"{NOON.isoformat()} {'cfg_' + 'a' * 22}")},
        {"cursor": encoded(f"yesterday {'trk_' + 'a' * 22}")},
        {"cursor": "A" * 129},
    ],
    ids=lambda query: "-".join(f"{name}-{value}"[:40] for name, value in query.items()),
)
async def test_a_query_that_means_nothing_is_refused(
    client: httpx.AsyncClient, tenant: Tenant, query: dict[str, Any]
) -> None:
    answer = await client.get("/v1/sip/trunks", params=query, headers=tenant.viewer)

    assert answer.status_code == 400
    assert [each["field"] for each in answer.json()["errors"]] == list(query)


async def test_a_cursor_behind_the_end_shows_nothing(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    await create(client, tenant)
    behind = cursor_behind(Place(NOON.replace(year=9999), new_id("trk")))

    assert await listed(client, tenant, cursor=behind, limit=1) == {"trunks": []}
