"""Which answers are kept, how, and together with what."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlmodel import select, update

from api.app import ROUTERS, create_app
from api.errors import RateLimited, Unavailable
from settings import Settings
from storage import audit
from storage.engine import Database
from storage.secret_box import generate_key
from storage.tables import IdempotencyKey
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


@pytest.mark.parametrize(
    "error",
    [Unavailable(), RateLimited(retry_after=timedelta(minutes=1)), ZeroDivisionError()],
    ids=lambda error: type(error).__name__,
)
async def test_an_answer_that_asks_to_come_again_is_not_kept(
    client: httpx.AsyncClient, tenant: Tenant, calls: Calls, error: Exception
) -> None:
    headers = tenant.editor | {"Idempotency-Key": "again"}
    calls.raises.append(error)
    first = await client.post("/v1/test/count", headers=headers)
    second = await client.post("/v1/test/count", headers=headers)

    assert first.status_code in {429, 500, 503}
    assert second.status_code == 200
    assert calls.count == 2


async def test_a_cancelled_request_frees_its_key(
    client: httpx.AsyncClient, tenant: Tenant, calls: Calls
) -> None:
    calls.open.clear()
    headers = tenant.editor | {"Idempotency-Key": "stopped"}
    first = asyncio.create_task(client.post("/v1/test/count", headers=headers))
    await calls.entered.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    calls.open.set()
    second = await client.post("/v1/test/count", headers=headers)

    assert second.status_code == 200


async def test_the_change_and_its_answer_are_kept_together_or_not_at_all(
    client: httpx.AsyncClient, tenant: Tenant, calls: Calls, database: Database
) -> None:
    headers = tenant.editor | {"Idempotency-Key": "both"}
    calls.raises.append(ZeroDivisionError())
    failed = await client.post("/v1/test/rename", headers=headers)
    assert failed.status_code == 500
    assert await organizations_named(database, "Example") == 1

    done = await client.post("/v1/test/rename", headers=headers)
    again = await client.post("/v1/test/rename", headers=headers)

    assert done.json()["data"] == again.json()["data"] == 2
    assert await organizations_named(database, "renamed 2") == 1


async def test_an_answer_that_cannot_be_kept_undoes_the_change(
    client: httpx.AsyncClient,
    tenant: Tenant,
    calls: Calls,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def lost(*_: Any, **__: Any) -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr("storage.idempotency.finish", lost)
    answer = await client.post(
        "/v1/test/rename", headers=tenant.editor | {"Idempotency-Key": "lost"}
    )

    assert answer.status_code == 500
    assert await organizations_named(database, "Example") == 1


async def test_an_operators_change_of_another_organization_is_replayed_too(
    client: httpx.AsyncClient, tenant: Tenant, other_tenant: Tenant, database: Database
) -> None:
    url = f"{ORGANIZATIONS}/{other_tenant.org_id}"
    headers = tenant.operator | {"Idempotency-Key": "cross"}
    answers = [await client.patch(url, json={"name": "X"}, headers=headers) for _ in range(2)]

    assert [each.status_code for each in answers] == [200, 200]
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    async with database.tenant(other_tenant.org_id) as session:
        assert len(await audit.entries(session, other_tenant.org_id, limit=5)) == 1


async def test_an_answer_with_a_secret_is_sealed_at_rest(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    url = f"{ORGANIZATIONS}/{tenant.org_id}/signing-secret"
    headers = tenant.operator | {"Idempotency-Key": "secret"}
    first = await client.post(url, headers=headers)
    second = await client.post(url, headers=headers)

    secret = first.json()["data"]["signing_secret"]
    assert second.json()["data"]["signing_secret"] == secret
    async with database.tenant(tenant.org_id) as session:
        kept = (await session.scalars(select(IdempotencyKey))).one()
    assert kept.response_sealed is not None
    assert secret.encode() not in kept.response_sealed
    assert secret not in str(kept.headers)


async def test_an_answer_whose_key_left_the_ring_is_not_done_again(
    client: httpx.AsyncClient, tenant: Tenant, settings: Settings, database: Database
) -> None:
    await create(client, tenant, "rotated")
    rotated = settings.model_copy(update={"secret_keys": SecretStr(generate_key("new"))})
    transport = httpx.ASGITransport(app=create_app(rotated, database=database))
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as other:
        answer = await create(other, tenant, "rotated")

    assert answer.status_code == 409
    assert code(answer) == "IDEMPOTENT_ANSWER_LOST"
    assert await organizations_named(database, "New") == 1


async def test_a_key_is_free_again_after_a_day(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    await create(client, tenant, "daily")
    async with database.system() as session:
        await session.execute(
            update(IdempotencyKey).values(expires_at=datetime.now(UTC) - timedelta(seconds=1))
        )
    again = await create(client, tenant, "daily")

    assert "Idempotent-Replayed" not in again.headers
    assert await organizations_named(database, "New") == 2


async def test_reading_ignores_the_key(client: httpx.AsyncClient, tenant: Tenant) -> None:
    headers = tenant.viewer | {"Idempotency-Key": "read"}
    answers = [await client.get("/v1/me", headers=headers) for _ in range(2)]

    assert [each.status_code for each in answers] == [200, 200]
    assert "Idempotent-Replayed" not in answers[1].headers
