"""Test calls over the API: admitted, started, followed, hung up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from temporalio.client import WorkflowExecutionStatus

from domain.call_state import CallResult, CallStatus
from settings import Settings
from storage import audit, calls
from storage.engine import Database
from storage.ids import is_id
from storage.outbound import outbound_of
from storage.tables import Call
from tests.api.calling import Caller
from tests.api.counting import code
from tests.api.outbound import NUMBER, add_outbound
from tests.api.tenants import Tenant
from workflows import names

pytestmark = pytest.mark.postgres


async def rows(database: Database, org_id: str) -> int:
    async with database.tenant(org_id) as session:
        return await session.scalar(select(func.count()).select_from(Call)) or 0


@pytest.mark.temporal
class TestStart:
    async def test_a_call_is_admitted_and_its_workflow_started(self, caller: Caller) -> None:
        answer = await caller.place()

        assert answer.status_code == 200
        data = answer.json()["data"]
        assert data == {"call_id": data["call_id"], "message": "Test call initiated"}
        assert is_id("tc", data["call_id"])
        row = await caller.row(data["call_id"])
        assert (row.status, row.result) == (CallStatus.QUEUED, CallResult.PENDING)
        assert (row.org_id, row.number) == (caller.tenant.org_id, NUMBER)
        assert row.deadline_at is not None
        assert timedelta(minutes=3) < row.deadline_at - row.started_at < timedelta(minutes=4)
        workflow_id = names.test_call_workflow_id(row.id)
        assert row.workflow_id == workflow_id
        described = await caller.temporal.get_workflow_handle(workflow_id).describe()
        assert described.status is WorkflowExecutionStatus.RUNNING
        assert described.typed_search_attributes[names.ORG_ID] == caller.tenant.org_id

    async def test_the_row_holds_the_first_configuration_as_it_was(
        self, caller: Caller, settings: Settings
    ) -> None:
        await add_outbound(
            caller.database,
            settings,
            caller.tenant.org_id,
            number="+14155550111",
            endpoint="sip:second.example.com",
            priority=1,
        )
        trunk_id = await add_outbound(
            caller.database,
            settings,
            caller.tenant.org_id,
            number="+14155550111",
            endpoint="sip:first.example.com:5071;transport=tcp",
            sip_username="alice",
            password="a password that nobody may see",
        )

        call_id = await caller.placed(phone_number="+14155550111", to="100")

        row = await caller.row(call_id)
        assert row.trunk_id == trunk_id
        async with caller.database.tenant(caller.tenant.org_id) as session:
            (config, _) = await outbound_of(session, "+14155550111")
        assert row.details == {"settings": config.call_to("100").model_dump(mode="json")}
        assert row.details["settings"]["host"] == "first.example.com"
        assert "a password" not in str(row.details)

    @pytest.mark.parametrize(
        ("asked", "setting", "dialled"),
        [("100", "999", "100"), (None, "999", "999"), (None, None, NUMBER)],
    )
    async def test_whom_it_dials(
        self,
        caller: Caller,
        asked: str | None,
        setting: str | None,
        dialled: str,
    ) -> None:
        caller.change_settings(test_callee=setting)

        call_id = await caller.placed(**({"to": asked} if asked else {}))

        row = await caller.row(call_id)
        assert row.details["settings"]["callee"] == dialled
        assert row.details["settings"]["caller_number"] == NUMBER

    @pytest.mark.parametrize(
        ("stored", "asked"), [(NUMBER, NUMBER[1:]), ("2001", "2001"), ("reception", "reception")]
    )
    async def test_a_number_is_found_as_it_is_stored(
        self, caller: Caller, settings: Settings, stored: str, asked: str
    ) -> None:
        if stored != NUMBER:
            await add_outbound(caller.database, settings, caller.tenant.org_id, number=stored)

        call_id = await caller.placed(phone_number=asked)

        assert (await caller.row(call_id)).number == stored

    async def test_who_started_it_is_written_down(self, caller: Caller) -> None:
        call_id = await caller.placed(to="100")

        async with caller.database.tenant(caller.tenant.org_id) as session:
            (entry,) = await audit.entries(
                session, caller.tenant.org_id, limit=10, subject_id=call_id
            )
        assert (entry.action, entry.subject_kind) == ("test_call.start", "test_call")
        assert entry.actor_kind == "api_key"
        assert entry.after == {"phone_number": NUMBER, "to": "100"}
        assert (await caller.row(call_id)).requested_by == entry.actor_id

    async def test_the_same_request_sent_twice_calls_once(self, caller: Caller) -> None:
        key = {"Idempotency-Key": "once"}

        first = await caller.place(headers=key)
        second = await caller.place(headers=key)

        assert second.headers["Idempotent-Replayed"] == "true"
        assert second.json() == first.json()
        assert second.headers["RateLimit-Remaining"] == first.headers["RateLimit-Remaining"]
        assert await rows(caller.database, caller.tenant.org_id) == 1


class TestRefusals:
    @pytest.fixture(autouse=True)
    async def _number(self, database: Database, settings: Settings, tenant: Tenant) -> None:
        await add_outbound(database, settings, tenant.org_id)

    async def refused(
        self, client: httpx.AsyncClient, tenant: Tenant, **body: Any
    ) -> httpx.Response:
        return await client.post(
            "/v1/sip/test-call", json={"phone_number": NUMBER, **body}, headers=tenant.editor
        )

    @pytest.mark.parametrize("number", ["+14155550199", "2001", "no such number", "+"])
    async def test_a_number_without_an_outbound_configuration(
        self, client: httpx.AsyncClient, tenant: Tenant, database: Database, number: str
    ) -> None:
        answer = await self.refused(client, tenant, phone_number=number)

        assert (answer.status_code, code(answer)) == (409, "NO_OUTBOUND_CONFIG")
        assert await rows(database, tenant.org_id) == 0

    async def test_another_organizations_number_looks_like_an_unknown_one(
        self, client: httpx.AsyncClient, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        foreign = await self.refused(client, other_tenant)
        unknown = await self.refused(client, tenant, phone_number="+14155550199")

        assert foreign.status_code == unknown.status_code == 409
        assert foreign.json() == unknown.json()

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"to": "a b"}, "to"),
            ({"to": "alice@example.com"}, "to"),
            ({"to": "*98#"}, "to"),
            ({"to": ""}, "to"),
            ({"to": "1" * 65}, "to"),
            ({"phone_number": ""}, "phone_number"),
            ({"phone_number": 14155550100}, "phone_number"),
            ({"number": NUMBER}, "number"),
        ],
    )
    async def test_a_malformed_request_names_the_field(
        self, client: httpx.AsyncClient, tenant: Tenant, body: dict[str, Any], field: str
    ) -> None:
        answer = await self.refused(client, tenant, **body)

        assert answer.status_code == 400
        assert [each["field"] for each in answer.json()["errors"]] == [field]

    async def test_a_viewer_may_not_call(self, client: httpx.AsyncClient, tenant: Tenant) -> None:
        answer = await client.post(
            "/v1/sip/test-call", json={"phone_number": NUMBER}, headers=tenant.viewer
        )

        assert answer.status_code == 403

    async def test_without_temporal_the_call_ends_before_it_began(
        self, client: httpx.AsyncClient, tenant: Tenant, database: Database
    ) -> None:
        answer = await self.refused(client, tenant)

        assert (answer.status_code, code(answer)) == (503, "UNAVAILABLE")
        assert int(answer.headers["Retry-After"]) >= 1
        async with database.tenant(tenant.org_id) as session:
            row = (await session.scalars(select(Call))).one()
            (line,) = await calls.events(session, row.id)
        assert (row.status, row.result) == (CallStatus.FAILED, CallResult.FAILED)
        assert row.details["failure_reason"] == "not_started"
        assert line.event == "failed"
        assert "Run it again" in line.detail
