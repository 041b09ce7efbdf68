from __future__ import annotations

from typing import Any

import httpx
import pytest

from storage import audit
from storage.engine import Database
from storage.tables import AuditEntry
from tests.api.tenants import Tenant

WEBHOOK = {"url": "https://hooks.example.com/trunkline", "description": "pager"}


async def audited(database: Database, org_id: str) -> list[AuditEntry]:
    async with database.tenant(org_id) as session:
        return await audit.entries(session, org_id, limit=50)


async def create(client: httpx.AsyncClient, tenant: Tenant, **fields: Any) -> httpx.Response:
    body = {"name": "New", **fields}
    return await client.post("/v1/organizations", json=body, headers=tenant.operator)


class TestCreate:
    async def test_an_operator_makes_an_organization(
        self, client: httpx.AsyncClient, tenant: Tenant, database: Database
    ) -> None:
        answer = await create(
            client,
            tenant,
            region="apac",
            entitlements=["SIP"],
            alert_emails=["NOC@Example.COM"],
            alert_phones=["+14155550100"],
            webhook_endpoints=[WEBHOOK],
        )

        assert answer.status_code == 201
        data = answer.json()["data"]
        assert answer.json()["errors"] is None
        assert data["org_id"].startswith("org_")
        assert (data["region"], data["region_name"]) == ("apac", "ASIA1")
        assert data["alert_emails"] == ["NOC@example.com"]
        assert data["webhook_endpoints"][0]["webhook_id"].startswith("whk_")
        assert data["signing_secret_set_at"] is None
        (entry,) = await audited(database, data["org_id"])
        assert entry.action == "organization.create"
        assert entry.actor_id in tenant.key_ids.values()
        assert entry.request_id == answer.headers["X-Request-Id"]
        assert entry.after is not None
        assert entry.after["name"] == "New"

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"name": ""}, "name"),
            ({"name": "   "}, "name"),
            ({"name": 7}, "name"),
            ({"name": "x" * 201}, "name"),
            ({"name": "a\x00b"}, "name"),
            ({"region": "mars"}, "region"),
            ({"entitlements": ["FAX"]}, "entitlements.0"),
            ({"alert_emails": ["nobody"]}, "alert_emails.0"),
            ({"alert_emails": ["a@b"]}, "alert_emails.0"),
            ({"alert_emails": ["a b@example.com"]}, "alert_emails.0"),
            ({"alert_emails": ["a@10.0.0.1"]}, "alert_emails.0"),
            ({"alert_emails": ["a@example.com"] * 2}, "alert_emails"),
            ({"alert_phones": ["4155550100"]}, "alert_phones.0"),
            ({"alert_phones": ["+0155550100"]}, "alert_phones.0"),
            ({"alert_phones": ["+1 415 555 0100"]}, "alert_phones.0"),
            ({"alert_phones": ["+1234567890123456"]}, "alert_phones.0"),
            ({"alert_phones": ["+14155550100\n"]}, "alert_phones.0"),
            ({"webhook_endpoints": [{"url": "ftp://example.com/"}]}, "webhook_endpoints.0.url"),
            ({"webhook_endpoints": [{"url": "http://example.com/"}]}, "webhook_endpoints.0.url"),
            ({"webhook_endpoints": [{"url": "http://127.0.0.1/"}]}, "webhook_endpoints.0.url"),
            (
                {"webhook_endpoints": [{"url": "https://u:p@example.com/"}]},
                "webhook_endpoints.0.url",
            ),
            (
                {"webhook_endpoints": [{"url": "https://example.com:99999/"}]},
                "webhook_endpoints.0.url",
            ),
            ({"webhook_endpoints": [{"url": "https://[::1/"}]}, "webhook_endpoints.0.url"),
            ({"webhook_endpoints": [WEBHOOK, WEBHOOK]}, "webhook_endpoints"),
            ({"webhook_endpoints": [{**WEBHOOK, "secret": "x"}]}, "webhook_endpoints.0.secret"),
            ({"surprise": 1}, "surprise"),
        ],
    )
    async def test_a_wrong_field_is_named(
        self, client: httpx.AsyncClient, tenant: Tenant, fields: dict[str, Any], field: str
    ) -> None:
        answer = await create(client, tenant, **fields)

        assert answer.status_code == 400
        assert answer.json()["data"] is None
        (error,) = answer.json()["errors"]
        assert error["error"] == "INVALID_REQUEST"
        assert error["field"] == field
        assert error["message"]

    async def test_every_wrong_field_has_its_own_entry(
        self, client: httpx.AsyncClient, tenant: Tenant
    ) -> None:
        answer = await create(client, tenant, region="mars", alert_phones=["1"], extra=1)

        fields = {each["field"] for each in answer.json()["errors"]}
        assert fields == {"region", "alert_phones.0", "extra"}

    async def test_an_editor_may_not(self, client: httpx.AsyncClient, tenant: Tenant) -> None:
        answer = await client.post("/v1/organizations", json={"name": "New"}, headers=tenant.editor)

        assert answer.status_code == 403
        assert answer.json()["errors"][0]["error"] == "FORBIDDEN"


class TestList:
    async def test_pages_hold_every_organization_once(
        self, client: httpx.AsyncClient, tenant: Tenant
    ) -> None:
        made = {
            (await create(client, tenant, name=f"n{n}")).json()["data"]["org_id"] for n in "123"
        }
        seen: list[str] = []
        cursor: str | None = None
        while True:
            params: dict[str, str | int] = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            answer = await client.get("/v1/organizations", params=params, headers=tenant.operator)
            page = answer.json()["data"]
            assert len(page["organizations"]) <= 2
            seen += [each["org_id"] for each in page["organizations"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break

        assert sorted(seen) == sorted(made | {tenant.org_id})

    @pytest.mark.parametrize(
        ("params", "field"),
        [
            ({"limit": "0"}, "limit"),
            ({"limit": "201"}, "limit"),
            ({"limit": "x"}, "limit"),
            ({"cursor": "%%%"}, "cursor"),
            ({"cursor": "b3JnX3g="}, "cursor"),
            ({"cursor": "ü"}, "cursor"),
            ({"cursor": "a\x00"}, "cursor"),
        ],
    )
    async def test_a_wrong_page_is_refused(
        self, client: httpx.AsyncClient, tenant: Tenant, params: dict[str, str], field: str
    ) -> None:
        answer = await client.get("/v1/organizations", params=params, headers=tenant.operator)

        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == field

    async def test_unknown_query_parameters_are_ignored(
        self, client: httpx.AsyncClient, tenant: Tenant
    ) -> None:
        answer = await client.get("/v1/organizations?colour=red", headers=tenant.operator)

        assert answer.status_code == 200


class TestGet:
    async def test_a_viewer_sees_its_own(self, client: httpx.AsyncClient, tenant: Tenant) -> None:
        answer = await client.get(f"/v1/organizations/{tenant.org_id}", headers=tenant.viewer)

        assert answer.status_code == 200
        assert answer.json()["data"]["name"] == "Example"

    async def test_a_foreign_one_looks_like_none(
        self, client: httpx.AsyncClient, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        foreign = await client.get(
            f"/v1/organizations/{other_tenant.org_id}", headers=tenant.editor
        )
        unknown = await client.get(
            "/v1/organizations/org_0000000000000000000000", headers=tenant.editor
        )

        assert foreign.status_code == unknown.status_code == 404
        assert foreign.json() == unknown.json()
        assert foreign.json()["errors"][0]["error"] == "NOT_FOUND"

    @pytest.mark.parametrize(
        "org_id", ["x", "org_%00", "org_" + "ü" * 22, "key_" + "0" * 22, "org_" + "0" * 22 + "%0A"]
    )
    async def test_what_is_no_id_is_not_found(
        self, client: httpx.AsyncClient, tenant: Tenant, org_id: str
    ) -> None:
        answer = await client.get(f"/v1/organizations/{org_id}", headers=tenant.operator)

        assert answer.status_code == 404
        assert answer.json()["errors"][0]["error"] == "NOT_FOUND"

    async def test_an_operator_sees_all(
        self, client: httpx.AsyncClient, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        answer = await client.get(
            f"/v1/organizations/{other_tenant.org_id}", headers=tenant.operator
        )

        assert answer.json()["data"]["name"] == "Zanzibar Telephony"


class TestChange:
    async def test_an_editor_sets_its_own_recipients(
        self, client: httpx.AsyncClient, tenant: Tenant, database: Database
    ) -> None:
        answer = await client.patch(
            f"/v1/organizations/{tenant.org_id}",
            json={"alert_emails": ["noc@example.com"], "webhook_endpoints": [WEBHOOK]},
            headers=tenant.editor,
        )

        assert answer.status_code == 200
        data = answer.json()["data"]
        assert data["alert_emails"] == ["noc@example.com"]
        assert data["name"] == "Example"
        (entry,) = await audited(database, tenant.org_id)
        assert entry.action == "organization.update"
        assert entry.before == {"alert_emails": [], "webhook_endpoints": []}
        assert entry.after is not None
        assert entry.after["alert_emails"] == ["noc@example.com"]

    @pytest.mark.parametrize(
        "changes", [{"entitlements": ["SIP"]}, {"name": "Mine"}, {"region": "eu"}]
    )
    async def test_the_rest_is_for_operators(
        self, client: httpx.AsyncClient, tenant: Tenant, changes: dict[str, Any]
    ) -> None:
        url = f"/v1/organizations/{tenant.org_id}"
        refused = await client.patch(url, json=changes, headers=tenant.editor)
        done = await client.patch(url, json=changes, headers=tenant.operator)

        assert refused.status_code == 403
        (error,) = refused.json()["errors"]
        assert (error["error"], error["field"]) == ("FORBIDDEN", next(iter(changes)))
        assert done.status_code == 200
        assert changes.items() <= done.json()["data"].items()

    async def test_null_is_not_an_empty_list(
        self, client: httpx.AsyncClient, tenant: Tenant
    ) -> None:
        answer = await client.patch(
            f"/v1/organizations/{tenant.org_id}",
            json={"alert_emails": None},
            headers=tenant.editor,
        )

        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "alert_emails"

    async def test_a_webhook_keeps_its_id_while_its_url_stays(
        self, client: httpx.AsyncClient, tenant: Tenant
    ) -> None:
        url = f"/v1/organizations/{tenant.org_id}"
        second = {"url": "https://b.example.com/"}
        first = await client.patch(
            url, json={"webhook_endpoints": [WEBHOOK]}, headers=tenant.editor
        )
        both = await client.patch(
            url,
            json={"webhook_endpoints": [second, {**WEBHOOK, "description": "new"}]},
            headers=tenant.editor,
        )

        (before,) = first.json()["data"]["webhook_endpoints"]
        added, kept = both.json()["data"]["webhook_endpoints"]
        assert kept["webhook_id"] == before["webhook_id"] != added["webhook_id"]
        assert kept["description"] == "new"

    async def test_a_change_that_changes_nothing_is_not_audited(
        self, client: httpx.AsyncClient, tenant: Tenant, database: Database
    ) -> None:
        bodies: list[dict[str, Any]] = [{}, {"name": "Example"}, {"alert_phones": []}]
        for body in bodies:
            answer = await client.patch(
                f"/v1/organizations/{tenant.org_id}", json=body, headers=tenant.operator
            )
            assert answer.status_code == 200

        assert await audited(database, tenant.org_id) == []
