"""``options.health_check``: kept, merged as a whole, exported and refused like other options."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from storage.engine import Database
from tests.api.configured import OUTBOUND, attached, configuration, post
from tests.api.states import applied, document, put
from tests.api.tenants import Tenant
from tests.api.trunk_calls import create, get, patch

NUMBER = "+14155550123"
CISCO: dict[str, Any] = {"preset": "cisco"}
WHOLE: dict[str, Any] = {
    "preset": "cisco",
    "down_codes": [],
    "up_codes": [],
    "source": "options",
}


def outbound(health_check: Any) -> dict[str, Any]:
    return {**OUTBOUND, "options": {"port": 5061, "health_check": health_check}}


async def test_it_is_kept_with_its_defaults_and_cleared_by_null(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    await attached(client, tenant, NUMBER, directions=[outbound(CISCO)])
    found = await configuration(client, tenant, NUMBER)
    assert found["outbound"]["options"] == {"port": 5061, "health_check": WHOLE}

    calls = {"source": "calls"}
    for given, expected in (
        ({"health_check": calls}, {"health_check": {**WHOLE, "preset": "standard", **calls}}),
        ({"health_check": None}, {}),
    ):
        answer = await post(
            client,
            tenant,
            "update",
            phone_number=NUMBER,
            updates={"type": "outbound", "options": given},
        )
        assert answer.status_code == 200, answer.text
        options = answer.json()["data"]["outbound"]["options"]
        assert options == {"port": 5061, **expected}


async def test_numbers_attached_without_one_keep_their_trunk(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    await attached(client, tenant, NUMBER, directions=[OUTBOUND])
    async with database.tenant(tenant.org_id) as session:
        before = await session.scalar(text("SELECT fingerprint FROM trunks"))
    without = {**OUTBOUND, "options": {**OUTBOUND["options"], "health_check": None}}
    await attached(client, tenant, "+14155550124", directions=[without])
    await attached(client, tenant, "+14155550125", directions=[outbound(CISCO)])
    async with database.tenant(tenant.org_id) as session:
        after = await session.scalars(text("SELECT fingerprint FROM trunks ORDER BY created_at"))
        assert after.all()[:1] == [before]
        assert await session.scalar(text("SELECT count(*) FROM trunks")) == 2


async def test_a_trunk_shows_and_changes_it(client: httpx.AsyncClient, tenant: Tenant) -> None:
    custom = {"preset": "custom", "down_codes": [503, 480], "up_codes": []}
    made = await create(client, tenant, options={"health_check": custom})
    assert made["options"]["health_check"] == {**custom, "source": "options"}
    changed = await patch(client, tenant, made["trunk_id"], options={"health_check": CISCO})
    assert changed.status_code == 200, changed.text
    found = await get(client, tenant, made["trunk_id"])
    assert found["options"]["health_check"] == WHOLE


async def test_the_exported_document_changes_nothing(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    await attached(client, tenant, NUMBER, directions=[outbound(CISCO)])
    await create(client, tenant, options={"health_check": {"source": "calls"}})
    exported = await document(client, tenant)
    answer = await put(client, tenant, exported, dry_run=True)
    assert answer.json()["data"]["changes"] == []

    exported["trunks"][0]["options"] = {}
    plan = await applied(client, tenant, exported["trunks"], exported["numbers"])
    assert [each["action"] for each in plan["changes"]] == ["trunk.update"]
    fields = {each["field"] for each in plan["changes"][0]["fields"]}
    assert any(field.startswith("options.health_check") for field in fields)


@pytest.mark.parametrize(
    ("health_check", "field"),
    [
        ({"preset": "custom"}, "down_codes"),
        ({"preset": "cisco", "down_codes": [503]}, "preset"),
        ({"down_codes": [503]}, "preset"),
        ({"preset": "custom", "down_codes": [200]}, "down_codes"),
        ({"preset": "custom", "down_codes": [503], "up_codes": [503]}, "down_codes"),
        ({"preset": "custom", "down_codes": [100]}, "down_codes.0"),
        ({"preset": "custom", "up_codes": [200, 700]}, "up_codes.1"),
        ({"preset": "custom", "up_codes": list(range(200, 265))}, "up_codes"),
        ({"preset": "loose"}, "preset"),
        ({"preset": None}, "preset"),
        ({"source": "rain"}, "source"),
        ({"interval": 5}, "interval"),
    ],
)
async def test_what_is_no_rule_is_refused_with_its_place(
    client: httpx.AsyncClient, tenant: Tenant, health_check: Any, field: str
) -> None:
    answer = await post(
        client,
        tenant,
        "attach",
        phone_number=NUMBER,
        service="sip",
        directions=[outbound(health_check)],
    )
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["field"] == f"directions.0.options.health_check.{field}"
    assert error["message"].startswith(error["field"])
