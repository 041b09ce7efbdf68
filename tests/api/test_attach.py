"""Attaching numbers (contract 3.2): partial success, what is there already, limits, holders."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from sqlalchemy import text

from storage.engine import Database
from tests.api.configured import INBOUND, OUTBOUND, attached, configuration, post
from tests.api.tenants import Tenant

NUMBER = "+14150000001"


def outbound(host: str, **options: Any) -> dict[str, Any]:
    return {"type": "outbound", "sip_endpoint": f"sip:{host}", "options": options}


async def scalar(database: Database, tenant: Tenant, query: str) -> Any:
    async with database.tenant(tenant.org_id) as session:
        return await session.scalar(text(query))


async def test_the_contracts_example_is_answered_as_the_contract_says(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    numbers = ["+14150000001", "+14150000002", "+14150000003"]

    answer = await post(
        client,
        tenant,
        "attach",
        phone_numbers=numbers,
        directions=[INBOUND, OUTBOUND],
        service="sip",
    )

    assert answer.status_code == 200
    assert answer.json() == {"data": {"configured": numbers, "failed": []}, "errors": None}


async def test_a_hundred_numbers_of_one_provider_share_one_trunk(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    numbers = [f"+1415000{last:04}" for last in range(100)]

    await attached(client, tenant, *numbers, directions=[OUTBOUND])
    await attached(client, tenant, "+14150009999", directions=[OUTBOUND])

    assert await scalar(database, tenant, "SELECT count(*) FROM trunks") == 1
    assert await scalar(database, tenant, "SELECT count(*) FROM number_bindings") == 101


async def test_what_is_there_already_is_not_added_again(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    # The same connection in other words: order of keys, case of the host, defaults written out.
    again = {
        "options": {"secure_media": True, "transport": "tls", "port": 5061, "sip_realm": None},
        "headers": {"direction": "outbound", "headers": []},
        "sip_endpoint": "SIP:Trunk.Provider.COM",
        "type": "outbound",
    }
    first = await attached(client, tenant, NUMBER, directions=[OUTBOUND])
    rows = "SELECT (SELECT count(*) FROM audit_log) + (SELECT count(*) FROM outbox)"
    written = await scalar(database, tenant, rows)
    second = await attached(client, tenant, NUMBER, directions=[again, again])

    assert first == second == {"configured": [NUMBER], "failed": []}
    assert len((await configuration(client, tenant, NUMBER))["outbound_configs"]) == 1
    assert await scalar(database, tenant, rows) == written


async def test_another_password_is_another_connection(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    for password in ("first-password", "second-password", "first-password"):
        options = {"sip_username": "acme", "sip_password": password}
        await attached(client, tenant, NUMBER, directions=[outbound("pbx.example.com", **options)])

    shown = await configuration(client, tenant, NUMBER)
    assert [each["options"] for each in shown["outbound_configs"]] == [
        {"sip_username": "acme", "sip_password": "********"}
    ] * 2


async def test_another_connection_comes_behind_those_that_are_there(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    for host in ("one.example.com", "two.example.com", "three.example.com"):
        await attached(client, tenant, NUMBER, directions=[outbound(host)])

    shown = await configuration(client, tenant, NUMBER)
    assert shown["outbound"]["sip_endpoint"] == "sip:one.example.com"
    assert [each["sip_endpoint"] for each in shown["outbound_configs"]] == [
        "sip:one.example.com",
        "sip:two.example.com",
        "sip:three.example.com",
    ]
    assert shown["inbound"] is None


async def test_the_eleventh_configuration_fails_that_number_only(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    for index in range(9):
        await attached(client, tenant, NUMBER, directions=[outbound(f"s{index}.example.com")])
    await attached(client, tenant, NUMBER, directions=[INBOUND])

    answer = await attached(
        client, tenant, NUMBER, "+14150000002", directions=[outbound("eleventh.example.com")]
    )

    assert answer["configured"] == ["+14150000002"]
    (failed,) = answer["failed"]
    assert (failed["phone_number"], failed["error"]) == (NUMBER, "CONFIG_LIMIT")
    assert len((await configuration(client, tenant, NUMBER))["outbound_configs"]) == 9


async def test_a_number_that_cannot_have_all_directions_gets_none(
    client: httpx.AsyncClient, tenant: Tenant, other_tenant: Tenant
) -> None:
    await attached(client, other_tenant, NUMBER, directions=[INBOUND])

    answer = await attached(client, tenant, NUMBER, "+14150000002", directions=[INBOUND, OUTBOUND])

    assert answer["configured"] == ["+14150000002"]
    (failed,) = answer["failed"]
    assert (failed["phone_number"], failed["error"]) == (NUMBER, "NUMBER_UNAVAILABLE")
    missing = await client.get("/v1/sip", params={"phone_number": NUMBER}, headers=tenant.viewer)
    assert missing.status_code == 404


async def test_two_organizations_may_call_from_the_same_number(
    client: httpx.AsyncClient, tenant: Tenant, other_tenant: Tenant
) -> None:
    for each in (tenant, other_tenant):
        answer = await attached(client, each, NUMBER, directions=[OUTBOUND])
        assert answer["configured"] == [NUMBER]


async def test_a_detached_number_can_be_taken_by_another_organization(
    client: httpx.AsyncClient, tenant: Tenant, other_tenant: Tenant
) -> None:
    await attached(client, other_tenant, NUMBER, directions=[INBOUND])
    detached = await post(
        client,
        other_tenant,
        "detach",
        phone_number=NUMBER,
        directions=[{"type": "inbound"}],
        service="sip",
    )

    answer = await attached(client, tenant, NUMBER, directions=[INBOUND])

    assert detached.status_code == 200
    assert answer == {"configured": [NUMBER], "failed": []}


async def test_numbers_are_read_with_or_without_plus_and_each_is_configured_once(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    answer = await attached(
        client,
        tenant,
        "14150000001",
        "+14150000001",
        "(415) 555-0100",
        "4155550101",
        "0044 20 7946 0018",
        "",
        directions=[OUTBOUND],
    )

    assert answer["configured"] == [NUMBER]
    assert {each["error"] for each in answer["failed"]} == {"INVALID_NUMBER"}
    suggested = [each["message"].partition("Did you mean ")[2] for each in answer["failed"]]
    assert suggested == ["+14155550100?", "+14155550101?", "+442079460018?", ""]


async def test_concurrent_attaches_leave_one_winner_for_each_slot(
    client: httpx.AsyncClient, tenant: Tenant, other_tenant: Tenant, database: Database
) -> None:
    numbers = [f"+1415000{last:04}" for last in range(20)]
    hosts = [f"h{index}.example.com" for index in range(4)]

    await asyncio.gather(
        *(
            attached(client, each, *order, directions=[INBOUND, outbound(host)])
            for each in (tenant, other_tenant)
            for host in hosts
            for order in (numbers, numbers[::-1])
        )
    )

    async with database.system() as session:
        holders = await session.scalars(
            text(
                "SELECT count(DISTINCT org_id) FROM number_bindings "
                "WHERE direction = 'inbound' GROUP BY phone_number"
            )
        )
        slots = await session.execute(
            text(
                "SELECT count(*), max(priority) FROM number_bindings "
                "WHERE direction = 'outbound' GROUP BY org_id, phone_number"
            )
        )
        assert list(holders) == [1] * len(numbers)
        assert [tuple(row) for row in slots] == [(4, 3)] * len(numbers)
        claims = await session.scalar(text("SELECT count(*) FROM inbound_numbers"))
    assert claims == len(numbers)


async def test_every_configured_number_is_in_the_audit_log_and_every_trunk_in_the_outbox(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    await attached(client, tenant, "+14150000001", "+14150000002", directions=[INBOUND, OUTBOUND])
    await attached(client, tenant, "+14150000003", directions=[OUTBOUND])

    async with database.tenant(tenant.org_id) as session:
        audited = await session.execute(
            text("SELECT subject_id, actor_kind, action FROM audit_log ORDER BY id")
        )
        told = await session.execute(
            text(
                "SELECT t.direction, o.kind, o.payload->>'revision' FROM outbox o "
                "JOIN trunks t ON o.stream = 'trunk:' || t.id ORDER BY t.direction, o.id"
            )
        )
        assert [tuple(row) for row in audited] == [
            (f"+1415000000{last}", "api_key", "number.attach") for last in (1, 2, 3)
        ]
        assert [tuple(row) for row in told] == [
            ("inbound", "trunk.changed", "1"),
            ("outbound", "trunk.changed", "1"),
            ("outbound", "trunk.changed", "2"),
        ]
