"""Every route, called with another organization's ids and keys: nothing is seen, nothing changes.

The routes are those that the application has, so a route without a case below fails this file.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import text

from api.access import Access
from api.app import ROUTERS
from api.routing import TrunklineRoute
from domain.alert_picture import ChannelKind
from settings import Settings
from storage.engine import Database
from storage.ids import new_id
from storage.tables import Role
from tests.api.alerted import add_alert, add_message, add_trial
from tests.api.configured import attach_number
from tests.api.strangers import CASES, Route
from tests.api.tenants import Tenant
from tests.api.victims import (
    VICTIMS_NUMBER,
    Victim,
    add_discovery,
    add_port_order,
    add_test_call,
)


def routes() -> dict[Route, Any]:
    """Every (method, path) under ``/v1`` with its route."""
    found: dict[Route, Any] = {}
    for router in ROUTERS:
        for context in iter_route_contexts(router.routes):
            for method in context.methods or ():
                if context.path is not None and context.path.startswith("/v1"):
                    found[method, context.path] = context.original_route
    return found


async def rows_of(database: Database, org_id: str) -> str:
    """Everything that is kept of an organization, in one text."""
    async with database.tenant(org_id) as session:
        names = await session.scalars(
            text(
                "SELECT table_name FROM information_schema.columns "
                "WHERE column_name = 'org_id' AND table_schema = 'public' "
                "AND table_name NOT SIMILAR TO '(sip_messages|live_calls)_%' ORDER BY 1"
            )
        )
        tables = ["organizations", *names]
        kept = {}
        for table in tables:
            found = await session.scalars(text(f"SELECT to_jsonb(t)::text FROM {table} t"))
            kept[table] = sorted(found)
    assert len(kept["organizations"]) == 1
    assert len(kept["api_keys"]) == 3
    return json.dumps(kept)


@pytest.fixture
async def victim(database: Database, settings: Settings, other_tenant: Tenant) -> Victim:
    discovery_id = await add_discovery(database, other_tenant.org_id, "victim.example.com")
    trunk_id = await attach_number(database, settings, other_tenant.org_id, VICTIMS_NUMBER)
    call_id = await add_test_call(database, other_tenant.org_id)
    # Over for good: upkeep, which runs beside, decides about what is open.
    now = datetime.now(UTC)
    opened_at, resolved_at = now - timedelta(days=2), now - timedelta(days=1)
    alert = await add_alert(
        database, other_tenant.org_id, opened_at=opened_at, resolved_at=resolved_at
    )
    await add_message(database, alert, ChannelKind.EMAIL, "it@victim.example.com")
    trial_id = await add_trial(database, other_tenant.org_id, now, "it@victim.example.com")
    port_id, document_id = await add_port_order(database, other_tenant.org_id)
    return Victim(
        other_tenant,
        discovery_id,
        call_id,
        trunk_id,
        alert.alert_id,
        trial_id,
        port_id,
        document_id,
    )


@pytest.fixture
def call(
    running_client: httpx.AsyncClient, victim: Victim
) -> Callable[[Route, dict[str, str]], Awaitable[httpx.Response]]:
    async def send(route: Route, headers: dict[str, str]) -> httpx.Response:
        method, path = route
        case = CASES[route]
        ids = {
            "org_id": victim.tenant.org_id,
            "key_id": victim.tenant.key_ids[Role.VIEWER],
            "call_id": victim.call_id,
            "trunk_id": victim.trunk_id,
            "alert_id": victim.alert_id,
            "trial_id": victim.trial_id,
            "id": victim.port_id,
            "document_id": victim.document_id,
            "number": VICTIMS_NUMBER,
        }
        query = {
            name: value.format(discovery=victim.discovery_id, call=victim.call_id)
            for name, value in (case.query or {}).items()
        }
        return await running_client.request(
            method, path.format(**ids), params=query, json=case.body, headers=headers
        )

    return send


def test_every_route_has_a_case() -> None:
    assert set(CASES) == set(routes())


@pytest.mark.parametrize("route", routes(), ids=" ".join)
def test_every_route_admits_its_callers_before_it_reads_the_request(route: Route) -> None:
    found = routes()[route]

    assert isinstance(found, TrunklineRoute)
    gates = [each.call for each in found.dependant.dependencies if isinstance(each.call, Access)]
    assert gates
    assert any(gate.sip for gate in gates) == f"{route[1]}/".startswith("/v1/sip/")


@pytest.mark.parametrize("route", routes(), ids=" ".join)
async def test_a_stranger_sees_and_changes_nothing(
    route: Route,
    call: Callable[[Route, dict[str, str]], Awaitable[httpx.Response]],
    tenant: Tenant,
    victim: Victim,
    database: Database,
) -> None:
    before = await rows_of(database, victim.tenant.org_id)
    for headers in (tenant.viewer, tenant.editor, tenant.editor | {"Idempotency-Key": "k"}):
        answer = await call(route, headers)

        assert answer.status_code in CASES[route].statuses | {403}
        assert not any(trace in answer.text for trace in victim.traces)
    assert await rows_of(database, victim.tenant.org_id) == before


async def test_nobody_gets_in_without_a_key(
    call: Callable[[Route, dict[str, str]], Awaitable[httpx.Response]],
    victim: Victim,
    database: Database,
) -> None:
    before = await rows_of(database, victim.tenant.org_id)
    answers = {route: await call(route, {"Idempotency-Key": "k"}) for route in routes()}

    assert {route for route, answer in answers.items() if answer.status_code != 401} == set()
    assert await rows_of(database, victim.tenant.org_id) == before


async def test_a_foreign_discovery_looks_like_an_unknown_one(
    running_client: httpx.AsyncClient, tenant: Tenant, victim: Victim
) -> None:
    url = "/v1/sip/discover/status"
    foreign = await running_client.get(
        url, params={"discovery_id": victim.discovery_id}, headers=tenant.viewer
    )
    unknown = await running_client.get(
        url, params={"discovery_id": new_id("disc")}, headers=tenant.viewer
    )
    own = await running_client.get(
        url, params={"discovery_id": victim.discovery_id}, headers=victim.tenant.viewer
    )

    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json() == unknown.json()
    assert own.status_code == 200


@pytest.mark.parametrize(
    "path", ["status?call_id={}", "{}/events", "{}/trace", "{}/pcap", "{}/ladder.svg"]
)
async def test_a_foreign_test_call_looks_like_an_unknown_one(
    client: httpx.AsyncClient, tenant: Tenant, victim: Victim, path: str
) -> None:
    foreign, unknown = [
        await client.get(f"/v1/sip/test-call/{path.format(call_id)}", headers=tenant.viewer)
        for call_id in (victim.call_id, new_id("tc"))
    ]

    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json() == unknown.json()
