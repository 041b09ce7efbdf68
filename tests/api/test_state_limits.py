"""How large a configuration may be as a document: what is exported is what can be applied."""

from __future__ import annotations

from typing import Any

import httpx
import psycopg
import pytest

from api.body_limit import MAX_BODY_BYTES, MAX_STATE_BYTES
from api.schemas.state import MAX_STATE_NUMBERS, MAX_STATE_TRUNKS
from api.services.state import MAX_EXPORT_BYTES
from domain.trunk import TrunkDirection, TrunkProfile, TrunkSecrets
from settings import Settings
from storage import trunks
from storage.engine import Database
from storage.trunk_vault import TrunkVault
from tests.api.configured import box_of
from tests.api.states import URL, document, error, export, put
from tests.api.tenants import Tenant
from tests.support.postgres import TestDatabase

BIND = """
    INSERT INTO number_bindings (id, org_id, phone_number, direction, trunk_id, priority)
    SELECT 'cfg_' || n, %(org)s, '+1415' || n, 'outbound', %(trunk)s, 0
      FROM generate_series(1000000, 1000000 + %(count)s - 1) n
"""
COPY_TRUNK = """
    INSERT INTO trunks (id, org_id, implicit, name, provider, direction, fingerprint, revision,
                        sip_endpoint, auth_mode, options)
    SELECT id || n, org_id, implicit, name || n, provider, direction, fingerprint, revision,
           sip_endpoint, auth_mode, options
      FROM trunks, generate_series(1, %(count)s) n
"""


async def add_trunks(
    database: Database,
    settings: Settings,
    tenant: Tenant,
    *names: str,
    headers: dict[str, Any] | None = None,
) -> str:
    """Named trunks made without the API; the id of the last one."""
    profile = TrunkProfile(
        direction=TrunkDirection.BOTH, sip_endpoint="sip:trunk.acme.example", headers=headers
    )
    async with database.tenant(tenant.org_id) as session:
        vault = await TrunkVault.opened(session, box_of(settings))
        for name in names:
            made = await trunks.create(
                session, vault, tenant.org_id, profile, TrunkSecrets(), name=name, provider="custom"
            )
    return made.id


async def test_a_document_holds_as_many_numbers_as_are_exported_and_no_more(
    client: httpx.AsyncClient,
    tenant: Tenant,
    database: Database,
    database_urls: TestDatabase,
    settings: Settings,
) -> None:
    trunk_id = await add_trunks(database, settings, tenant, "Acme")
    with psycopg.connect(database_urls.owner_url, autocommit=True) as owner:
        owner.execute(
            BIND, {"org": tenant.org_id, "trunk": trunk_id, "count": MAX_STATE_NUMBERS + 1}
        )

        refused = await client.get(URL, headers=tenant.viewer)
        assert error(refused) == (409, "STATE_TOO_LARGE", None)
        message = refused.json()["errors"][0]["message"]
        assert message.startswith(
            "10,001 numbers are configured, and one document holds at most 10,000."
        )
        assert "GET /v1/sip/numbers" in message
        # Applied, it would take away what it cannot name.
        empty = {"version": 1, "trunks": [], "numbers": []}
        assert error(await put(client, tenant, empty)) == (409, "STATE_TOO_LARGE", None)

        owner.execute("DELETE FROM number_bindings WHERE id = 'cfg_1000000'")
    whole = await document(client, tenant)
    assert sum(len(each["phone_numbers"]) for each in whole["numbers"]) == MAX_STATE_NUMBERS
    answer = await put(client, tenant, whole)
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["changes"] == []


async def test_a_document_holds_as_many_trunks_as_are_exported_and_no_more(
    client: httpx.AsyncClient,
    tenant: Tenant,
    database: Database,
    database_urls: TestDatabase,
    settings: Settings,
) -> None:
    trunk_id = await add_trunks(database, settings, tenant, "Acme")
    with psycopg.connect(database_urls.owner_url, autocommit=True) as owner:
        owner.execute(COPY_TRUNK, {"count": MAX_STATE_TRUNKS})
        assert error(await client.get(URL, headers=tenant.viewer))[:2] == (409, "STATE_TOO_LARGE")
        owner.execute("DELETE FROM trunks WHERE id = %s", [trunk_id])

    answer = await put(client, tenant, await document(client, tenant))

    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["changes"] == []


async def test_long_settings_are_exported_up_to_half_of_what_is_taken(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, settings: Settings
) -> None:
    long = {f"X-Long-{number}": "x" * 1024 for number in range(15)}
    names = [f"Trunk {number}" for number in range(100)]
    await add_trunks(database, settings, tenant, *names, headers=long)

    exported = await export(client, tenant)
    assert MAX_BODY_BYTES < len(exported.content) < MAX_EXPORT_BYTES < MAX_STATE_BYTES
    answer = await put(client, tenant, exported.json()["data"])
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["changes"] == []

    await add_trunks(
        database, settings, tenant, *(f"More {name}" for name in names * 2), headers=long
    )
    refused = await client.get(URL, headers=tenant.viewer)
    assert error(refused)[:2] == (409, "STATE_TOO_LARGE")
    assert f"holds at most {MAX_EXPORT_BYTES:,}." in refused.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("method", "path", "limit"),
    [("PUT", URL, MAX_STATE_BYTES), ("POST", "/v1/sip/trunks", MAX_BODY_BYTES)],
)
async def test_only_a_whole_configuration_may_be_that_long(
    client: httpx.AsyncClient, tenant: Tenant, method: str, path: str, limit: int
) -> None:
    answer = await client.request(
        method,
        path,
        content=b" " * (limit + 1),
        headers={**tenant.editor, "Content-Type": "application/json"},
    )

    assert answer.status_code == 413
    assert str(limit) in answer.json()["errors"][0]["message"]
