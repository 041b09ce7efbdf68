"""Every route, called with another organization's ids and keys: nothing is seen, nothing changes.

The routes are those that the application has, so a route without a case below fails this file.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import text

from api.access import Access
from api.app import ROUTERS
from api.routing import TrunklineRoute
from settings import Settings
from storage.engine import Database
from storage.ids import new_id
from storage.tables import Role
from tests.api.configured import attach_number
from tests.api.tenants import Tenant
from tests.api.victims import VICTIMS_NUMBER, Victim, add_discovery, add_test_call

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

# {org}, {key}, {discovery} and {call} stand for the victim's ids.
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
    ("GET", "/v1/sip/firewall-ips"): OWN_ONLY,
    ("GET", "/v1/sip/audit"): OWN_ONLY,
    ("GET", "/v1/sip/outbound-setup"): Case(query={"phone_number": VICTIMS_NUMBER}),
    # Temporal is away here; what matters is whose slot is taken and whose row is shown.
    ("POST", "/v1/sip/discover"): Case(
        body={"host": "sip.example.com"}, statuses=frozenset({200, 503})
    ),
    ("GET", "/v1/sip/discover/status"): Case(query={"discovery_id": "{discovery}"}),
    # Whoever has the number, it leads nowhere for a stranger.
    ("POST", "/v1/sip/test-call"): Case(
        body={"phone_number": VICTIMS_NUMBER}, statuses=frozenset({409})
    ),
    ("GET", "/v1/sip/test-call/status"): Case(query={"call_id": "{call}"}),
    ("DELETE", "/v1/sip/test-call/{call_id}"): Case(),
    ("POST", "/v1/sip/test-call/{call_id}/retry"): Case(body={"variant": "e164"}),
    ("GET", "/v1/sip/test-call/{call_id}/events"): Case(),
    ("GET", "/v1/sip/test-call/{call_id}/trace"): Case(),
    ("GET", "/v1/sip/test-call/{call_id}/pcap"): Case(),
    ("GET", "/v1/sip/test-call/{call_id}/ladder.svg"): Case(),
    ("GET", "/v1/sip/test-call/{call_id}/ladder.mmd"): Case(),
    ("GET", "/v1/sip"): Case(query={"phone_number": VICTIMS_NUMBER}),
    # The number is its holder's, so it is in `failed`.
    ("POST", "/v1/sip/attach"): Case(
        body={
            "phone_number": VICTIMS_NUMBER,
            "directions": [{"type": "inbound"}],
            "service": "sip",
        },
        statuses=frozenset({200}),
    ),
    ("POST", "/v1/sip/update"): Case(
        body={
            "phone_number": VICTIMS_NUMBER,
            "updates": {"type": "outbound", "sip_endpoint": "mine.example.com"},
        }
    ),
    ("PATCH", "/v1/sip/config"): Case(
        body={
            "phone_number": VICTIMS_NUMBER,
            "direction": "outbound",
            "codec_config": {"codecs": ["PCMA"]},
        }
    ),
    ("POST", "/v1/sip/detach"): Case(
        body={
            "phone_number": VICTIMS_NUMBER,
            "directions": [{"type": "inbound"}, {"type": "outbound"}],
            "service": "sip",
        }
    ),
    ("GET", "/v1/sip/numbers"): OWN_ONLY,
    ("GET", "/v1/sip/trunks"): OWN_ONLY,
    ("POST", "/v1/sip/trunks"): Case(
        body={"name": "Mine", "direction": "both"}, statuses=frozenset({200})
    ),
    ("GET", "/v1/sip/trunks/{trunk_id}"): Case(),
    ("PATCH", "/v1/sip/trunks/{trunk_id}"): Case(body={"sip_endpoint": "mine.example.com"}),
    ("DELETE", "/v1/sip/trunks/{trunk_id}"): Case(),
    ("POST", "/v1/sip/trunks/{trunk_id}/test-connection"): Case(),
    ("GET", "/v1/sip/trunks/{trunk_id}/snippet"): Case(query={"for": "asterisk"}),
    ("GET", "/v1/sip/trunks/{trunk_id}/route"): Case(),
    ("POST", "/v1/sip/trunks/{trunk_id}/failover"): Case(body={"to": 1}),
    ("POST", "/v1/sip/trunks/{trunk_id}/failback"): Case(body={"canary": True}),
    ("POST", "/v1/sip/trunks/{trunk_id}/pin"): Case(body={"to": 1}),
    ("DELETE", "/v1/sip/trunks/{trunk_id}/pin"): Case(),
    ("POST", "/v1/sip/trunks/{trunk_id}/maintenance"): Case(body={"minutes": 60}),
    ("DELETE", "/v1/sip/trunks/{trunk_id}/maintenance"): Case(),
    ("POST", "/v1/sip/trunks/{trunk_id}/drill"): Case(
        body={"phone_number": VICTIMS_NUMBER, "seconds": 60}
    ),
    ("GET", "/v1/sip/trunks/{trunk_id}/drill"): Case(),
    ("DELETE", "/v1/sip/trunks/{trunk_id}/drill"): Case(),
    # Whoever has the number, for a stranger it is not configured.
    ("GET", "/v1/sip/status"): Case(
        query={"phone_number": VICTIMS_NUMBER}, statuses=frozenset({200})
    ),
    ("GET", "/v1/sip/trunks/{trunk_id}/health"): Case(),
    ("GET", "/v1/sip/trunks/{trunk_id}/health/history"): Case(),
    ("GET", "/v1/sip/trunks/{trunk_id}/health/transitions"): Case(),
    ("GET", "/v1/sip/trunks/{trunk_id}/health/dns-changes"): Case(),
    ("GET", "/v1/sip/generate-password"): OWN_ONLY,
    ("GET", "/v1/sip/state"): OWN_ONLY,
    # The number is its holder's.
    ("PUT", "/v1/sip/state"): Case(
        body={
            "version": 1,
            "trunks": [],
            "numbers": [{"phone_numbers": [VICTIMS_NUMBER], "inbound": [{}]}],
        },
        statuses=frozenset({409}),
    ),
}


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


@pytest.fixture
async def victim(database: Database, settings: Settings, other_tenant: Tenant) -> Victim:
    discovery_id = await add_discovery(database, other_tenant.org_id, "victim.example.com")
    trunk_id = await attach_number(database, settings, other_tenant.org_id, VICTIMS_NUMBER)
    call_id = await add_test_call(database, other_tenant.org_id)
    return Victim(other_tenant, discovery_id, call_id, trunk_id)


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
