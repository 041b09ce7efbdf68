"""Passwords in a document: never shown, kept by their mark, and only where they belong."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from settings import Settings
from storage.engine import Database
from storage.outbound import outbound_of, password_of
from tests.api.configured import attached, box_of
from tests.api.states import applied, configured, document, error, put, rows
from tests.api.tenants import Tenant

MARK = "********"
BOB: dict[str, Any] = {
    "sip_endpoint": "sip:trunk.provider.com",
    "options": {"sip_username": "bob", "sip_password": MARK, "port": 5070},
}


def route(**options: Any) -> dict[str, Any]:
    return {**BOB, "options": {**BOB["options"], **options}}


async def password(database: Database, settings: Settings, tenant: Tenant, number: str) -> Any:
    """The password of a number's first outbound configuration."""
    async with database.tenant(tenant.org_id) as session:
        config = (await outbound_of(session, number))[0]
        return await password_of(session, box_of(settings), config.trunk_id)


async def passwords(
    database: Database, settings: Settings, tenant: Tenant, *numbers: str
) -> list[Any]:
    return [await password(database, settings, tenant, number) for number in numbers]


async def give(client: httpx.AsyncClient, tenant: Tenant, **by_number: str) -> None:
    """Attach numbers (by their last digit) that differ in the password alone."""
    for last, secret in by_number.items():
        direction = {"type": "outbound", **route(sip_password=secret)}
        await attached(client, tenant, f"+1415000000{last[1:]}", directions=[direction])


async def entry(*numbers: str, **options: Any) -> list[dict[str, Any]]:
    return [{"phone_numbers": list(numbers), "outbound": [route(**options)]}]


async def test_a_mark_keeps_the_password_through_a_change_of_other_settings(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, settings: Settings
) -> None:
    trunk_id = await configured(client, tenant)
    body = await document(client, tenant)
    body["trunks"][0]["options"]["port"] = 5099
    body["trunks"][0]["register_auth"]["username"] = "acme-2"
    body["numbers"][1]["outbound"][0]["options"]["port"] = 5098

    answer = await put(client, tenant, body)

    assert answer.status_code == 200
    assert "canary" not in answer.text
    assert "register_passwords_for_pbx" not in answer.json()["data"]
    async with database.tenant(tenant.org_id) as session:
        assert await password_of(session, box_of(settings), trunk_id) == "canary-call"
    assert await password(database, settings, tenant, "+14150000003") == "canary-bob"


async def test_each_number_of_an_entry_keeps_its_own_password(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, settings: Settings
) -> None:
    await give(client, tenant, n1="canary-1", n2="canary-2")
    both = "+14150000001", "+14150000002"
    body = await document(client, tenant)
    assert body["numbers"] == await entry(*both)

    await applied(client, tenant, [], await entry(*both, port=5071))

    found = await passwords(database, settings, tenant, *both)
    assert found == ["canary-1", "canary-2"]


async def test_a_number_that_joins_others_gets_their_password(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, settings: Settings
) -> None:
    await give(client, tenant, n1="canary-1")

    await applied(client, tenant, [], await entry("+14150000001", "+14150000009"))
    found = await passwords(database, settings, tenant, "+14150000009")
    # In an entry of its own, by the settings alone.
    await applied(
        client,
        tenant,
        [],
        [*await entry("+14150000001"), *await entry("+14150000008")],
    )
    found += await passwords(database, settings, tenant, "+14150000008")

    assert found == ["canary-1", "canary-1"]


async def test_a_new_number_among_different_passwords_must_bring_its_own(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    await give(client, tenant, n1="canary-1", n2="canary-2")

    answer = await put(
        client,
        tenant,
        {
            "version": 1,
            "trunks": [],
            "numbers": await entry("+14150000001", "+14150000002", "+14150000003"),
        },
    )

    place = "numbers.0.outbound.0.options.sip_password"
    assert error(answer) == (400, "INVALID_REQUEST", place)


async def test_a_password_does_not_follow_to_another_user(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    await give(client, tenant, n1="canary-1")
    other = await entry("+14150000001", sip_username="eve")

    answer = await put(client, tenant, {"version": 1, "trunks": [], "numbers": other})

    place = "numbers.0.outbound.0.options.sip_password"
    assert error(answer) == (400, "INVALID_REQUEST", place)


async def test_another_password_is_shown_as_a_change_of_marks(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, settings: Settings
) -> None:
    await give(client, tenant, n1="canary-1")

    answer = await applied(
        client, tenant, [], await entry("+14150000001", sip_password="canary-new")
    )

    (change,) = answer["changes"]
    assert change["action"] == "number.update"
    assert change["fields"] == [{"field": "0.options.sip_password", "before": MARK, "after": MARK}]
    assert await password(database, settings, tenant, "+14150000001") == "canary-new"
    async with database.tenant(tenant.org_id) as session:
        (after,) = await session.scalars(
            text("SELECT after FROM audit_log WHERE action = 'number.update'")
        )
    assert after["password_changed"] is True


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"options": {"sip_username": "a", "sip_password": MARK}}, "options.sip_password"),
        (
            {"auth_mode": "register", "register_auth": {"username": "a", "password": MARK}},
            "register_auth.password",
        ),
    ],
)
async def test_a_mark_without_a_password_is_refused(
    client: httpx.AsyncClient, tenant: Tenant, fields: dict[str, Any], place: str
) -> None:
    new = {"name": "New", "direction": "inbound", **fields}
    numbers = [{"phone_numbers": ["+14150000001"], "inbound": [fields]}]

    on_trunk = await put(client, tenant, {"version": 1, "trunks": [new], "numbers": []})
    on_number = await put(client, tenant, {"version": 1, "trunks": [], "numbers": numbers})

    assert error(on_trunk) == (400, "INVALID_REQUEST", f"trunks.0.{place}")
    assert error(on_number) == (400, "INVALID_REQUEST", f"numbers.0.inbound.0.{place}")


async def test_nothing_that_is_stored_or_told_holds_a_password_in_the_clear(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    await configured(client, tenant)
    body = await document(client, tenant)
    body["trunks"][0]["options"]["sip_password"] = "canary-call-2"
    body["trunks"][0]["register_auth"]["password"] = "canary-register-2"
    body["numbers"][1]["outbound"][0]["options"]["sip_password"] = "canary-bob-2"

    answer = await put(client, tenant, body)

    assert answer.status_code == 200
    kept = "".join(row for table in (await rows(database, tenant)).values() for row in table)
    for secret in ("canary", b"canary".hex()):
        assert secret not in answer.text + kept
