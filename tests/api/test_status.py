"""How a number stands, in the keys of both generations (contract 5.3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from domain.health import HealthState
from domain.health_history import MinuteSample, OutcomeClass
from storage.engine import Database
from tests.api.configured import INBOUND, attached, post
from tests.api.tenants import Tenant
from tests.api.watched import NUMBER, outbound, this_hour, watched

OLDER = {"status", "response_time_ms", "checked_at"}
NEWER = {
    "configured",
    "health",
    "inbound",
    "outbound",
    "uptime_percent",
    "avg_response_ms",
    "last_checked",
}


async def status(client: httpx.AsyncClient, tenant: Tenant, number: str = NUMBER) -> dict[str, Any]:
    answer = await client.get(
        "/v1/sip/status", params={"phone_number": number}, headers=tenant.viewer
    )
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def test_both_generations_find_their_keys(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    trunk = await watched(client, database, tenant)
    await trunk.changed(HealthState.HEALTHY)
    found = await status(client, tenant)
    assert found.keys() >= OLDER | NEWER
    assert (found["configured"], found["status"], found["health"]) == (True, "healthy", "healthy")
    assert found["response_time_ms"] == 3
    assert found["checked_at"] == found["last_checked"]
    assert found["outbound"] == {
        "endpoint": "sip:192.0.2.10:5080;transport=udp",
        "active": True,
    }
    assert found["inbound"] is None
    assert found["trunk_id"] == trunk.trunk_id
    # Nothing was counted yet.
    assert (found["uptime_percent"], found["avg_response_ms_7d"]) == (None, None)
    assert found["avg_response_ms"] == found["response_time_ms"]


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (HealthState.HEALTHY, "healthy"),
        (HealthState.REACHABLE, "healthy"),
        (HealthState.DEGRADED, "healthy"),
        (HealthState.DOWN, "unreachable"),
    ],
)
async def test_finer_states_ride_beside_the_contracts_words(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, state: HealthState, word: str
) -> None:
    trunk = await watched(client, database, tenant)
    since = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    await trunk.changed(state, at=since, reason="answered 503")
    found = await status(client, tenant)
    assert (found["status"], found["health"], found["state"]) == (word, word, state.value)
    assert found["reason"].startswith(f"{state.value} since {since:%H:%M:%S} UTC: answered 503; ")
    assert (found["response_time_ms"] is None) == (state is HealthState.DOWN)


async def test_a_peer_that_demands_a_client_certificate_is_told_apart(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    trunk = await watched(client, database, tenant)
    await trunk.changed(
        HealthState.DOWN,
        reason="failed in TLS (the peer asks for a client certificate (certificate required))",
    )
    found = await status(client, tenant)
    assert (found["health"], found["status"]) == ("mutual_tls", "unreachable")
    assert found["state"] == "down"


async def test_a_number_that_is_not_configured_is_answered(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    found = await status(client, tenant)
    assert found["configured"] is False
    assert (found["health"], found["status"]) == ("unconfigured", "unchecked")
    assert not {"inbound", "outbound", "last_checked"} & found.keys()


async def test_what_can_be_no_number_is_refused(client: httpx.AsyncClient, tenant: Tenant) -> None:
    answer = await client.get(
        "/v1/sip/status", params={"phone_number": "(415) 555-0100"}, headers=tenant.viewer
    )
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "phone_number"
    missing = await client.get("/v1/sip/status", headers=tenant.viewer)
    assert missing.status_code == 400


async def test_a_number_that_receives_only_is_unchecked(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    inbound = {**INBOUND, "sip_endpoint": "pbx.example.com"}
    await attached(client, tenant, NUMBER, directions=[inbound])
    found = await status(client, tenant)
    assert (found["configured"], found["health"], found["state"]) == (
        True,
        "unchecked",
        "unchecked",
    )
    assert found["outbound"] is None
    assert found["inbound"] == {
        "endpoint": "sip:pbx.example.com",
        "active": True,
        "last_call_at": None,
        "last_options_at": None,
    }
    assert "receives calls only" in found["reason"]
    assert found["last_checked"] is None


async def test_before_the_first_probe_it_is_unchecked(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    await attached(client, tenant, NUMBER, directions=[outbound("pbx.example.com")])
    before = await status(client, tenant)
    assert before["reason"] == "unchecked: its endpoints are about to be checked"
    await watched(client, database, tenant, outbound("pbx.example.com"))
    after = await status(client, tenant)
    assert (before["health"], after["health"]) == ("unchecked", "unchecked")
    assert after["outbound"]["endpoint"] == "sip:pbx.example.com"


async def test_uptime_and_averages_are_of_three_windows(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    trunk = await watched(client, database, tenant)
    ok, silent = OutcomeClass.OK, OutcomeClass.TIMEOUT
    await trunk.sampled(this_hour(1), {ok: 60}, total_ms=60 * 20, max_ms=25)
    await trunk.sampled(this_hour(2), {ok: 30, silent: 30}, total_ms=30 * 40, max_ms=90)
    await trunk.sampled(this_hour(30), {silent: 40, OutcomeClass.MAINTENANCE: 20})
    await trunk.sampled(this_hour(24 * 10), {OutcomeClass.FORBIDDEN: 60}, total_ms=600, max_ms=10)
    found = await status(client, tenant)
    assert found["uptime_percent"] == 75.0
    assert found["uptime_percent_7d"] == round(90 / 160 * 100, 3)
    assert found["uptime_percent_30d"] == round(150 / 220 * 100, 3)
    assert found["avg_response_ms"] == round((1200 + 1200) / 90)
    assert found["avg_response_ms_7d"] == found["avg_response_ms"]
    assert found["avg_response_ms_30d"] == round((1200 + 1200 + 600) / 150)


async def test_the_last_sample_is_newer_than_the_last_change(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    trunk = await watched(client, database, tenant)
    await trunk.changed(HealthState.HEALTHY, at=this_hour(2))
    sample = {5: MinuteSample(OutcomeClass.OK, 31), 7: MinuteSample(OutcomeClass.OK, 35)}
    await trunk.sampled(this_hour(1), {OutcomeClass.OK: 2}, minutes=sample)
    found = await status(client, tenant)
    at = this_hour(1) + timedelta(minutes=7)
    assert datetime.fromisoformat(found["last_checked"]) == at
    assert found["response_time_ms"] == 35


async def test_calls_are_tried_by_the_first_configuration(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    first = await watched(client, database, tenant)
    await attached(client, tenant, NUMBER, directions=[outbound("sip:192.0.2.99")])
    await first.changed(HealthState.DOWN)
    found = await status(client, tenant)
    assert (found["trunk_id"], found["health"]) == (first.trunk_id, "unreachable")


async def test_a_trunks_extension_has_a_status(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    made = await post(
        client, tenant, "trunks", name="Acme", direction="outbound", sip_endpoint="192.0.2.50"
    )
    trunk_id = made.json()["data"]["trunk_id"]
    await attached(client, tenant, "2001", directions=[{"type": "outbound"}], trunk_id=trunk_id)
    found = await status(client, tenant, "2001")
    assert (found["configured"], found["trunk_id"]) == (True, trunk_id)
    assert found["outbound"]["endpoint"] == "sip:192.0.2.50"
