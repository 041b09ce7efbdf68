"""Pins, authorities and client certificates of a trunk: checked on entry, and keys never shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from settings import Settings
from storage import trunks
from storage.engine import Database
from storage.outbound import outbound_of
from storage.trunk_vault import client_certificate_of
from tests.api.configured import OUTBOUND, attached, box_of, configuration, post
from tests.api.states import document, error, put
from tests.api.tenants import Tenant
from tests.api.trunk_calls import DRAFT, create, get, patch
from tests.support.certificates import Certified, certified

NUMBER = "+14150000001"
NOW = datetime.now(UTC).replace(microsecond=0)
PIN = "AB:" * 31 + "AB"


@pytest.fixture(scope="module")
def ours() -> Certified:
    return certified(NOW - timedelta(days=1), NOW + timedelta(days=30))


@pytest.fixture(scope="module")
def authority() -> Certified:
    return certified(NOW - timedelta(days=1), NOW + timedelta(days=300), "Acme CA")


def moment(shown: str) -> datetime:
    return datetime.fromisoformat(shown)


async def kept_key(
    database: Database, settings: Settings, tenant: Tenant, trunk_id: str
) -> str | None:
    async with database.tenant(tenant.org_id) as session:
        trunk = await trunks.get(session, tenant.org_id, trunk_id)
        assert trunk is not None
        found = client_certificate_of(box_of(settings), trunk)
    return None if found is None else found.key_pem


async def test_a_certificate_is_shown_with_its_expiry_and_its_key_is_not(
    client: httpx.AsyncClient,
    tenant: Tenant,
    database: Database,
    settings: Settings,
    ours: Certified,
    authority: Certified,
) -> None:
    trunk = await create(
        client,
        tenant,
        options={
            "client_certificate": ours.chain_pem,
            "client_key": ours.key_pem,
            "ca_pem": authority.chain_pem,
            "certificate_pin": PIN,
        },
    )
    trunk_id = trunk["trunk_id"]
    await attached(client, tenant, NUMBER, directions=[{"type": "outbound"}], trunk_id=trunk_id)

    for shown in (
        trunk,
        await get(client, tenant, trunk_id),
        (await configuration(client, tenant, NUMBER))["outbound"],
    ):
        assert shown["options"]["client_certificate"] == ours.chain_pem
        assert shown["options"]["client_key"] == "********"
        assert shown["options"]["certificate_pin"] == "ab" * 32
        assert moment(shown["certificates"]["client_expires_at"]) == NOW + timedelta(days=30)
        assert moment(shown["certificates"]["ca_expires_at"]) == NOW + timedelta(days=300)
    assert await kept_key(database, settings, tenant, trunk_id) == ours.key_pem
    async with database.tenant(tenant.org_id) as session:
        (config,) = await outbound_of(session, NUMBER)
        kept = ""
        for table in ("trunks", "audit_log", "outbox"):
            kept += "".join(await session.scalars(text(f"SELECT to_jsonb(t)::text FROM {table} t")))
    assert config.certificate_pin == "ab" * 32
    assert "PRIVATE KEY" not in kept
    assert ours.key_pem.splitlines()[1] not in kept
    assert "certificates" not in await create(client, tenant)


async def test_a_key_stays_when_its_mark_comes_back_and_goes_with_its_certificate(
    client: httpx.AsyncClient,
    tenant: Tenant,
    database: Database,
    settings: Settings,
    ours: Certified,
) -> None:
    pair = {"client_certificate": ours.chain_pem, "client_key": ours.key_pem}
    trunk_id = (await create(client, tenant, options=pair))["trunk_id"]
    shown = (await get(client, tenant, trunk_id))["options"]
    shown.pop("register_auth")

    again = await patch(client, tenant, trunk_id, options={**shown, "port": 5099})
    assert again.status_code == 200, again.text
    assert await kept_key(database, settings, tenant, trunk_id) == ours.key_pem
    other = await patch(client, tenant, trunk_id, options={"port": None})
    assert other.status_code == 200
    assert await kept_key(database, settings, tenant, trunk_id) == ours.key_pem

    cleared = await patch(client, tenant, trunk_id, options={"client_certificate": None})
    assert cleared.status_code == 200, cleared.text
    assert "client_key" not in (cleared.json()["data"]["options"] or {})
    assert await kept_key(database, settings, tenant, trunk_id) is None


async def test_a_number_gets_its_own_certificate_and_its_siblings_none(
    client: httpx.AsyncClient, tenant: Tenant, ours: Certified
) -> None:
    await attached(client, tenant, NUMBER, "+14150000002", directions=[OUTBOUND])
    pair = {"client_certificate": ours.chain_pem, "client_key": ours.key_pem}

    answer = await post(
        client,
        tenant,
        "update",
        phone_number=NUMBER,
        updates={"type": "outbound", "options": pair},
    )

    assert answer.status_code == 200, answer.text
    assert "PRIVATE" not in answer.text
    assert "certificates" in answer.json()["data"]["outbound"]
    sibling = (await configuration(client, tenant, "+14150000002"))["outbound"]
    assert "certificates" not in sibling


async def test_what_does_not_fit_is_named_and_not_repeated(
    client: httpx.AsyncClient, tenant: Tenant, ours: Certified
) -> None:
    other = certified(NOW - timedelta(days=1), NOW + timedelta(days=1))
    expired = certified(NOW - timedelta(days=9), NOW - timedelta(days=1))
    trunk_id = (await create(client, tenant))["trunk_id"]
    cases: list[tuple[dict[str, Any], str]] = [
        ({"client_certificate": ours.chain_pem}, "options.client_key"),
        ({"client_key": ours.key_pem}, "options.client_certificate"),
        (
            {"client_certificate": ours.chain_pem, "client_key": other.key_pem},
            "options.client_key",
        ),
        (
            {"client_certificate": ours.chain_pem, "client_key": "canary-key"},
            "options.client_key",
        ),
        (
            {"client_certificate": ours.chain_pem, "client_key": "********"},
            "options.client_key",
        ),
        (
            {"client_certificate": expired.chain_pem, "client_key": expired.key_pem},
            "options.client_certificate",
        ),
        (
            {
                "client_certificate": ours.chain_pem + ours.key_pem,
                "client_key": ours.key_pem,
            },
            "options.client_certificate",
        ),
        ({"client_certificate": "canary", "client_key": "x"}, "options.client_certificate"),
        ({"certificate_pin": "AB:CD"}, "options.certificate_pin"),
        ({"certificate_pin": 7}, "options.certificate_pin"),
        ({"ca_pem": ours.key_pem}, "options.ca_pem"),
    ]
    before = await get(client, tenant, trunk_id)
    for options, field in cases:
        for answer in (
            await patch(client, tenant, trunk_id, options=options),
            await post(client, tenant, "trunks", name="x", direction="outbound", options=options),
        ):
            assert answer.status_code == 400, (options, answer.text)
            assert answer.json()["errors"][0]["field"] == field
            assert "canary" not in answer.text
            assert "PRIVATE KEY-----" not in answer.text
    assert await get(client, tenant, trunk_id) == before


async def test_a_renewed_certificate_must_fit_the_key_that_is_kept(
    client: httpx.AsyncClient, tenant: Tenant, ours: Certified
) -> None:
    pair = {"client_certificate": ours.chain_pem, "client_key": ours.key_pem}
    trunk_id = (await create(client, tenant, options=pair))["trunk_id"]
    other = certified(NOW - timedelta(days=1), NOW + timedelta(days=1))

    refused = await patch(client, tenant, trunk_id, options={"client_certificate": other.chain_pem})
    both = await patch(
        client,
        tenant,
        trunk_id,
        options={"client_certificate": other.chain_pem, "client_key": other.key_pem},
    )

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (
        400,
        "options.client_key",
    )
    assert both.status_code == 200


async def test_a_document_keeps_the_key_of_a_trunk_and_of_a_number(
    client: httpx.AsyncClient,
    tenant: Tenant,
    database: Database,
    settings: Settings,
    ours: Certified,
) -> None:
    pair = {"client_certificate": ours.chain_pem, "client_key": ours.key_pem}
    user = {"sip_username": "bob", "sip_password": "canary-bob"}
    trunk_id = (await create(client, tenant, options={**user, **pair}))["trunk_id"]
    await attached(client, tenant, NUMBER, directions=[{**OUTBOUND, "options": {**user, **pair}}])
    body = await document(client, tenant)
    own = body["trunks"][0]["options"]
    of_number = body["numbers"][0]["outbound"][0]["options"]
    assert own["client_key"] == of_number["client_key"] == "********"

    unchanged = await put(client, tenant, body)
    assert unchanged.status_code == 200, unchanged.text
    assert unchanged.json()["data"]["changes"] == []

    own["sip_password"] = of_number["sip_password"] = "canary-new"
    changed = await put(client, tenant, body)
    assert changed.status_code == 200, changed.text
    fields = [each["field"] for each in changed.json()["data"]["changes"][0]["fields"]]
    assert fields == ["options.sip_password"]
    number_trunk = (await configuration(client, tenant, NUMBER))["outbound"]["trunk_id"]
    assert number_trunk != trunk_id
    for each in (trunk_id, number_trunk):
        assert await kept_key(database, settings, tenant, each) == ours.key_pem


async def test_the_mark_of_a_key_in_a_document_stands_for_the_key_of_its_certificate(
    client: httpx.AsyncClient, tenant: Tenant, ours: Certified
) -> None:
    other = certified(NOW - timedelta(days=1), NOW + timedelta(days=1))
    pair = {"client_certificate": ours.chain_pem, "client_key": ours.key_pem}
    await create(client, tenant, options=pair)
    await create(client, tenant, name="Without")
    await attached(client, tenant, NUMBER, directions=[{**OUTBOUND, "options": pair}])
    marked = {"client_certificate": other.chain_pem, "client_key": "********"}
    lone = {"client_certificate": None, "client_key": "********"}
    before = await document(client, tenant)
    names = [each["name"] for each in before["trunks"]]
    without, with_key = names.index("Without"), names.index(DRAFT["name"])
    cases: list[tuple[tuple[str | int, ...], dict[str, Any], str]] = [
        (("trunks", with_key), marked, "client_key"),
        (("trunks", with_key), lone, "client_certificate"),
        (("trunks", without), marked, "client_key"),
        (("numbers", 0, "outbound", 0), marked, "client_key"),
    ]
    for place, options, field in cases:
        body = await document(client, tenant)
        found: Any = body
        for step in place:
            found = found[step]
        found["options"] = {**found["options"], **options}

        answer = await put(client, tenant, body)

        where = ".".join(map(str, place))
        assert error(answer) == (400, "INVALID_REQUEST", f"{where}.options.{field}")
    assert await document(client, tenant) == before
