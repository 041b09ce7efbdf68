"""Test calls followed with the status route (contract 4.5)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from domain.call_state import CallStatus
from storage import calls
from storage.calls import NewEvent
from storage.engine import Database
from storage.ids import new_id
from tests.api.calling import conclude
from tests.api.counting import code
from tests.api.outbound import NUMBER
from tests.api.tenants import Tenant

pytestmark = pytest.mark.postgres

CONTRACT_FIELDS = {"status", "result", "duration_seconds", "timeline"}


@pytest.fixture
async def call_id(database: Database, tenant: Tenant) -> str:
    """A call that was admitted just now."""
    new = calls.NewTestCall(
        id=new_id("tc"),
        org_id=tenant.org_id,
        number=NUMBER,
        trunk_id=new_id("trk"),
        settings={},
        started_at=datetime.now(UTC),
        deadline_at=datetime.now(UTC) + timedelta(minutes=3),
        workflow_id="test-call:x",
        requested_by=None,
    )
    async with database.tenant(tenant.org_id) as session:
        await calls.admit(session, new, limit=10, window=timedelta(minutes=15))
    return new.id


async def get(
    client: httpx.AsyncClient, tenant: Tenant, call_id: str, **query: Any
) -> httpx.Response:
    return await client.get(
        "/v1/sip/test-call/status",
        params={"call_id": call_id, **query},
        headers=tenant.viewer,
    )


async def test_a_call_that_has_just_been_admitted(
    client: httpx.AsyncClient, tenant: Tenant, call_id: str
) -> None:
    data = (await get(client, tenant, call_id)).json()["data"]

    assert data.keys() > CONTRACT_FIELDS
    assert (data["status"], data["result"]) == ("queued", "pending")
    assert (data["duration_seconds"], data["timeline"]) == (None, [])
    assert (data["proof"], data["diagnosis"], data["variants"]) == ([], None, [])
    assert (data["call_id"], data["phone_number"]) == (call_id, NUMBER)
    assert data["ended_at"] is None


async def test_the_timeline_is_the_contracts(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, call_id: str
) -> None:
    at = datetime(2026, 3, 9, 12, tzinfo=UTC)
    async with database.tenant(tenant.org_id) as session:
        for second, word in enumerate(("initiated", "ringing", "answered")):
            await calls.add_event(
                session,
                call_id,
                NewEvent(at=at + timedelta(seconds=second), event=word, detail=f"It is {word}"),
            )
        await calls.progress(session, call_id, status=CallStatus.IN_PROGRESS)
    data = (await get(client, tenant, call_id)).json()["data"]

    assert data["status"] == "in-progress"
    assert data["timeline"][1] == {
        "event": "ringing",
        "at": "2026-03-09T12:00:01Z",
        "detail": "It is ringing",
        "data": {},
    }
    assert [each["event"] for each in data["timeline"]] == ["initiated", "ringing", "answered"]


async def test_an_ended_call_shows_its_verdict(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, call_id: str
) -> None:
    proof = {"rung": "dns", "outcome": "skip", "evidence": "An address.", "ms": None}
    await conclude(database, tenant.org_id, call_id, duration_ms=7600, proof=[proof])
    data = (await get(client, tenant, call_id)).json()["data"]

    assert (data["status"], data["result"]) == ("completed", "connected")
    assert (data["duration_seconds"], data["sip_code"], data["sip_reason"]) == (8, 200, "OK")
    assert data["proof"] == [proof | {"details": {}}]
    assert data["ended_at"] is not None
    assert data["setting_to_save"] is None


async def test_waiting_ends_with_the_call(
    running_client: httpx.AsyncClient, tenant: Tenant, database: Database, call_id: str
) -> None:
    waiting = asyncio.create_task(get(running_client, tenant, call_id, wait=30))
    early = await get(running_client, tenant, call_id, wait=0.05)
    assert early.json()["data"]["status"] == "queued"
    assert not waiting.done()
    await conclude(database, tenant.org_id, call_id)

    answer = await asyncio.wait_for(waiting, 10)
    assert answer.json()["data"]["status"] == "completed"


@pytest.mark.parametrize("asked", ["tc_unknown", "disc_4fYc3pZk8aQe1LwXo0RtVb", ""])
async def test_an_unknown_call_is_not_found(
    client: httpx.AsyncClient, tenant: Tenant, asked: str
) -> None:
    answer = await get(client, tenant, asked)

    assert (answer.status_code, code(answer)) == (404, "NOT_FOUND")
