"""Webhook endpoints: their formats, what of a URL is shown, and which one is which."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from storage import audit, organizations
from storage.engine import Database
from tests.api.tenants import Tenant

pytestmark = pytest.mark.postgres

PLAIN = {"url": "https://hooks.example.com/trunkline"}
SLACK_URL = "https://hooks.slack.com/services/T000/B000/{}"
SLACK = {"url": SLACK_URL.format("first"), "format": "slack"}
EVENTS = "https://events.pagerduty.com/v2/enqueue"
KEY = "R0" + "1a" * 15
PAGERDUTY = {"url": f"{EVENTS}?routing_key={KEY}", "format": "pagerduty"}


async def put(
    client: httpx.AsyncClient, tenant: Tenant, *endpoints: dict[str, Any]
) -> httpx.Response:
    return await client.patch(
        f"/v1/organizations/{tenant.org_id}",
        json={"webhook_endpoints": list(endpoints)},
        headers=tenant.editor,
    )


async def shown(
    client: httpx.AsyncClient, tenant: Tenant, *endpoints: dict[str, Any]
) -> list[dict[str, Any]]:
    answer = await put(client, tenant, *endpoints)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]["webhook_endpoints"]
    return found


async def stored(database: Database, tenant: Tenant) -> list[dict[str, Any]]:
    async with database.tenant(tenant.org_id) as session:
        organization = await organizations.get(session, tenant.org_id)
    assert organization is not None
    return organization.webhook_endpoints


async def test_what_is_secret_in_a_url_is_not_shown_again(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    made = await put(client, tenant, PLAIN, SLACK, PAGERDUTY)
    read = await client.get(f"/v1/organizations/{tenant.org_id}", headers=tenant.viewer)
    async with database.tenant(tenant.org_id) as session:
        (entry,) = await audit.entries(session, tenant.org_id, limit=50)

    views = made.json()["data"]["webhook_endpoints"]
    assert [(each["format"], each["url"]) for each in views] == [
        ("standard", PLAIN["url"]),
        ("slack", "https://hooks.slack.com/***"),
        ("pagerduty", f"{EVENTS}?routing_key=***"),
    ]
    for text in (made.text, read.text, str(entry.after)):
        assert "T000" not in text
        assert KEY not in text
    assert [each["url"] for each in await stored(database, tenant)] == [
        PLAIN["url"],
        SLACK["url"],
        PAGERDUTY["url"],
    ]


async def test_a_list_can_be_read_changed_and_written(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    second = {"url": SLACK_URL.format("second"), "format": "slack"}
    made = await shown(client, tenant, PLAIN, SLACK, second, PAGERDUTY)
    before = await stored(database, tenant)
    made[3]["description"] = "pager"
    after = await shown(client, tenant, *reversed(made))

    assert after == made[::-1]
    assert await stored(database, tenant) == [{**before[3], "description": "pager"}, *before[2::-1]]


async def test_a_covered_url_alone_stands_for_the_one_that_is_kept(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    made = await shown(client, tenant, SLACK)
    after = await shown(client, tenant, {"url": made[0]["url"], "format": "slack"}, PLAIN)

    assert after[0] == made[0]
    assert (await stored(database, tenant))[0]["url"] == SLACK["url"]


async def test_an_endpoint_keeps_its_id_by_its_url_or_by_being_named(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    slack, plain = await shown(client, tenant, SLACK, PLAIN)
    renewed = {**SLACK, "url": SLACK_URL.format("new"), "webhook_id": slack["webhook_id"]}
    after = await shown(client, tenant, {**PLAIN, "description": "x"}, renewed)

    assert [each["webhook_id"] for each in after] == [plain["webhook_id"], slack["webhook_id"]]
    assert (await stored(database, tenant))[1]["url"] == SLACK_URL.format("new")
    async with database.tenant(tenant.org_id) as session:
        newest, _ = await audit.entries(session, tenant.org_id, limit=50)
    assert newest.after is not None
    assert set(newest.after) == {"webhook_endpoints"}


async def test_a_changed_secret_is_audited_though_it_is_not_shown(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    (made,) = await shown(client, tenant, SLACK)
    await shown(client, tenant, {**made, "url": SLACK_URL.format("new")})
    async with database.tenant(tenant.org_id) as session:
        entries = await audit.entries(session, tenant.org_id, limit=50)

    assert [set(each.after or ()) for each in entries] == [{"webhook_endpoints"}] * 2
    assert "new" not in str(entries[0].after)


async def test_a_list_from_before_there_were_formats_is_standard(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    old = {"id": "whk_" + "0" * 22, "url": PLAIN["url"], "description": ""}
    async with database.system() as session:
        await organizations.change(session, tenant.org_id, webhook_endpoints=[old])
    (same,) = await shown(client, tenant, PLAIN)

    assert (same["webhook_id"], same["format"]) == (old["id"], "standard")
    assert await stored(database, tenant) == [old]


@pytest.mark.parametrize(
    ("endpoint", "member"),
    [
        ({**PLAIN, "format": "carrier-pigeon"}, "format"),
        ({"url": "https://hooks.slack.com/", "format": "slack"}, "url"),
        ({"url": "https://hooks.slack.com/***", "format": "slack"}, "url"),
        ({"url": "https://hooks.example.com/***"}, "url"),
        ({"url": EVENTS, "format": "pagerduty"}, "url"),
        ({"url": f"{EVENTS}?routing_key=", "format": "pagerduty"}, "url"),
        ({"url": f"{EVENTS}?routing_key=a%0Ab", "format": "pagerduty"}, "url"),
        ({"url": f"{EVENTS}?routing_key={KEY}&routing_key=b", "format": "pagerduty"}, "url"),
        ({"url": f"{EVENTS}?routing_key={KEY}&token=b", "format": "pagerduty"}, "url"),
        ({"url": f"{EVENTS}?{'a=1&' * 9}b", "format": "pagerduty"}, "url"),
        ({"url": f"{EVENTS}?routing_key=***", "format": "pagerduty"}, "url"),
        ({"url": "http://hooks.slack.com/services/x", "format": "slack"}, "url"),
        ({**PLAIN, "webhook_id": "whk_" + "0" * 22}, "webhook_id"),
        ({**PLAIN, "webhook_id": 7}, "webhook_id"),
    ],
)
async def test_a_wrong_endpoint_is_refused(
    client: httpx.AsyncClient, tenant: Tenant, endpoint: dict[str, Any], member: str
) -> None:
    answer = await put(client, tenant, endpoint)

    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["field"] == f"webhook_endpoints.0.{member}"


async def test_an_endpoint_is_in_the_list_once(client: httpx.AsyncClient, tenant: Tenant) -> None:
    (made,) = await shown(client, tenant, SLACK)
    renewed = {**made, "url": SLACK_URL.format("new")}
    twice_named = await put(client, tenant, made, renewed)
    twice_sent = await put(client, tenant, renewed, {**SLACK, "url": SLACK_URL.format("new")})

    assert [each.status_code for each in (twice_named, twice_sent)] == [400, 400]
    assert twice_named.json()["errors"][0]["field"] == "webhook_endpoints.1.webhook_id"
    assert twice_sent.json()["errors"][0]["field"] == "webhook_endpoints.1.url"


async def test_a_covered_url_does_not_change_its_format(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    (made,) = await shown(client, tenant, SLACK)
    answer = await put(client, tenant, {"url": made["url"]})

    assert answer.status_code == 400
    assert "enter the whole URL" in answer.json()["errors"][0]["message"]
    assert (await stored(database, tenant))[0]["format"] == "slack"
