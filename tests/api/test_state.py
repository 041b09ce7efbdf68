"""The whole configuration as a document: exported, applied, and left alone when nothing differs."""

from __future__ import annotations

from typing import Any

import httpx

from api.schemas.state import EXAMPLE_STATE
from settings import Settings
from storage.engine import Database
from storage.outbound import outbound_of, password_of
from tests.api.configured import INBOUND, OUTBOUND, attached, box_of, configuration, post
from tests.api.states import applied, configured, document, export, put, rows
from tests.api.tenants import Tenant
from tests.api.trunk_calls import create, get

NUMBER = "+14150000001"
ON_ACME = [{"trunk": "Acme"}]
ACME: dict[str, Any] = {"name": "Acme", "direction": "both", "sip_endpoint": "acme.example.com"}
PLAIN: dict[str, Any] = {"sip_endpoint": "sip:trunk.provider.com"}


def numbers(*found: str, **routes: Any) -> dict[str, Any]:
    return {"phone_numbers": list(found), **routes}


async def test_a_configuration_is_exported_with_like_numbers_together_and_no_password(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    await configured(client, tenant)

    shown = await export(client, tenant)

    assert shown.json()["data"] == {
        "version": 1,
        "trunks": [
            {
                "name": "Acme Carrier, US East",
                "provider": "custom",
                "direction": "both",
                "sip_endpoint": "sip:trunk.acme.example",
                "auth_mode": "register",
                "register_auth": {"username": "acme", "password": "********"},
                "options": {"port": 5080, "sip_username": "acme", "sip_password": "********"},
                "headers": {"X-Account": "acme"},
            }
        ],
        "numbers": [
            numbers(
                "+14150000001",
                inbound=[{"trunk": "Acme Carrier, US East"}],
                outbound=[
                    {"trunk": "Acme Carrier, US East"},
                    {"sip_endpoint": OUTBOUND["sip_endpoint"], "options": OUTBOUND["options"]},
                ],
            ),
            numbers(
                "+14150000002",
                "+14150000003",
                inbound=[{"auth_mode": "ip"}],
                outbound=[
                    {
                        "sip_endpoint": "sip:trunk.provider.com",
                        "options": {
                            "port": 5070,
                            "sip_username": "bob",
                            "sip_password": "********",
                        },
                    }
                ],
            ),
            numbers(
                "2001",
                inbound=[{"trunk": "Acme Carrier, US East"}],
                outbound=[{"trunk": "Acme Carrier, US East"}],
            ),
        ],
    }
    assert "canary" not in shown.text


async def test_what_was_exported_changes_nothing_when_it_is_applied(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    trunk_id = await configured(client, tenant)
    # Settings of a deleted trunk live on in its numbers, headers and registration included.
    other = await create(client, tenant, name="Gone", sip_endpoint="gone.example.com")
    await attached(
        client,
        tenant,
        "3001",
        directions=[{"type": "inbound"}, {"type": "outbound"}],
        trunk_id=other["trunk_id"],
    )
    await client.delete(f"/v1/sip/trunks/{other['trunk_id']}", headers=tenant.editor)
    # Two trunks of one name, told apart by their ids.
    await create(client, tenant)
    before, shown = await rows(database, tenant), await export(client, tenant)

    answer = await put(client, tenant, shown.json()["data"])

    assert answer.json()["data"] == {"applied": True, "changes": []}
    assert answer.headers["ETag"] == shown.headers["ETag"]
    assert await rows(database, tenant) == before
    named = shown.json()["data"]["trunks"]
    assert named[0]["trunk_id"] == trunk_id
    assert shown.json()["data"]["numbers"][0]["inbound"] == [{"trunk": trunk_id}]


async def test_the_example_is_applied_and_comes_back_as_it_is(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    emails = {"alert_emails": ["noc@example.com"]}
    changed = await client.patch(
        f"/v1/organizations/{tenant.org_id}", json=emails, headers=tenant.editor
    )
    assert changed.status_code == 200
    trunk = {
        **EXAMPLE_STATE["trunks"][0],
        "options": {"sip_username": "acme", "sip_password": "canary-call"},
    }

    await applied(client, tenant, [trunk], EXAMPLE_STATE["numbers"])

    shown = await document(client, tenant)
    assert shown == EXAMPLE_STATE
    assert (await put(client, tenant, EXAMPLE_STATE)).json()["data"]["changes"] == []


async def test_numbers_and_trunks_are_made_as_the_document_says(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, settings: Settings
) -> None:
    acme = {**ACME, "options": {"sip_username": "a", "sip_password": "canary"}}

    await applied(
        client,
        tenant,
        [acme],
        [
            numbers(NUMBER, inbound=[{}], outbound=[*ON_ACME, PLAIN]),
            numbers("2001", outbound=ON_ACME),
        ],
    )

    shown = await configuration(client, tenant, NUMBER)
    assert shown["inbound"]["options"] == {"auth_mode": "ip"}
    assert [each["sip_endpoint"] for each in shown["outbound_configs"]] == [
        "sip:acme.example.com",
        "sip:trunk.provider.com",
    ]
    assert (await configuration(client, tenant, "2001"))["inbound"] is None
    async with database.tenant(tenant.org_id) as session:
        (config,) = await outbound_of(session, "2001")
        assert await password_of(session, box_of(settings), config.trunk_id) == "canary"


async def test_what_is_not_in_the_document_is_taken_away(
    client: httpx.AsyncClient, tenant: Tenant, other_tenant: Tenant, database: Database
) -> None:
    await configured(client, tenant)

    answer = await applied(client, tenant, [], [])

    assert {each["action"] for each in answer["changes"]} == {"trunk.delete", "number.detach"}
    assert await document(client, tenant) == {"version": 1, "trunks": [], "numbers": []}
    left = await rows(database, tenant)
    assert (left["trunks"], left["number_bindings"], left["inbound_numbers"]) == ([], [], [])
    # Free for others from now on.
    assert (await attached(client, other_tenant, NUMBER, directions=[INBOUND]))["failed"] == []


async def test_a_trunk_is_found_by_its_name_or_renamed_by_its_id(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    made = await create(client, tenant, name="Acme", register_auth=None, auth_mode="ip")
    trunk_id = made["trunk_id"]

    await applied(client, tenant, [{**ACME, "provider": "acme"}], [])
    assert (await get(client, tenant, trunk_id))["provider"] == "acme"

    renamed = {**ACME, "name": "Acme West", "trunk_id": trunk_id}
    answer = await applied(
        client, tenant, [renamed], [numbers(NUMBER, outbound=[{"trunk": trunk_id}])]
    )
    assert (await get(client, tenant, trunk_id))["name"] == "Acme West"
    (change, attach) = answer["changes"]
    assert change == {
        "action": "trunk.update",
        "trunk": "Acme",
        "trunk_id": trunk_id,
        "fields": [
            {"field": "name", "before": "Acme", "after": "Acme West"},
            {"field": "provider", "before": "acme", "after": "custom"},
        ],
    }
    assert attach == {
        "action": "number.attach",
        "phone_numbers": [NUMBER],
        "direction": "outbound",
        "fields": [{"field": "0.trunk", "before": None, "after": "Acme West"}],
    }


async def test_numbers_of_a_trunk_that_goes_get_what_the_document_gives_them(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    await applied(client, tenant, [ACME], [numbers("2001", outbound=ON_ACME)])
    before = (await configuration(client, tenant, "2001"))["outbound"]

    await applied(client, tenant, [], [numbers("2001", outbound=[PLAIN])])

    after = (await configuration(client, tenant, "2001"))["outbound"]
    assert (after["id"], after["sip_endpoint"]) == (before["id"], "sip:trunk.provider.com")


async def test_an_update_of_one_number_shows_in_the_next_export(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    await applied(client, tenant, [], [numbers(NUMBER, "+14150000002", outbound=[PLAIN])])
    before = await export(client, tenant)
    updates = {"type": "outbound", "options": {"port": 5071}}
    await post(client, tenant, "update", phone_number=NUMBER, updates=updates)

    after = await export(client, tenant)

    assert after.headers["ETag"] != before.headers["ETag"]
    assert after.json()["data"]["numbers"] == [
        numbers(NUMBER, outbound=[{**PLAIN, "options": {"port": 5071}}]),
        numbers("+14150000002", outbound=[PLAIN]),
    ]
