from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

import httpx

from storage import audit
from storage.engine import Database
from storage.secret_box import SecretBox
from storage.tables import AuditEntry, Organization
from tests.api.tenants import Tenant


async def audited(database: Database, org_id: str) -> list[AuditEntry]:
    async with database.tenant(org_id) as session:
        return await audit.entries(session, org_id, limit=50)


class TestEntitlements:
    async def test_taking_sip_away_closes_its_routes_at_once(
        self, client: httpx.AsyncClient, tenant: Tenant
    ) -> None:
        before = await client.get("/v1/sip/providers", headers=tenant.viewer)
        taken = await client.put(
            f"/v1/organizations/{tenant.org_id}/entitlements",
            json={"entitlements": []},
            headers=tenant.operator,
        )
        after = await client.get("/v1/sip/providers", headers=tenant.viewer)

        assert before.status_code == 200
        assert taken.json()["data"]["entitlements"] == []
        assert after.status_code == 403
        assert after.json()["errors"] == [
            {
                "error": "SIP_NOT_ENABLED",
                "message": "SIP is not enabled for this organization",
            }
        ]


class TestSigningSecret:
    async def test_it_is_shown_once_and_kept_sealed(
        self,
        client: httpx.AsyncClient,
        tenant: Tenant,
        database: Database,
        app: Any,
    ) -> None:
        url = f"/v1/organizations/{tenant.org_id}"
        first = await client.post(f"{url}/signing-secret", headers=tenant.editor)
        second = await client.post(f"{url}/signing-secret", headers=tenant.operator)
        shown = await client.get(url, headers=tenant.viewer)

        assert first.status_code == second.status_code == 201
        secrets = [each.json()["data"]["signing_secret"] for each in (first, second)]
        assert secrets[0] != secrets[1]
        for secret in secrets:
            assert len(b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
        assert all(secret not in shown.text for secret in secrets)
        assert datetime.fromisoformat(
            shown.json()["data"]["signing_secret_set_at"]
        ) <= datetime.now(UTC)
        async with database.tenant(tenant.org_id) as session:
            row = await session.get(Organization, tenant.org_id)
            assert row is not None
            sealed = row.signing_secret_sealed
        assert sealed is not None
        box: SecretBox = app.state.trunkline.secret_box
        opened = box.open(sealed, purpose="signing_secret", org_id=tenant.org_id)
        assert opened.decode() == secrets[1]
        entries = await audited(database, tenant.org_id)
        assert [each.action for each in entries] == ["organization.rotate_signing_secret"] * 2
        assert not any(secret in str(each.after) for secret in secrets for each in entries)

    async def test_a_viewer_may_not(self, client: httpx.AsyncClient, tenant: Tenant) -> None:
        answer = await client.post(
            f"/v1/organizations/{tenant.org_id}/signing-secret", headers=tenant.viewer
        )

        assert answer.status_code == 403
