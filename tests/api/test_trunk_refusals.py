"""Requests about trunks that are refused: the field is named, and nothing changes (contract 7)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from storage.engine import Database
from storage.ids import new_id
from tests.api.configured import attached, post
from tests.api.tenants import Tenant
from tests.api.trunk_calls import DRAFT, create, get, patch


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"provider": 7}, "provider"),
        ({"direction": "sideways"}, "direction"),
        ({"sip_endpoint": "not a host"}, "sip_endpoint"),
        ({"auth_mode": "ip"}, "register_auth"),
        ({"register_auth": None}, "register_auth"),
        ({"register_auth": {"username": "a", "password": "short"}}, "register_auth.password"),
        ({"options": {"sip_password": "alone"}}, "options.sip_username"),
        ({"options": {"sip_username": "a", "sip_password": "********"}}, "options.sip_password"),
        ({"headers": {"Via": "x"}}, "headers"),
        ({"headers": {"X A": "x"}}, "headers"),
        ({"headers": {"X-A": "a\r\nb"}}, "headers"),
        ({"headers": {f"X-{index}": "x" for index in range(16)}}, "headers"),
        (
            {"direction": "outbound", "headers": {"direction": "inbound", "headers": []}},
            "headers.direction",
        ),
        ({"owner": "me"}, "owner"),
    ],
)
async def test_a_field_that_is_wrong_is_named_and_no_trunk_is_made(
    client: httpx.AsyncClient,
    tenant: Tenant,
    database: Database,
    fields: dict[str, Any],
    field: str,
) -> None:
    answer = await post(client, tenant, "trunks", **{**DRAFT, **fields})

    assert answer.status_code == 400
    assert field in {each["field"] for each in answer.json()["errors"]}
    assert "canary" not in answer.text
    async with database.tenant(tenant.org_id) as session:
        assert await session.scalar(text("SELECT count(*) FROM trunks")) == 0


async def test_a_change_that_is_wrong_changes_nothing(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    trunk = await create(client, tenant)
    trunk_id = trunk["trunk_id"]
    await attached(client, tenant, "2001", directions=[{"type": "outbound"}], trunk_id=trunk_id)
    before = await get(client, tenant, trunk_id)

    for changes, field in (
        ({"sip_endpoint": None}, "sip_endpoint"),
        ({"direction": "inbound"}, "direction"),
        ({"name": None}, "name"),
        ({"auth_mode": "ip", "register_auth": DRAFT["register_auth"]}, "register_auth"),
        ({"options": {"port": "x"}}, "options.port"),
    ):
        answer = await patch(client, tenant, trunk_id, **changes)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == field
    assert await get(client, tenant, trunk_id) == before


@pytest.mark.parametrize(
    ("fields", "body", "status", "code", "field"),
    [
        (
            {"direction": "outbound"},
            {"directions": [{"type": "inbound"}]},
            400,
            "INVALID_REQUEST",
            "directions.0.type",
        ),
        (
            {},
            {"directions": [{"type": "outbound", "sip_endpoint": "other.example.com"}]},
            400,
            "INVALID_REQUEST",
            "directions.0.sip_endpoint",
        ),
        (
            {},
            {"directions": [{"type": "outbound", "options": {"port": 1}}]},
            400,
            "INVALID_REQUEST",
            "directions.0.options",
        ),
        (
            {"sip_endpoint": None},
            {"directions": [{"type": "outbound"}]},
            409,
            "TRUNK_HAS_NO_ENDPOINT",
            None,
        ),
    ],
)
async def test_a_direction_that_the_trunk_does_not_carry_is_refused(
    client: httpx.AsyncClient,
    tenant: Tenant,
    fields: dict[str, Any],
    body: dict[str, Any],
    status: int,
    code: str,
    field: str | None,
) -> None:
    trunk = await create(client, tenant, **fields)

    answer = await post(
        client,
        tenant,
        "attach",
        phone_number="2001",
        service="sip",
        trunk_id=trunk["trunk_id"],
        **body,
    )

    assert answer.status_code == status
    (error,) = answer.json()["errors"]
    assert (error["error"], error.get("field")) == (code, field)


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_an_unknown_trunk_is_not_found(
    client: httpx.AsyncClient, tenant: Tenant, method: str
) -> None:
    for trunk_id in (new_id("trk"), "trk_x", "7"):
        answer = await client.request(
            method,
            f"/v1/sip/trunks/{trunk_id}",
            headers=tenant.editor,
            json={"name": "x"} if method == "PATCH" else None,
        )
        assert answer.status_code == 404


async def test_numbers_cannot_be_bound_to_another_organizations_trunk(
    client: httpx.AsyncClient, tenant: Tenant, other_tenant: Tenant
) -> None:
    theirs = await create(client, other_tenant)

    answer = await post(
        client,
        tenant,
        "attach",
        phone_number="2001",
        service="sip",
        directions=[{"type": "outbound"}],
        trunk_id=theirs["trunk_id"],
    )

    assert answer.status_code == 404
    assert (await get(client, other_tenant, theirs["trunk_id"]))["bound_numbers"] == []
