from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest

from storage import audit
from storage.engine import Database
from storage.tables import ApiKey, Role
from tests.api.tenants import Tenant


def keys_of(tenant: Tenant) -> str:
    return f"/v1/organizations/{tenant.org_id}/keys"


async def create(client: httpx.AsyncClient, tenant: Tenant, **fields: Any) -> httpx.Response:
    body = {"name": "provisioning", "role": "editor", **fields}
    return await client.post(keys_of(tenant), json=body, headers=tenant.operator)


async def test_a_new_key_works_and_only_its_hash_is_kept(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    answer = await create(client, tenant)

    assert answer.status_code == 201
    data = answer.json()["data"]
    secret = data["api_key"]
    assert data["hint"] == secret[-4:]
    me = await client.get("/v1/me", headers={"Authorization": f"Bearer {secret}"})
    assert me.json()["data"]["role"] == "editor"
    assert me.json()["data"]["key"]["key_id"] == data["key_id"]
    assert me.json()["data"]["organization"]["org_id"] == tenant.org_id
    assert secret not in me.text
    async with database.tenant(tenant.org_id) as session:
        row = await session.get(ApiKey, data["key_id"])
        entries = await audit.entries(session, tenant.org_id, limit=10)
    assert row is not None
    assert row.key_hash == hashlib.sha256(secret.encode()).digest()
    assert secret not in str(row.model_dump())
    (entry,) = entries
    assert (entry.action, entry.subject_id) == ("api_key.create", data["key_id"])
    assert secret not in str(entry.after)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"role": "owner"}, "role"),
        ({"role": None}, "role"),
        ({"name": ""}, "name"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2099-01-01T00:00:00"}, "expires_at"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-12:00"}, "expires_at"),
        ({"expires_at": 1e300}, "expires_at"),
        ({"org_id": "org_x"}, "org_id"),
    ],
)
async def test_a_wrong_field_is_named(
    client: httpx.AsyncClient, tenant: Tenant, fields: dict[str, Any], field: str
) -> None:
    answer = await create(client, tenant, **fields)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field


async def test_a_key_of_an_unknown_organization_cannot_be_made(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    answer = await client.post(
        "/v1/organizations/org_0000000000000000000000/keys",
        json={"name": "x", "role": "viewer"},
        headers=tenant.operator,
    )

    assert answer.status_code == 404


async def test_keys_are_for_operators(client: httpx.AsyncClient, tenant: Tenant) -> None:
    key_id = tenant.key_ids[Role.VIEWER]
    answers = [
        await client.get(keys_of(tenant), headers=tenant.editor),
        await client.post(
            keys_of(tenant), json={"name": "x", "role": "operator"}, headers=tenant.editor
        ),
        await client.delete(f"{keys_of(tenant)}/{key_id}", headers=tenant.editor),
    ]

    assert [each.status_code for each in answers] == [403, 403, 403]


async def test_the_list_shows_every_key_without_the_key(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    answer = await client.get(keys_of(tenant), headers=tenant.operator)

    listed = answer.json()["data"]["keys"]
    assert {each["key_id"] for each in listed} == set(tenant.key_ids.values())
    assert not any(secret in answer.text for secret in tenant.keys.values())
    assert "key_hash" not in answer.text


async def test_a_revoked_key_stops_at_once_and_stays_revoked(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    url = f"{keys_of(tenant)}/{tenant.key_ids[Role.VIEWER]}"
    before = await client.get("/v1/me", headers=tenant.viewer)
    first = await client.delete(url, headers=tenant.operator)
    after = await client.get("/v1/me", headers=tenant.viewer)
    second = await client.delete(url, headers=tenant.operator)

    assert before.status_code == 200
    assert after.status_code == 401
    assert first.json()["data"]["revoked_at"] == second.json()["data"]["revoked_at"] is not None
    async with database.tenant(tenant.org_id) as session:
        entries = await audit.entries(session, tenant.org_id, limit=10)
    assert [each.action for each in entries] == ["api_key.revoke"]


async def test_a_key_of_another_organization_is_not_found(
    client: httpx.AsyncClient, tenant: Tenant, other_tenant: Tenant
) -> None:
    url = f"{keys_of(tenant)}/{other_tenant.key_ids[Role.VIEWER]}"
    answer = await client.delete(url, headers=tenant.operator)
    still = await client.get("/v1/me", headers=other_tenant.viewer)

    assert answer.status_code == 404
    assert still.status_code == 200


async def test_the_end_of_a_key_is_kept_in_utc(client: httpx.AsyncClient, tenant: Tenant) -> None:
    answer = await create(client, tenant, expires_at="2099-06-01T12:00:00+02:00")

    assert answer.json()["data"]["expires_at"] == "2099-06-01T10:00:00Z"
