"""The API with a real Temporal behind it, and calls that others would have placed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import text
from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts import (
    CleanUpOutcome,
    TestCallContract,
    TestCallFailure,
    TestCallOrder,
    TestCallOutcome,
)
from activities.heartbeats import heartbeats
from api.state import ApiState
from domain.call_state import CallResult, CallStatus
from storage import calls
from storage.engine import Database
from storage.tables import Call
from tests.api.outbound import NUMBER
from tests.api.tenants import Tenant
from tests.workflows.harness import new_worker
from workflows import names

__all__ = ["Caller", "conclude", "ringing_worker"]


@dataclass
class Caller:
    """An organization's client of the test-call routes."""

    client: httpx.AsyncClient
    tenant: Tenant
    app: FastAPI
    database: Database
    temporal: Client

    def change_settings(self, **changes: Any) -> None:
        """Go on as an application with other settings."""
        state: ApiState = self.app.state.trunkline
        changed = state.settings.model_copy(update=changes)
        self.app.state.trunkline = replace(state, settings=changed)

    async def place(
        self, *, headers: Mapping[str, str] | None = None, **body: Any
    ) -> httpx.Response:
        return await self.client.post(
            "/v1/sip/test-call",
            json={"phone_number": NUMBER, **body},
            headers={**self.tenant.editor, **(headers or {})},
        )

    async def placed(self, **body: Any) -> str:
        """The id of an admitted call."""
        answer = await self.place(**body)
        assert answer.status_code == 200, answer.text
        call_id: str = answer.json()["data"]["call_id"]
        return call_id

    async def status(self, call_id: str, **query: Any) -> httpx.Response:
        return await self.client.get(
            "/v1/sip/test-call/status",
            params={"call_id": call_id, **query},
            headers=self.tenant.viewer,
        )

    async def view(self, call_id: str) -> dict[str, Any]:
        answer = await self.status(call_id)
        assert answer.status_code == 200, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data

    async def retry(self, call_id: str, variant: str) -> httpx.Response:
        return await self.client.post(
            f"/v1/sip/test-call/{call_id}/retry",
            json={"variant": variant},
            headers=self.tenant.editor,
        )

    async def hang_up(self, call_id: str) -> httpx.Response:
        return await self.client.delete(f"/v1/sip/test-call/{call_id}", headers=self.tenant.editor)

    async def row(self, call_id: str) -> Call:
        async with self.database.tenant(self.tenant.org_id) as session:
            found = await calls.get(session, call_id)
        assert found is not None
        return found

    async def forget(self) -> None:
        """Leave no workflow behind that the worker of another test would be busy with."""
        async with self.database.system() as session:
            placed = await session.scalars(text("SELECT id FROM calls"))
        for call_id in placed:
            handle = self.temporal.get_workflow_handle(names.test_call_workflow_id(call_id))
            try:
                await handle.terminate()
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise


async def conclude(
    database: Database,
    org_id: str,
    call_id: str,
    *,
    status: CallStatus = CallStatus.COMPLETED,
    result: CallResult = CallResult.CONNECTED,
    sip_code: int | None = 200,
    sip_reason: str | None = "OK",
    duration_ms: int | None = 8000,
    **details: Any,
) -> None:
    """End the call as a worker would."""
    async with database.tenant(org_id) as session:
        assert await calls.conclude(
            session,
            call_id,
            status=status,
            result=result,
            ended_at=datetime.now(UTC),
            duration_ms=duration_ms,
            sip_code=sip_code,
            sip_reason=sip_reason,
            details=details,
        )


class _Ringing(TestCallContract):
    """Calls that ring until somebody hangs up."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name="test_call.place")
    async def place(self, order: TestCallOrder) -> TestCallOutcome:
        async with self._database.tenant(order.org_id) as session:
            await calls.progress(session, order.call_id, status=CallStatus.RINGING)
        async with heartbeats(lambda: None):
            await asyncio.Event().wait()
        raise AssertionError("nothing sets this event")

    @activity.defn(name="test_call.clean_up")
    async def clean_up(self, order: TestCallOrder) -> CleanUpOutcome:
        return CleanUpOutcome()

    @activity.defn(name="test_call.fail")
    async def fail(self, failure: TestCallFailure) -> TestCallOutcome:
        async with self._database.tenant(failure.org_id) as session:
            await calls.fail(session, failure.call_id, failure.reason, now=datetime.now(UTC))
        return TestCallOutcome(
            call_id=failure.call_id, status=CallStatus.FAILED, result=CallResult.FAILED
        )


@asynccontextmanager
async def ringing_worker(client: Client, database: Database) -> AsyncIterator[None]:
    """A worker whose calls ring until somebody hangs up."""
    ringing = _Ringing(database)
    async with new_worker(client, [ringing.place, ringing.clean_up, ringing.fail]):
        yield
