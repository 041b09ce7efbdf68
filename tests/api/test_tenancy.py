"""Every route, called with another organization's ids and keys: nothing is seen, nothing changes.

The routes are those that the application has, so a route without a case below fails this file.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import text

from api.access import Access
from api.app import ROUTERS
from api.routing import TrunklineRoute
from storage import discoveries
from storage.engine import Database
from storage.ids import new_id
from storage.tables import Role
from tests.api.tenants import Tenant

Route = tuple[str, str]


def routes() -> dict[Route, Any]:
    """Every (method, path) under ``/v1`` with its route."""
    found: dict[Route, Any] = {}
    for router in ROUTERS:
        for context in iter_route_contexts(router.routes):
            for method in context.methods or ():
                if context.path is not None and context.path.startswith("/v1"):
                    found[method, context.path] = context.original_route
    return found


@dataclass(frozen=True)
class Case:
    """How a stranger (an editor of another organization) calls the route, and what it must get."""

    path: str = ""
    query: dict[str, str] | None = None
    body: Any = None
    statuses: frozenset[int] = frozenset({403, 404})


OWN_ONLY = Case(statuses=frozenset({200}))
"""Takes no id: the answer is about the caller's organization, and names no other."""

# {org}, {key} and {discovery} stand for the victim's ids.
CASES: dict[Route, Case] = {
    ("GET", "/v1/organizations"): Case(),
    ("POST", "/v1/organizations"): Case(body={"name": "Mine"}),
    ("GET", "/v1/organizations/{org_id}"): Case(),
    ("PATCH", "/v1/organizations/{org_id}"): Case(body={"alert_emails": ["me@example.com"]}),
    ("PUT", "/v1/organizations/{org_id}/entitlements"): Case(body={"entitlements": []}),
    ("POST", "/v1/organizations/{org_id}/signing-secret"): Case(),
    ("GET", "/v1/organizations/{org_id}/keys"): Case(),
    ("POST", "/v1/organizations/{org_id}/keys"): Case(body={"name": "x", "role": "operator"}),
    ("DELETE", "/v1/organizations/{org_id}/keys/{key_id}"): Case(),
    ("GET", "/v1/me"): OWN_ONLY,
    ("POST", "/v1/sip/parse-destination"): Case(
        body={"input": "sip.example.com"}, statuses=frozenset({200})
    ),
    ("GET", "/v1/sip/providers"): OWN_ONLY,
    # Temporal is away here; what matters is whose slot is taken and whose row is shown.
    ("POST", "/v1/sip/discover"): Case(
        body={"host": "sip.example.com"}, statuses=frozenset({200, 503})
    ),
    ("GET", "/v1/sip/discover/status"): Case(query={"discovery_id": "{discovery}"}),
}


async def add_discovery(database: Database, org_id: str, host: str) -> str:
    discovery_id = new_id("disc")
    now = datetime.now(UTC)
    new = discoveries.NewDiscovery(
        id=discovery_id,
        org_id=org_id,
        host=host,
        port=None,
        transport=None,
        input={"host": host},
        requested_by=new_id("key"),
        workflow_id=f"discovery:{discovery_id}",
        started_at=now,
        deadline_at=now + timedelta(seconds=90),
    )
    async with database.system() as session:
        await discoveries.claim_slot(session, new, runs_per_target=20)
    return discovery_id


async def rows_of(database: Database, org_id: str) -> str:
    """Everything that is kept of an organization, in one text."""
    async with database.tenant(org_id) as session:
        names = await session.scalars(
            text(
                "SELECT table_name FROM information_schema.columns "
                "WHERE column_name = 'org_id' AND table_schema = 'public' "
                "AND table_name NOT LIKE 'sip_messages_%' ORDER BY 1"
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


@dataclass(frozen=True)
class Victim:
    """An organization with something in every table that a route can reach."""

    tenant: Tenant
    discovery_id: str

    @property
    def traces(self) -> list[str]:
        """Texts that no stranger may ever be shown."""
        return [self.tenant.org_id, *self.tenant.key_ids.values(), "victim.example.com", "Zanzibar"]


@pytest.fixture
async def victim(database: Database, other_tenant: Tenant) -> Victim:
    discovery_id = await add_discovery(database, other_tenant.org_id, "victim.example.com")
    return Victim(other_tenant, discovery_id)


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
        }
        query = {
            name: value.format(discovery=victim.discovery_id)
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
    assert any(gate.sip for gate in gates) == route[1].startswith("/v1/sip/")


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


@pytest.mark.parametrize("route", routes(), ids=" ".join)
async def test_nobody_gets_in_without_a_key(
    route: Route,
    call: Callable[[Route, dict[str, str]], Awaitable[httpx.Response]],
    victim: Victim,
    database: Database,
) -> None:
    before = await rows_of(database, victim.tenant.org_id)
    answer = await call(route, {"Idempotency-Key": "k"})

    assert answer.status_code == 401
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
