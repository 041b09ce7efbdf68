"""Updating one number (contract 3.3): its siblings stay as they are."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from domain.call_settings import CallSettings
from domain.variants import VariantId, apply_variant, setting_to_save
from settings import Settings
from storage.engine import Database
from storage.outbound import outbound_of, password_of
from tests.api.configured import INBOUND, OUTBOUND, attached, box_of, configuration, post
from tests.api.tenants import Tenant

NUMBER = "+14150000001"
SIBLING = "+14150000002"
REGISTER = {
    "type": "inbound",
    "auth_mode": "register",
    "register_auth": {"username": "acme", "password": "first-password"},
}


async def update(
    client: httpx.AsyncClient, tenant: Tenant, updates: dict[str, Any], **body: Any
) -> httpx.Response:
    return await post(
        client, tenant, "update", **{"phone_number": NUMBER, "updates": updates, **body}
    )


async def trunk_count(database: Database, tenant: Tenant) -> int:
    async with database.tenant(tenant.org_id) as session:
        count = await session.scalar(text("SELECT count(*) FROM trunks"))
    return int(count)


async def test_options_are_merged_key_by_key_and_null_clears_one(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    await attached(client, tenant, NUMBER, directions=[INBOUND, OUTBOUND])

    answer = await update(
        client,
        tenant,
        {"type": "outbound", "options": {"transport": "tcp", "port": None, "caller_id": "number"}},
    )

    assert answer.status_code == 200
    assert answer.json()["data"]["outbound"]["options"] == {
        "transport": "tcp",
        "secure_media": True,
        "caller_id": "number",
    }
    assert answer.json()["data"] == await configuration(client, tenant, NUMBER)


async def test_a_change_to_one_number_never_changes_its_siblings(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    await attached(client, tenant, NUMBER, SIBLING, directions=[OUTBOUND])
    sibling = await configuration(client, tenant, SIBLING)

    changed = {"type": "outbound", "sip_endpoint": "sip:elsewhere.example.com"}
    answer = await update(client, tenant, changed)

    assert answer.json()["data"]["outbound"]["sip_endpoint"] == "sip:elsewhere.example.com"
    assert await configuration(client, tenant, SIBLING) == sibling
    assert await trunk_count(database, tenant) == 2
    # Back again: the trunk that was made for it goes.
    await update(client, tenant, {"type": "outbound", "sip_endpoint": OUTBOUND["sip_endpoint"]})
    assert await trunk_count(database, tenant) == 1
    back = await configuration(client, tenant, NUMBER)
    assert back["outbound"]["trunk_id"] == sibling["outbound"]["trunk_id"]


async def test_a_configuration_keeps_its_id_and_its_place(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    second = {"type": "outbound", "sip_endpoint": "sip:second.example.com"}
    await attached(client, tenant, NUMBER, directions=[OUTBOUND, second])
    before = (await configuration(client, tenant, NUMBER))["outbound_configs"]

    await update(client, tenant, {"type": "outbound", "sip_endpoint": "first.example.com"})
    answer = await update(
        client,
        tenant,
        {"type": "outbound", "sip_endpoint": "other.example.com"},
        id=before[1]["id"],
    )

    after = answer.json()["data"]["outbound_configs"]
    assert [each["id"] for each in after] == [each["id"] for each in before]
    assert [each["sip_endpoint"] for each in after] == [
        "sip:first.example.com",
        "sip:other.example.com",
    ]


async def test_two_configurations_that_become_one_are_one(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    hosts = ["one.example.com", "two.example.com", "three.example.com"]
    directions = [{"type": "outbound", "sip_endpoint": f"sip:{host}"} for host in hosts]
    await attached(client, tenant, NUMBER, directions=directions)
    before = (await configuration(client, tenant, NUMBER))["outbound_configs"]

    answer = await update(
        client,
        tenant,
        {"type": "outbound", "sip_endpoint": "sip:one.example.com"},
        id=before[2]["id"],
    )

    after = answer.json()["data"]["outbound_configs"]
    assert [each["sip_endpoint"] for each in after] == [
        "sip:one.example.com",
        "sip:two.example.com",
    ]


async def test_a_password_stays_when_its_mark_comes_back_and_goes_with_its_user(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, settings: Settings
) -> None:
    async def kept() -> str | None:
        async with database.tenant(tenant.org_id) as session:
            (config,) = await outbound_of(session, NUMBER)
            return await password_of(session, box_of(settings), config.trunk_id)

    direction = {
        "type": "outbound",
        "sip_endpoint": "pbx.example.com",
        "options": {"sip_username": "acme", "sip_password": "call-password"},
    }
    await attached(client, tenant, NUMBER, directions=[direction])
    shown = (await configuration(client, tenant, NUMBER))["outbound"]["options"]
    assert shown == {"sip_username": "acme", "sip_password": "********"}
    await update(client, tenant, {"type": "outbound", "options": {**shown, "port": 5080}})
    assert await kept() == "call-password"
    await update(client, tenant, {"type": "outbound", "options": {"sip_password": "another"}})
    assert await kept() == "another"
    await update(client, tenant, {"type": "outbound", "options": {"sip_username": None}})
    assert await kept() is None
    refused = await update(
        client, tenant, {"type": "outbound", "options": {"sip_password": "alone"}}
    )
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "updates.options.sip_username"


async def test_switching_to_registration_shows_the_password_for_the_pbx(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    await attached(client, tenant, NUMBER, directions=[INBOUND])
    missing = await update(client, tenant, {"type": "inbound", "auth_mode": "register"})
    assert missing.status_code == 400
    assert missing.json()["errors"][0]["field"] == "updates.register_auth"

    switched = (await update(client, tenant, REGISTER)).json()["data"]
    assert len(switched["register_password_for_pbx"]) == 24
    assert switched["inbound"]["options"]["register_auth"]["password"] == "********"

    auth = {"username": "acme", "password": "second-password"}
    again = (await update(client, tenant, {"type": "inbound", "register_auth": auth})).json()
    assert again["data"]["register_password_for_pbx"] != switched["register_password_for_pbx"]

    back = (await update(client, tenant, {"type": "inbound", "auth_mode": "ip"})).json()["data"]
    assert "register_password_for_pbx" not in back
    assert back["inbound"]["options"] == {"auth_mode": "ip"}


@pytest.mark.parametrize("variant", VariantId)
async def test_what_a_variant_says_to_save_makes_the_next_call_that_variant(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, variant: VariantId
) -> None:
    async def call() -> CallSettings:
        async with database.tenant(tenant.org_id) as session:
            (config,) = await outbound_of(session, NUMBER)
        return config.call_to("+14155550100")

    direction = {"type": "outbound", "sip_endpoint": "sip:pbx.example.com"}
    await attached(client, tenant, NUMBER, directions=[direction])
    expected = apply_variant(await call(), variant)

    answer = await update(client, tenant, {"type": "outbound", "options": setting_to_save(variant)})

    assert answer.status_code == 200, answer.text
    assert await call() == expected


async def test_headers_are_replaced_and_an_empty_list_clears_them(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    def headers(*mappings: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "inbound",
            "headers": {"direction": "inbound", "headers": list(mappings)},
        }

    first = {"type": "custom", "key": "X-Cool-Guy", "value": "First_Name"}
    second = {
        "type": "uui",
        "target": "CustomerId",
        "purpose": "bland",
        "encoding": "hex",
        "content": "id",
    }
    await attached(client, tenant, NUMBER, directions=[headers(first)])
    replaced = await update(client, tenant, headers(second))
    cleared = await update(client, tenant, headers())

    assert replaced.json()["data"]["inbound"]["headers"] == headers(second)["headers"]
    assert cleared.json()["data"]["inbound"]["headers"] is None


async def test_an_update_that_changes_nothing_leaves_no_trace(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    await attached(client, tenant, NUMBER, directions=[OUTBOUND])
    before = await configuration(client, tenant, NUMBER)
    answer = await update(client, tenant, {"type": "outbound", "options": {"port": 5061}})

    assert answer.json()["data"] == before
    async with database.tenant(tenant.org_id) as session:
        assert await session.scalar(text("SELECT count(*) FROM audit_log")) == 1
        assert await session.scalar(text("SELECT count(*) FROM outbox")) == 1


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"phone_number": "+14150000099"}, 404, None),
        ({"phone_number": "(415) 000-0001"}, 400, "phone_number"),
        ({"updates": {"type": "inbound"}}, 404, None),
        ({"id": "cfg_unknown"}, 404, None),
        ({"updates": {"type": "outbound", "sip_endpoint": None}}, 400, "updates.sip_endpoint"),
        ({"updates": {"type": "outbound", "auth_mode": "ip"}}, 400, "updates.auth_mode"),
        ({"updates": {"type": "outbound", "options": {"port": 0}}}, 400, "updates.options.port"),
        ({"updates": {}}, 400, "updates.type"),
    ],
)
async def test_what_cannot_be_updated_is_refused(
    client: httpx.AsyncClient,
    tenant: Tenant,
    body: dict[str, Any],
    status: int,
    field: str | None,
) -> None:
    await attached(client, tenant, NUMBER, directions=[OUTBOUND])
    before = await configuration(client, tenant, NUMBER)

    good = {"phone_number": NUMBER, "updates": {"type": "outbound", "sip_endpoint": "x.example"}}
    answer = await post(client, tenant, "update", **(good | body))

    assert answer.status_code == status
    assert answer.json()["errors"][0].get("field") == field
    assert await configuration(client, tenant, NUMBER) == before


async def test_a_change_tells_the_trunks_it_left_and_joined(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    await attached(client, tenant, NUMBER, directions=[OUTBOUND])
    first = (await configuration(client, tenant, NUMBER))["outbound"]["trunk_id"]
    changed = {"type": "outbound", "sip_endpoint": "sip:new.example.com"}
    second = (await update(client, tenant, changed)).json()["data"]["outbound"]["trunk_id"]

    async with database.tenant(tenant.org_id) as session:
        told = await session.scalars(text("SELECT payload FROM outbox ORDER BY id"))
        audited = (
            await session.execute(
                text("SELECT before, after FROM audit_log WHERE action = 'number.update'")
            )
        ).one()
        assert list(told) == [
            {"trunk_id": first, "revision": 1, "removed": False},
            {"trunk_id": second, "revision": 1, "removed": False},
            {"trunk_id": first, "revision": 2, "removed": True},
        ]
    assert audited.before["sip_endpoint"] == OUTBOUND["sip_endpoint"]
    assert audited.after["sip_endpoint"] == "sip:new.example.com"
