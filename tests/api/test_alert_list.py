"""The list of alerts: its pages, and what it leaves out."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import httpx
import pytest

from storage import alerts
from storage.engine import Database
from tests.api.alerted import OPENED_AT, add_alert
from tests.api.tenants import Tenant

pytestmark = pytest.mark.postgres

URL = "/v1/sip/alerts"


async def test_pages_hold_every_alert_once_the_newest_first(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    # Two of them opened at the same moment.
    ages = [0, 3, 1, 1, 2]
    made = [
        await add_alert(
            database,
            tenant.org_id,
            f"sip{number}.example.com",
            opened_at=OPENED_AT - timedelta(hours=age),
        )
        for number, age in enumerate(ages)
    ]
    seen: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        params: dict[str, str | int] = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        answer = await client.get(URL, params=params, headers=tenant.viewer)
        page = answer.json()["data"]
        assert len(page["alerts"]) <= 2
        seen += page["alerts"]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    newest_first = sorted(made, key=lambda each: (each.opened_at, each.alert_id), reverse=True)
    assert [each["alert_id"] for each in seen] == [each.alert_id for each in newest_first]


async def test_a_page_stays_where_it_is_when_its_last_alert_comes_back(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    first = await add_alert(database, tenant.org_id, "a.example.com")
    older = await add_alert(
        database,
        tenant.org_id,
        "b.example.com",
        opened_at=OPENED_AT - timedelta(hours=1),
    )
    page = await client.get(URL, params={"limit": 1}, headers=tenant.viewer)
    async with database.tenant(tenant.org_id) as session:
        again = first.model_copy(update={"opened_at": OPENED_AT + timedelta(minutes=9)})
        await alerts.save(session, [again])
    rest = await client.get(
        URL,
        params={"cursor": page.json()["data"]["next_cursor"]},
        headers=tenant.viewer,
    )

    assert [each["alert_id"] for each in rest.json()["data"]["alerts"]] == [older.alert_id]


@pytest.mark.parametrize(
    ("query", "causes"),
    [
        ({}, ["on.example.com", "over.example.com"]),
        ({"open": "true"}, ["on.example.com"]),
        ({"open": "false"}, ["over.example.com"]),
    ],
)
async def test_it_holds_open_ones_or_those_that_are_over_or_both(
    client: httpx.AsyncClient,
    tenant: Tenant,
    database: Database,
    query: dict[str, str],
    causes: list[str],
) -> None:
    await add_alert(database, tenant.org_id, "on.example.com")
    await add_alert(
        database,
        tenant.org_id,
        "over.example.com",
        opened_at=OPENED_AT - timedelta(hours=1),
        resolved_at=OPENED_AT,
    )
    answer = await client.get(URL, params=query, headers=tenant.viewer)

    found = answer.json()["data"]["alerts"]
    assert [each["cause"] for each in found] == causes
    assert [each["open"] for each in found] == [each["cause"][:2] == "on" for each in found]


async def test_it_is_the_organizations_own(
    client: httpx.AsyncClient,
    tenant: Tenant,
    other_tenant: Tenant,
    database: Database,
) -> None:
    await add_alert(database, other_tenant.org_id)
    answer = await client.get(URL, headers=tenant.operator)

    assert answer.json()["data"] == {"alerts": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"open": "maybe"}, "open"),
        ({"cursor": "%%%"}, "cursor"),
        ({"cursor": "ü"}, "cursor"),
        ({"cursor": "x" * 129}, "cursor"),
        *(
            ({"cursor": base64.urlsafe_b64encode(text.encode()).decode()}, "cursor")
            for text in (
                "",
                "yesterday alt_" + "0" * 24,
                "2026-11-20T12:00:00 alt_" + "0" * 24,
                "2026-11-20T12:00:00+00:00 alt_\x00",
                "0001-01-01T00:00:00+23:59 alt_" + "0" * 24,
            )
        ),
    ],
)
async def test_a_wrong_page_is_refused(
    client: httpx.AsyncClient,
    tenant: Tenant,
    params: dict[str, str],
    field: str,
) -> None:
    answer = await client.get(URL, params=params, headers=tenant.viewer)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field
