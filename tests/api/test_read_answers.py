"""Reads are answered without their response model; what they say is what it says all the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from api.envelope import Envelope
from api.schemas.number_views import NumberList, NumberView
from api.schemas.trunk_config import EXAMPLE_CONFIG
from api.schemas.trunks import TrunkDetailView, TrunkList
from storage.engine import Database
from tests.api.config_calls import give_recipients
from tests.api.configured import INBOUND, OUTBOUND, attached, post
from tests.api.tenants import Tenant
from tests.api.trunk_calls import create
from tests.support.certificates import certified

NUMBER = "+14150000000"
EXTENSION = "2001"
REGISTERS = {
    "type": "inbound",
    "auth_mode": "register",
    "register_auth": {"username": "acme", "password": "canary-register"},
}


@pytest.fixture
async def trunk_id(client: httpx.AsyncClient, tenant: Tenant, database: Database) -> str:
    """Numbers with all that can be set, on implicit trunks and on this one."""
    now = datetime.now(UTC)
    ours = certified(now - timedelta(days=1), now + timedelta(days=30))
    await give_recipients(database, tenant)
    named = await create(
        client,
        tenant,
        options={"client_certificate": ours.chain_pem, "client_key": ours.key_pem},
        **EXAMPLE_CONFIG,
    )
    await create(client, tenant, name="Empty", headers=None, auth_mode="ip", register_auth=None)
    second = {**OUTBOUND, "sip_endpoint": "sip:second.example.com"}
    await attached(client, tenant, NUMBER, directions=[REGISTERS, INBOUND, OUTBOUND, second])
    await attached(
        client,
        tenant,
        NUMBER,
        EXTENSION,
        directions=[{"type": "inbound"}, {"type": "outbound"}],
        trunk_id=named["trunk_id"],
    )
    answer = await client.patch(
        "/v1/sip/config",
        json={"phone_number": NUMBER, "direction": "outbound", **EXAMPLE_CONFIG},
        headers=tenant.editor,
    )
    assert answer.status_code == 200, answer.text
    found: str = named["trunk_id"]
    return found


@pytest.mark.parametrize(
    ("path", "query", "model"),
    [
        ("", {"phone_number": NUMBER}, Envelope[NumberView]),
        ("", {"phone_number": EXTENSION}, Envelope[NumberView]),
        ("/numbers", {}, Envelope[NumberList]),
        ("/numbers", {"limit": 1}, Envelope[NumberList]),
        ("/numbers", {"direction": "outbound"}, Envelope[NumberList]),
        ("/numbers", {"search": "415"}, Envelope[NumberList]),
        ("/trunks", {}, Envelope[TrunkList]),
        ("/trunks", {"limit": 1}, Envelope[TrunkList]),
        ("/trunks/{trunk_id}", {}, Envelope[TrunkDetailView]),
    ],
)
async def test_an_answer_is_what_its_model_writes(
    client: httpx.AsyncClient,
    tenant: Tenant,
    trunk_id: str,
    path: str,
    query: dict[str, Any],
    model: type[BaseModel],
) -> None:
    answer = await client.get(
        f"/v1/sip{path.format(trunk_id=trunk_id)}", params=query, headers=tenant.viewer
    )

    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    said = answer.json()
    assert model.model_validate(said).model_dump(mode="json") == said


async def test_what_a_change_answers_is_what_is_read_afterwards(
    client: httpx.AsyncClient, tenant: Tenant, trunk_id: str
) -> None:
    changed = await post(
        client,
        tenant,
        "detach",
        phone_number=NUMBER,
        directions=[{"type": "outbound"}],
        service="sip",
    )

    assert changed.status_code == 200, changed.text
    read = await client.get("/v1/sip", params={"phone_number": NUMBER}, headers=tenant.viewer)
    assert read.json() == changed.json()
