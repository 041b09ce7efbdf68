"""Trunks under their own id (contract 7): what they carry follows them, and outlives them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from settings import Settings
from storage.engine import Database
from storage.outbound import outbound_of, password_of
from tests.api.configured import OUTBOUND, attached, box_of, configuration, post
from tests.api.states import document, put
from tests.api.tenants import Tenant
from tests.api.trunk_calls import DRAFT, create, get, patch

NUMBER = "+14150000001"


async def test_a_trunk_is_answered_as_the_contract_says_and_its_passwords_are_not(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    made = await create(client, tenant)

    assert (
        made.items()
        >= {
            "name": "Acme Carrier, US East",
            "direction": "both",
            "sip_endpoint": "sip:trunk.acme.example",
            "auth_mode": "register",
            "headers": {"X-Account": "acme"},
        }.items()
    )
    assert made["options"] == {
        "register_auth": {"username": "acme", "password": "********"},
        "sip_username": "acme",
        "sip_password": "********",
        "port": 5080,
    }
    password = made.pop("register_password_for_pbx")
    assert len(password) == 24
    shown = await client.get(f"/v1/sip/trunks/{made['trunk_id']}", headers=tenant.viewer)
    assert shown.json()["data"] == {**made, "bound_numbers": []}
    async with database.tenant(tenant.org_id) as session:
        kept = shown.text
        for table in ("trunks", "audit_log", "outbox"):
            kept += "".join(await session.scalars(text(f"SELECT to_jsonb(t)::text FROM {table} t")))
    for secret in ("canary", password, b"canary".hex(), password.encode().hex()):
        assert secret not in kept


async def test_numbers_dids_and_extensions_inherit_everything_from_their_trunk(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, settings: Settings
) -> None:
    trunk = await create(client, tenant)
    identities = [NUMBER, "2001", "bland-001", "14155550100"]

    answer = await attached(
        client,
        tenant,
        *identities,
        "(415) 555",
        directions=[{"type": "outbound"}],
        trunk_id=trunk["trunk_id"],
    )
    await attached(
        client, tenant, "2001", directions=[{"type": "inbound"}], trunk_id=trunk["trunk_id"]
    )

    assert answer["configured"] == identities
    assert [each["error"] for each in answer["failed"]] == ["INVALID_NUMBER"]
    found = await get(client, tenant, trunk["trunk_id"])
    assert {each["phone_number"]: each["directions"] for each in found["bound_numbers"]} == {
        NUMBER: ["outbound"],
        "2001": ["inbound", "outbound"],
        "bland-001": ["outbound"],
        "14155550100": ["outbound"],
    }
    assert (await configuration(client, tenant, "2001"))["outbound"]["headers"] == DRAFT["headers"]
    async with database.tenant(tenant.org_id) as session:
        (config,) = await outbound_of(session, "2001")
        assert (config.host, config.port, config.number) == ("trunk.acme.example", 5080, "2001")
        assert await password_of(session, box_of(settings), config.trunk_id) == "canary-call"
    listed = await client.get("/v1/sip/trunks", headers=tenant.viewer)
    (item,) = listed.json()["data"]["trunks"]
    assert (item["trunk_id"], item["bound_number_count"]) == (trunk["trunk_id"], 4)


async def test_a_change_of_a_trunk_reaches_every_bound_number(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, settings: Settings
) -> None:
    trunk = await create(client, tenant)
    trunk_id = trunk["trunk_id"]
    await attached(
        client, tenant, NUMBER, "2001", directions=[{"type": "outbound"}], trunk_id=trunk_id
    )

    changed = await patch(
        client,
        tenant,
        trunk_id,
        sip_endpoint="sip:new.acme.example",
        headers={"X-Account": "acme-2"},
        options={"port": None, "sip_password": "********", "codecs": ["ulaw"]},
    )

    assert changed.status_code == 200
    assert "register_password_for_pbx" not in changed.json()["data"]
    for number in (NUMBER, "2001"):
        shown = (await configuration(client, tenant, number))["outbound"]
        assert shown["sip_endpoint"] == "sip:new.acme.example"
        assert shown["headers"] == {"X-Account": "acme-2"}
        assert shown["options"] == {
            "sip_username": "acme",
            "sip_password": "********",
            "codecs": ["PCMU"],
        }
    async with database.tenant(tenant.org_id) as session:
        assert await password_of(session, box_of(settings), trunk_id) == "canary-call"
        revisions = await session.scalars(
            text("SELECT (payload->>'revision')::int FROM outbox ORDER BY id")
        )
        assert list(revisions) == [1, 2, 3]


async def test_an_update_of_a_bound_number_moves_it_away_and_leaves_the_trunk(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    trunk = await create(client, tenant)
    trunk_id = trunk["trunk_id"]
    directions = [{"type": "inbound"}, {"type": "outbound"}]
    await attached(client, tenant, NUMBER, "2001", directions=directions, trunk_id=trunk_id)
    sibling = await configuration(client, tenant, "2001")

    updates = {"type": "outbound", "options": {"port": 5090}}
    answer = await post(client, tenant, "update", phone_number=NUMBER, updates=updates)

    moved = answer.json()["data"]
    assert moved["outbound"]["trunk_id"] != trunk_id
    assert moved["outbound"]["options"]["port"] == 5090
    assert moved["outbound"]["options"]["sip_password"] == "********"
    assert moved["inbound"]["trunk_id"] == trunk_id
    assert await configuration(client, tenant, "2001") == sibling
    found = await get(client, tenant, trunk_id)
    assert found["options"]["port"] == 5080
    assert {each["phone_number"]: each["directions"] for each in found["bound_numbers"]} == {
        NUMBER: ["inbound"],
        "2001": ["inbound", "outbound"],
    }


async def test_numbers_of_a_deleted_trunk_keep_working(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, settings: Settings
) -> None:
    trunk = await create(client, tenant)
    trunk_id = trunk["trunk_id"]
    directions = [{"type": "inbound"}, {"type": "outbound"}]
    await attached(client, tenant, NUMBER, "2001", directions=directions, trunk_id=trunk_id)
    before = await configuration(client, tenant, NUMBER)

    gone = await client.delete(f"/v1/sip/trunks/{trunk_id}", headers=tenant.editor)

    assert gone.json() == {
        "data": {"trunk_id": trunk_id, "unbound_number_count": 2},
        "errors": None,
    }
    assert (await patch(client, tenant, trunk_id, name="x")).status_code == 404
    after = await configuration(client, tenant, NUMBER)
    for direction in ("inbound", "outbound"):
        changed = {"trunk_id", "updated_at"}
        assert after[direction]["trunk_id"] != trunk_id
        assert {k: v for k, v in after[direction].items() if k not in changed} == {
            k: v for k, v in before[direction].items() if k not in changed
        }
    async with database.tenant(tenant.org_id) as session:
        (config,) = await outbound_of(session, NUMBER)
        assert await password_of(session, box_of(settings), config.trunk_id) == "canary-call"
    listed = await client.get("/v1/sip/trunks", headers=tenant.viewer)
    assert listed.json()["data"] == {"trunks": []}


@pytest.mark.parametrize(
    ("headers", "inbound"),
    [
        (
            {
                "direction": "outbound",
                "headers": [{"type": "custom", "key": "account", "value": "X-Account"}],
            },
            None,
        ),
        ({"direction": "sales"}, {"direction": "sales"}),
    ],
    ids=["mappings of one direction", "fixed values of both"],
)
async def test_what_numbers_keep_of_a_deleted_trunk_can_be_applied_again(
    client: httpx.AsyncClient,
    tenant: Tenant,
    headers: dict[str, Any],
    inbound: dict[str, Any] | None,
) -> None:
    trunk_id = (await create(client, tenant, headers=headers))["trunk_id"]
    directions = [{"type": "inbound"}, {"type": "outbound"}]
    await attached(client, tenant, NUMBER, directions=directions, trunk_id=trunk_id)

    await client.delete(f"/v1/sip/trunks/{trunk_id}", headers=tenant.editor)

    shown = await configuration(client, tenant, NUMBER)
    assert shown["inbound"]["headers"] == inbound
    assert shown["outbound"]["headers"]["direction"] == headers["direction"]
    answer = await put(client, tenant, await document(client, tenant))
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["changes"] == []


async def test_a_number_that_the_heir_carries_already_is_carried_once(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    named = await create(
        client,
        tenant,
        auth_mode=None,
        register_auth=None,
        headers=None,
        direction="outbound",
        sip_endpoint=OUTBOUND["sip_endpoint"],
        options=OUTBOUND["options"],
    )
    await attached(client, tenant, NUMBER, directions=[OUTBOUND])
    await attached(
        client, tenant, NUMBER, directions=[{"type": "outbound"}], trunk_id=named["trunk_id"]
    )

    gone = await client.delete(f"/v1/sip/trunks/{named['trunk_id']}", headers=tenant.editor)

    assert gone.status_code == 200
    assert len((await configuration(client, tenant, NUMBER))["outbound_configs"]) == 1


async def test_an_implicit_trunk_is_changed_for_all_its_numbers_and_named_by_it(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    await attached(client, tenant, NUMBER, "+14150000002", directions=[OUTBOUND])
    trunk_id = (await configuration(client, tenant, NUMBER))["outbound"]["trunk_id"]
    kept = await client.delete(f"/v1/sip/trunks/{trunk_id}", headers=tenant.editor)
    assert (kept.status_code, kept.json()["errors"][0]["error"]) == (409, "TRUNK_IS_IMPLICIT")

    changed = await patch(client, tenant, trunk_id, name="Main", options={"port": 5071})

    assert changed.json()["data"]["name"] == "Main"
    for number in (NUMBER, "+14150000002"):
        shown = await configuration(client, tenant, number)
        assert shown["outbound"]["options"]["port"] == 5071
    listed = (await client.get("/v1/sip/trunks", headers=tenant.viewer)).json()["data"]["trunks"]
    assert [each["trunk_id"] for each in listed] == [trunk_id]
    # Its old settings are free for a trunk of other numbers.
    await attached(client, tenant, "+14150000003", directions=[OUTBOUND])
    other = (await configuration(client, tenant, "+14150000003"))["outbound"]["trunk_id"]
    assert other != trunk_id
