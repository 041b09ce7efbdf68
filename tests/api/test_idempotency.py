from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from api.app import ROUTERS, create_app
from settings import Settings
from storage.engine import Database
from tests.api.counting import (
    ORGANIZATIONS,
    Calls,
    code,
    counting_router,
    create,
    organizations_named,
)
from tests.api.tenants import Tenant


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def app(settings: Settings, database: Database, calls: Calls) -> FastAPI:
    return create_app(settings, database=database, routers=(*ROUTERS, counting_router(calls)))


async def test_the_same_request_is_answered_again_and_done_once(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    first = await create(client, tenant, "k1")
    second = await create(client, tenant, "k1")

    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert first.headers["Content-Type"] == second.headers["Content-Type"]
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    assert await organizations_named(database, "New") == 1


async def test_without_a_key_it_is_done_twice(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    for _ in range(2):
        await client.post(ORGANIZATIONS, json={"name": "New"}, headers=tenant.operator)

    assert await organizations_named(database, "New") == 2


async def test_twenty_at_once_are_done_once(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    answers = await asyncio.gather(*(create(client, tenant, "burst") for _ in range(20)))

    done = [each for each in answers if each.status_code == 201]
    waiting = [each for each in answers if each.status_code == 409]
    assert len(done) + len(waiting) == 20
    assert len({each.content for each in done}) == 1
    assert sum("Idempotent-Replayed" not in each.headers for each in done) == 1
    assert {code(each) for each in waiting} <= {"IDEMPOTENCY_IN_PROGRESS"}
    assert all(int(each.headers["Retry-After"]) >= 1 for each in waiting)
    assert await organizations_named(database, "New") == 1
    later = await create(client, tenant, "burst")
    assert later.content == done[0].content


async def test_a_request_in_flight_is_named_so(
    client: httpx.AsyncClient, tenant: Tenant, calls: Calls
) -> None:
    calls.open.clear()
    headers = tenant.editor | {"Idempotency-Key": "slow"}
    first = asyncio.create_task(client.post("/v1/test/count", headers=headers))
    await calls.entered.wait()
    second = await client.post("/v1/test/count", headers=headers)
    calls.open.set()

    assert second.status_code == 409
    assert code(second) == "IDEMPOTENCY_IN_PROGRESS"
    assert int(second.headers["Retry-After"]) >= 1
    assert (await first).json()["data"] == 1
    assert calls.count == 1


@pytest.mark.parametrize("change", ["body", "query", "path", "method"])
async def test_the_same_key_for_something_else_is_refused(
    client: httpx.AsyncClient, tenant: Tenant, change: str, database: Database
) -> None:
    headers = tenant.operator | {"Idempotency-Key": "one"}
    url = f"{ORGANIZATIONS}/{tenant.org_id}/entitlements"
    await client.put(url, json={"entitlements": ["SIP"]}, headers=headers)
    match change:
        case "body":
            again = await client.put(url, json={"entitlements": []}, headers=headers)
        case "query":
            again = await client.put(f"{url}?x=1", json={"entitlements": ["SIP"]}, headers=headers)
        case "path":
            again = await client.put(
                f"{ORGANIZATIONS}/org_{'0' * 22}/entitlements",
                json={"entitlements": ["SIP"]},
                headers=headers,
            )
        case _:
            again = await client.patch(
                f"{ORGANIZATIONS}/{tenant.org_id}", json={"entitlements": ["SIP"]}, headers=headers
            )

    assert again.status_code == 409
    assert code(again) == "IDEMPOTENCY_KEY_REUSED"


async def test_a_key_belongs_to_its_organization(
    client: httpx.AsyncClient, tenant: Tenant, other_tenant: Tenant
) -> None:
    first = await create(client, tenant, "shared")
    second = await create(client, other_tenant, "shared", name="Theirs")

    assert second.status_code == 201
    assert first.json() != second.json()


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "é", "\x7f"])
async def test_a_malformed_key_is_refused(
    client: httpx.AsyncClient, tenant: Tenant, key: str
) -> None:
    answer = await client.post(
        ORGANIZATIONS,
        json={"name": "New"},
        headers=[
            *[(name.encode(), value.encode()) for name, value in tenant.operator.items()],
            (b"Idempotency-Key", key.encode()),
        ],
    )

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


async def test_two_keys_are_none(client: httpx.AsyncClient, tenant: Tenant) -> None:
    answer = await client.post(
        ORGANIZATIONS,
        json={"name": "New"},
        headers=[
            *tenant.operator.items(),
            ("Idempotency-Key", "a"),
            ("Idempotency-Key", "b"),
        ],
    )

    assert answer.status_code == 400


async def test_a_refusal_is_replayed_as_well(client: httpx.AsyncClient, tenant: Tenant) -> None:
    first = await create(client, tenant, "bad", name="")
    second = await create(client, tenant, "bad", name="")

    assert first.status_code == second.status_code == 400
    assert second.headers["Idempotent-Replayed"] == "true"
    assert first.content == second.content
