"""What applying a document does to rows, ids, revisions, the audit log and PBX passwords."""

from __future__ import annotations

from typing import Any

import httpx
from sqlalchemy import text

from storage.engine import Database
from tests.api.configured import OUTBOUND, attached, configuration
from tests.api.states import applied, document, error, export, put, rows
from tests.api.tenants import Tenant
from tests.api.trunk_calls import create

NUMBER = "+14150000001"
ON_ACME = [{"trunk": "Acme"}]
ACME: dict[str, Any] = {"name": "Acme", "direction": "both", "sip_endpoint": "acme.example.com"}
EMPTY: dict[str, Any] = {"version": 1, "trunks": [], "numbers": []}
PLAIN: dict[str, Any] = {"sip_endpoint": "sip:trunk.provider.com"}


def numbers(*found: str, **routes: Any) -> dict[str, Any]:
    return {"phone_numbers": list(found), **routes}


async def test_likes_share_a_trunk_with_numbers_that_were_attached(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    await attached(client, tenant, NUMBER, directions=[OUTBOUND])
    like = {"sip_endpoint": OUTBOUND["sip_endpoint"], "options": OUTBOUND["options"]}

    await applied(client, tenant, [], [numbers(NUMBER, "+14150000002", outbound=[like])])

    assert len((await rows(database, tenant))["trunks"]) == 1


async def test_changes_are_audited_and_announced_as_if_each_had_its_request(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    await applied(client, tenant, [ACME], [numbers(NUMBER, "2001", outbound=ON_ACME)])
    moved = numbers(NUMBER, outbound=[PLAIN])
    await applied(client, tenant, [{**ACME, "provider": "x"}], [moved])

    async with database.tenant(tenant.org_id) as session:
        entries = list(
            await session.execute(
                text(
                    "SELECT action, subject_id, actor_kind, request_id, before, after "
                    "FROM audit_log WHERE actor_kind = 'api_key' ORDER BY id"
                )
            )
        )
        revisions = list(
            await session.execute(
                text(
                    "SELECT payload->>'trunk_id', (payload->>'revision')::int, "
                    "(payload->>'removed')::boolean FROM outbox ORDER BY id"
                )
            )
        )
        found = await session.execute(text("SELECT id, revision FROM trunks"))
        stored = {row.id: row.revision for row in found}
    assert entries[0].action == "trunk.create"
    assert [(each.action, each.subject_id) for each in entries[1:]] == [
        ("number.attach", NUMBER),
        ("number.attach", "2001"),
        ("trunk.update", entries[0].subject_id),
        ("number.detach", "2001"),
        ("number.update", NUMBER),
    ]
    assert len({each.request_id for each in entries}) == 2
    acme_id = entries[0].subject_id
    assert entries[3].before["provider"] == "custom"
    assert entries[3].after["provider"] == "x"
    assert entries[5].before["trunk_id"] == acme_id
    assert entries[5].after["sip_endpoint"] == "sip:trunk.provider.com"
    (plain_id,) = set(stored) - {acme_id}
    assert sorted(revisions) == sorted(
        [(acme_id, 1, False), (acme_id, 2, False), (plain_id, 1, False)]
    )
    assert stored == {acme_id: 2, plain_id: 1}


async def test_registrations_that_the_document_brings_answer_the_password_for_the_pbx(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    auth = {"username": "acme", "password": "canary-register"}
    acme = {**ACME, "auth_mode": "register", "register_auth": auth}
    body = {"version": 1, "trunks": [acme], "numbers": []}

    planned = (await put(client, tenant, body, dry_run=True)).json()["data"]
    made = (await put(client, tenant, body)).json()["data"]

    assert "register_passwords_for_pbx" not in planned
    (shown,) = made["register_passwords_for_pbx"]
    assert shown["username"] == "acme"
    direct = await create(client, tenant, name="Other", register_auth=auth)
    assert shown["register_password_for_pbx"] == direct["register_password_for_pbx"]
    again = await put(client, tenant, await document(client, tenant))
    assert "register_passwords_for_pbx" not in again.json()["data"]


async def test_a_configuration_keeps_its_id_while_its_trunk_or_its_place_stays(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    backup = {"sip_endpoint": "sip:backup.example.com"}
    await applied(client, tenant, [ACME], [numbers(NUMBER, outbound=[PLAIN, backup, *ON_ACME])])
    ids = await _ids(client, tenant)

    edited = {**PLAIN, "options": {"port": 5071}}
    await applied(client, tenant, [ACME], [numbers(NUMBER, outbound=[edited, backup, *ON_ACME])])
    assert await _ids(client, tenant) == ids

    await applied(client, tenant, [ACME], [numbers(NUMBER, outbound=[*ON_ACME, edited, backup])])
    assert await _ids(client, tenant) == [ids[2], ids[0], ids[1]]

    await applied(client, tenant, [ACME], [numbers(NUMBER, outbound=[backup])])
    assert await _ids(client, tenant) == [ids[1]]


async def _ids(client: httpx.AsyncClient, tenant: Tenant) -> list[str]:
    shown = await configuration(client, tenant, NUMBER)
    return [each["id"] for each in shown["outbound_configs"]]


async def test_viewers_see_the_configuration_and_do_not_apply_one(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    for params in ({}, {"dry_run": "true"}):
        answer = await client.put("/v1/sip/state", json=EMPTY, params=params, headers=tenant.viewer)
        assert error(answer) == (403, "FORBIDDEN", None)
    assert (await export(client, tenant)).status_code == 200
