"""A trunk's health: every endpoint with every address, and what was seen of them, in pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from domain.health import HealthState
from domain.health_history import OutcomeClass
from storage.engine import Database
from storage.health_writes import StateRow, write_states
from storage.ids import new_id
from tests.api.health_views import get, resolve, with_failover
from tests.api.tenants import Tenant
from tests.api.trunk_calls import create
from tests.api.watched import outbound, this_hour, watched
from tests.storage.health_rows import fences_of


async def test_each_endpoint_shows_its_addresses_and_what_comes_next(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    trunk = await with_failover(client, database, tenant)
    now = datetime.now(UTC)
    since = now - timedelta(seconds=90)
    down = await trunk.changed(HealthState.DOWN, at=since, reason="3 of 3 probes unanswered")
    await trunk.changed(HealthState.HEALTHY, 1)
    found = await get(client, tenant, trunk)
    assert (found["trunk_id"], found["health"], found["state"]) == (
        trunk.trunk_id,
        "healthy",
        "healthy",
    )
    primary, secondary = found["endpoints"]
    assert (primary["position"], primary["label"]) == (0, "192.0.2.10:5080/udp")
    assert (secondary["position"], secondary["label"]) == (1, "192.0.2.20:5070/tcp")
    assert (primary["host"], primary["port"], primary["transport"]) == ("192.0.2.10", 5080, "udp")
    assert (primary["state"], secondary["state"]) == ("down", "healthy")
    assert (primary["error"], primary["resolved_again_at"]) == (None, None)
    (target,) = primary["targets"]
    assert (target["address"], target["port"], target["transport"]) == ("192.0.2.10", 5080, "udp")
    assert (target["health"], target["misses"]) == ("unreachable", down.state.health.misses)
    told = target["explanation"]
    assert told.startswith(f"down since {since:%H:%M:%S} UTC: 3 of 3 probes unanswered; next probe")
    assert told.endswith("; back after 3 good replies")
    next_probe = datetime.fromisoformat(target["next_probe_at"])
    assert now < next_probe <= datetime.now(UTC) + timedelta(seconds=70)
    assert datetime.fromisoformat(target["last_probe"]["at"]) == since
    assert found["reason"].startswith("healthy since")
    assert found["rule"] == {
        "preset": "standard",
        "down_codes": [],
        "up_codes": [],
        "source": "options",
    }


async def test_a_look_that_is_wanted_sooner_is_the_next_one(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    trunk = await watched(client, database, tenant)
    row = await trunk.changed(HealthState.HEALTHY)
    soon = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0)
    fences = await fences_of(database, trunk.names[0])
    async with database.system() as session:
        state = StateRow(row.state.target_id, "standard", row.state.health, soon.timestamp())
        await write_states(session, fences, [state])
    ((target,),) = [each["targets"] for each in (await get(client, tenant, trunk))["endpoints"]]
    assert datetime.fromisoformat(target["next_probe_at"]) == soon


async def test_whoever_is_judged_by_calls_has_no_next_probe(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    trunk = await watched(client, database, tenant, outbound(health_check={"source": "calls"}))
    found = await get(client, tenant, trunk)
    ((target,),) = [each["targets"] for each in found["endpoints"]]
    assert target["next_probe_at"] is None
    assert target["explanation"] == "not checked yet; judged by calls alone"


async def test_windows_are_of_each_address_and_of_the_trunk_at_its_best(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    trunk = await with_failover(client, database, tenant)
    ok, silent = OutcomeClass.OK, OutcomeClass.TIMEOUT
    await trunk.sampled(this_hour(1), {ok: 60}, total_ms=600, max_ms=15)
    await trunk.sampled(this_hour(1), {silent: 60}, target=1)
    await trunk.sampled(this_hour(2), {silent: 60})
    await trunk.sampled(this_hour(2), {ok: 30, silent: 30}, target=1, total_ms=900, max_ms=80)
    found = await get(client, tenant, trunk)
    first, second = [each["targets"][0]["windows"]["24h"] for each in found["endpoints"]]
    assert first == {
        "uptime_percent": 50.0,
        "avg_response_ms": 10,
        "max_response_ms": 15,
        "probes": 120,
    }
    assert (second["uptime_percent"], second["avg_response_ms"]) == (25.0, 30)
    # One of them took calls in the first hour, the other in half of the second.
    assert found["windows"]["24h"] == {
        "uptime_percent": 75.0,
        "avg_response_ms": round(1500 / 90),
        "max_response_ms": 80,
        "probes": 240,
    }
    assert found["windows"]["7d"]["uptime_percent"] == 75.0


async def test_a_rule_says_what_counts_as_up(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    trunk = await watched(client, database, tenant, outbound(health_check={"preset": "strict_200"}))
    await trunk.sampled(
        this_hour(1), {OutcomeClass.OK: 45, OutcomeClass.CHALLENGED: 15}, total_ms=600
    )
    found = await get(client, tenant, trunk)
    assert found["windows"]["24h"]["uptime_percent"] == 75.0
    assert found["windows"]["24h"]["avg_response_ms"] == 10


async def test_a_name_that_is_not_found_says_so(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    trunk = await watched(client, database, tenant, outbound("sip:pbx.acme.example"))
    await resolve(database, trunk, error="NXDOMAIN")
    found = await get(client, tenant, trunk)
    assert (found["health"], found["state"]) == ("unreachable", "down")
    assert found["reason"] == "down: pbx.acme.example was not found in the DNS: NXDOMAIN"
    (endpoint,) = found["endpoints"]
    assert (endpoint["state"], endpoint["error"], endpoint["targets"]) == ("down", "NXDOMAIN", [])


async def test_an_inbound_trunk_is_honest(client: httpx.AsyncClient, tenant: Tenant) -> None:
    made = await create(client, tenant, direction="inbound")
    answer = await client.get(f"/v1/sip/trunks/{made['trunk_id']}/health", headers=tenant.viewer)
    found = answer.json()["data"]
    assert (found["health"], found["endpoints"]) == ("unchecked", [])
    assert found["reason"] == (
        "unchecked: it carries inbound calls only, and nothing is sent there"
    )
    assert found["inbound"] == {
        "endpoint": "sip:trunk.acme.example",
        "active": True,
        "last_call_at": None,
        "last_options_at": None,
    }
    assert found["windows"]["30d"] == {
        "uptime_percent": None,
        "avg_response_ms": None,
        "max_response_ms": None,
        "probes": 0,
    }


@pytest.mark.parametrize("part", ["", "/history", "/transitions", "/dns-changes"])
async def test_a_trunk_that_is_not_there_is_not_found(
    client: httpx.AsyncClient, tenant: Tenant, part: str
) -> None:
    answer = await client.get(f"/v1/sip/trunks/{new_id('trk')}/health{part}", headers=tenant.viewer)
    assert answer.status_code == 404


@pytest.mark.parametrize("part", ["history", "transitions", "dns-changes"])
@pytest.mark.parametrize("cursor", ["x", "0", "-1", "9" * 30, "MSBvcmdfeA==", "é"])
async def test_a_cursor_of_another_list_is_refused(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, part: str, cursor: str
) -> None:
    made = await create(client, tenant)
    answer = await client.get(
        f"/v1/sip/trunks/{made['trunk_id']}/health/{part}",
        params={"cursor": cursor},
        headers=tenant.viewer,
    )
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "cursor"


async def test_another_organizations_watch_of_the_same_peer_is_its_own(
    client: httpx.AsyncClient, tenant: Tenant, other_tenant: Tenant, database: Database
) -> None:
    mine = await watched(client, database, tenant)
    answer = await client.post(
        "/v1/sip/trunks",
        json={"name": "Theirs", "direction": "outbound", "sip_endpoint": "192.0.2.10:5080"},
        headers=other_tenant.editor,
    )
    theirs = answer.json()["data"]["trunk_id"]
    await mine.changed(HealthState.DOWN)
    for part in ("", "/transitions"):
        foreign = await client.get(
            f"/v1/sip/trunks/{mine.trunk_id}/health{part}", headers=other_tenant.viewer
        )
        assert foreign.status_code == 404
    found = await client.get(f"/v1/sip/trunks/{theirs}/health", headers=other_tenant.viewer)
    assert found.json()["data"]["endpoints"] == []
