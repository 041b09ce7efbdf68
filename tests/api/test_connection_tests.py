"""Testing a trunk's connection by the API (contract 7.6), with a real Temporal behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from activities.contracts import ConnectionTestOutcome
from domain.connection_test import ConnectionProblem
from storage.engine import Database
from temporal_client import register_search_attributes
from tests.api.calling import Caller
from tests.api.tenants import Tenant
from tests.api.trunk_calls import create, patch
from tests.workflows.fake_connection_test import FakeConnectionTest
from tests.workflows.harness import dev_server, new_worker


@pytest.fixture(scope="module")
async def temporal_address() -> AsyncIterator[str]:
    """A server of this file's own: its worker would take up what other tests left on a shared one."""
    started = await dev_server(ui=False)
    async with started:
        await register_search_attributes(started.client)
        yield started.client.service_client.config.target_host


ANSWERED = ConnectionTestOutcome(sip_code=200, response_time_ms=42)


async def check(
    client: httpx.AsyncClient, tenant: Tenant, trunk_id: str, **headers: str
) -> httpx.Response:
    return await client.post(
        f"/v1/sip/trunks/{trunk_id}/test-connection", headers={**tenant.editor, **headers}
    )


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (ANSWERED, {"reachable": True, "sip_code": 200, "response_time_ms": 42}),
        (
            ConnectionTestOutcome(problem=ConnectionProblem.TLS_HANDSHAKE_FAILED),
            {
                "reachable": False,
                "sip_code": None,
                "response_time_ms": None,
                "error": "tls_handshake_failed",
            },
        ),
        (
            None,
            {
                "reachable": False,
                "sip_code": None,
                "response_time_ms": None,
                "error": "interrupted",
            },
        ),
    ],
)
async def test_what_was_found_is_answered_as_the_contract_says(
    caller: Caller, outcome: ConnectionTestOutcome | None, expected: dict[str, Any]
) -> None:
    trunk = await create(caller.client, caller.tenant)
    fake = FakeConnectionTest(outcome)
    async with new_worker(caller.temporal, fake.all()):
        answer = await check(caller.client, caller.tenant, trunk["trunk_id"])

    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert data.pop("message", "").endswith("." if "error" in expected else "")
    assert data == expected
    (order,) = fake.orders
    assert (order.trunk_id, order.org_id) == (trunk["trunk_id"], caller.tenant.org_id)
    async with caller.database.tenant(caller.tenant.org_id) as session:
        entry = (
            await session.execute(
                text(
                    "SELECT subject_id, after FROM audit_log WHERE action = 'trunk.test_connection'"
                )
            )
        ).one()
    assert entry.subject_id == trunk["trunk_id"]
    assert entry.after["host"] == "trunk.acme.example"


async def test_a_test_of_changed_settings_is_another_test(caller: Caller) -> None:
    trunk_id = (await create(caller.client, caller.tenant))["trunk_id"]
    fake = FakeConnectionTest(ANSWERED)
    async with new_worker(caller.temporal, fake.all()):
        first = await check(caller.client, caller.tenant, trunk_id)
        await patch(caller.client, caller.tenant, trunk_id, options={"port": 5090})
        second = await check(caller.client, caller.tenant, trunk_id)
        same = await check(caller.client, caller.tenant, trunk_id)

    assert [each.status_code for each in (first, second, same)] == [200] * 3
    assert len(fake.orders) == 3


async def test_a_target_is_tested_so_often_in_an_hour_by_whomever(
    caller: Caller, database: Database, other_tenant: Tenant
) -> None:
    caller.change_settings(discovery_runs_per_target=4)
    mine = (await create(caller.client, caller.tenant))["trunk_id"]
    theirs = (await create(caller.client, other_tenant))["trunk_id"]
    elsewhere = (await create(caller.client, caller.tenant, sip_endpoint="other.example"))[
        "trunk_id"
    ]
    async with new_worker(caller.temporal, FakeConnectionTest(ANSWERED).all()):
        answers = await asyncio.gather(
            *(check(caller.client, caller.tenant, mine) for _ in range(4)),
            *(check(caller.client, other_tenant, theirs) for _ in range(4)),
        )
        other = await check(caller.client, caller.tenant, elsewhere)

    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [429] * 4
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["errors"][0]["error"] == "RATE_LIMITED"
    assert 3500 < int(refused.headers["Retry-After"]) <= 3600
    assert other.status_code == 200


async def test_without_temporal_the_caller_is_told_to_come_again(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    trunk_id = (await create(client, tenant))["trunk_id"]

    answer = await check(client, tenant, trunk_id)

    assert (answer.status_code, answer.json()["errors"][0]["error"]) == (503, "UNAVAILABLE")
    assert "Retry-After" in answer.headers


async def test_what_cannot_be_tested(client: httpx.AsyncClient, tenant: Tenant) -> None:
    trunk = await create(client, tenant, direction="inbound", sip_endpoint=None)
    nowhere = await check(client, tenant, trunk["trunk_id"])
    unknown = await check(client, tenant, "trk_" + "a" * 22)
    viewer = await client.post(
        f"/v1/sip/trunks/{trunk['trunk_id']}/test-connection", headers=tenant.viewer
    )

    assert nowhere.status_code == 409
    assert nowhere.json()["errors"][0]["error"] == "TRUNK_HAS_NO_ENDPOINT"
    assert (unknown.status_code, viewer.status_code) == (404, 403)
