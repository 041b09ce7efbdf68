"""Configuration snippets hold the trunk's real values, and no password."""

from __future__ import annotations

import httpx
import pytest

from domain.snippets import SnippetSystem
from tests.api.configured import attached
from tests.api.tenants import Tenant
from tests.api.trunk_calls import create


async def snippet(
    client: httpx.AsyncClient, tenant: Tenant, trunk_id: str, **query: str
) -> httpx.Response:
    return await client.get(
        f"/v1/sip/trunks/{trunk_id}/snippet", params=query, headers=tenant.viewer
    )


@pytest.mark.parametrize("system", SnippetSystem)
async def test_every_system_gets_the_trunks_values_and_no_password(
    client: httpx.AsyncClient, tenant: Tenant, system: SnippetSystem
) -> None:
    trunk = await create(
        client, tenant, register_auth={"username": "acme-reg", "password": "canary-register"}
    )
    numbers = [f"+1415000000{each}" for each in range(7)]
    directions = [{"type": "inbound"}, {"type": "outbound"}]
    await attached(client, tenant, *numbers, directions=directions, trunk_id=trunk["trunk_id"])

    answer = await snippet(client, tenant, trunk["trunk_id"], **{"for": system.value})

    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert data["system"] == system.value
    assert {"title", "where", "format", "text"} <= data.keys()
    assert data["example"] is True
    # A PBX that we register with knows us by the user.
    assert "us1.sip.bland.ai" in data["text"] or "username=acme-reg" in data["text"]
    assert "canary" not in answer.text
    assert trunk["register_password_for_pbx"] not in answer.text
    alone = await snippet(client, tenant, trunk["trunk_id"], format="text", **{"for": system.value})
    assert alone.headers["Content-Type"].startswith("text/plain")
    assert alone.text == data["text"]


async def test_a_pjsip_conf_says_what_the_trunk_is(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    trunk = await create(
        client, tenant, options={"secure_media": True}, codec_config={"codecs": ["alaw", "G722"]}
    )
    trunk_id = trunk["trunk_id"]
    await attached(client, tenant, "2001", directions=[{"type": "outbound"}], trunk_id=trunk_id)

    registered = (await snippet(client, tenant, trunk_id, **{"for": "asterisk"})).json()["data"]

    assert "[trunkline-acme-carrier-us-east]" in registered["text"]
    assert "acme" in registered["text"]
    assert "media_encryption=sdes" in registered["text"].replace(" ", "")
    assert "alaw,g722" in registered["text"].replace(" ", "")
    by_address = await create(
        client, tenant, auth_mode="ip", register_auth=None, options={"transport": "tcp"}
    )
    shown = (await snippet(client, tenant, by_address["trunk_id"], **{"for": "asterisk"})).json()
    assert "35.80.235.26" in shown["data"]["text"]
    assert "media_encryption=sdes" not in shown["data"]["text"].replace(" ", "")


async def test_what_there_is_no_snippet_for(client: httpx.AsyncClient, tenant: Tenant) -> None:
    trunk_id = (await create(client, tenant))["trunk_id"]

    for query, field in (
        ({"for": "abacus"}, "for"),
        ({}, "for"),
        ({"for": "3cx", "format": "pdf"}, "format"),
    ):
        answer = await snippet(client, tenant, trunk_id, **query)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    unknown = await snippet(client, tenant, "trk_" + "a" * 22, **{"for": "3cx"})
    assert unknown.status_code == 404
