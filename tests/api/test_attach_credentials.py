"""Credentials of attached numbers (contract 3.2): sealed, redacted, derived for the PBX."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from storage.engine import Database
from tests.api.configured import OUTBOUND, attached, configuration
from tests.api.tenants import Tenant

NUMBER = "+14150000001"


async def test_passwords_are_sealed_and_shown_nowhere(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    register = {
        "type": "inbound",
        "auth_mode": "register",
        "register_auth": {"username": "acme", "password": "canary-register"},
    }
    call = {
        "type": "outbound",
        "sip_endpoint": "sip:pbx.example.com",
        "options": {"sip_username": "acme", "sip_password": "canary-call"},
    }

    answer = await attached(client, tenant, NUMBER, directions=[register, call])

    password = answer["register_password_for_pbx"]
    assert len(password) == 24
    assert password.isalnum()
    shown = await client.get("/v1/sip", params={"phone_number": NUMBER}, headers=tenant.viewer)
    assert shown.json()["data"]["inbound"]["options"] == {
        "auth_mode": "register",
        "register_auth": {"username": "acme", "password": "********"},
    }
    async with database.tenant(tenant.org_id) as session:
        kept = ""
        for table in ("trunks", "number_bindings", "audit_log", "outbox"):
            kept += "".join(await session.scalars(text(f"SELECT to_jsonb(t)::text FROM {table} t")))
    for secret in ("canary-register", "canary-call", password):
        for form in (secret, secret.encode().hex()):
            assert form not in kept
            assert form not in shown.text


async def test_the_password_for_the_pbx_follows_from_what_was_typed(
    client: httpx.AsyncClient, tenant: Tenant, other_tenant: Tenant
) -> None:
    def register(password: str) -> dict[str, Any]:
        auth = {"username": "acme", "password": password}
        return {"type": "inbound", "auth_mode": "register", "register_auth": auth}

    async def derived(by: Tenant, number: str, password: str) -> str:
        answer = await attached(client, by, number, directions=[register(password)])
        return str(answer["register_password_for_pbx"])

    first = await derived(tenant, "+14150000001", "same-password")
    assert await derived(tenant, "+14150000002", "same-password") == first
    assert await derived(tenant, "+14150000003", "other-password") != first
    assert await derived(other_tenant, "+14150000004", "same-password") != first


@pytest.mark.parametrize(
    ("endpoint", "registrar", "state"),
    [
        ("sip:pbx.example.com", "sip:pbx.example.com", "not_started"),
        (None, "sip:trunk.provider.com", "not_started"),
    ],
)
async def test_the_registrar_is_the_inbound_endpoint_or_else_the_outbound_one(
    client: httpx.AsyncClient, tenant: Tenant, endpoint: str | None, registrar: str, state: str
) -> None:
    register = {
        "type": "inbound",
        "sip_endpoint": endpoint,
        "auth_mode": "register",
        "register_auth": {"username": "acme", "password": "12345678"},
    }
    await attached(client, tenant, NUMBER, directions=[register, OUTBOUND])

    shown = (await configuration(client, tenant, NUMBER))["inbound"]["registration"]
    assert (shown["registrar"], shown["state"]) == (registrar, state)


async def test_a_registration_without_registrar_is_attached_and_says_so(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    register = {
        "type": "inbound",
        "auth_mode": "register",
        "register_auth": {"username": "acme", "password": "12345678"},
    }
    answer = await attached(client, tenant, NUMBER, directions=[register])

    assert answer["configured"] == [NUMBER]
    shown = (await configuration(client, tenant, NUMBER))["inbound"]["registration"]
    assert (shown["registrar"], shown["state"]) == (None, "no_registrar")


async def test_a_repetition_with_its_key_shows_the_password_again(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    body = {
        "phone_number": NUMBER,
        "service": "sip",
        "directions": [
            {
                "type": "inbound",
                "auth_mode": "register",
                "register_auth": {"username": "acme", "password": "12345678"},
            }
        ],
    }
    headers = tenant.editor | {"Idempotency-Key": "once"}
    first = await client.post("/v1/sip/attach", json=body, headers=headers)
    second = await client.post("/v1/sip/attach", json=body, headers=headers)

    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    async with database.tenant(tenant.org_id) as session:
        assert await session.scalar(text("SELECT count(*) FROM number_bindings")) == 1
