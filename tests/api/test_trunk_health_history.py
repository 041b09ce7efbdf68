"""What was seen of a trunk, in pages: hours, transitions and changes of names."""

from __future__ import annotations

from datetime import datetime

import httpx

from domain.health import HealthState
from domain.health_history import MinuteSample, OutcomeClass
from storage.engine import Database
from tests.api.health_views import get, resolve, with_failover
from tests.api.tenants import Tenant
from tests.api.watched import outbound, this_hour, watched


async def test_history_is_hours_with_their_minutes_newest_first(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    trunk = await with_failover(client, database, tenant)
    samples = {0: MinuteSample(OutcomeClass.OK, 12), 59: MinuteSample(OutcomeClass.TIMEOUT)}
    ok, silent = OutcomeClass.OK, OutcomeClass.TIMEOUT
    for ago in (1, 2, 60):
        counts = {ok: 1, silent: 1}
        await trunk.sampled(this_hour(ago), counts, minutes=samples, total_ms=12, max_ms=12)
    await trunk.sampled(this_hour(1), {ok: 1}, target=1, minutes={3: MinuteSample(ok, 1)})

    seen: list[tuple[str, datetime]] = []
    cursor: str | None = None
    pages = 0
    while pages == 0 or cursor is not None:
        query = {} if cursor is None else {"cursor": cursor}
        page = await get(client, tenant, trunk, "/history", limit=1, **query)
        seen += [
            (each["target_id"], datetime.fromisoformat(each["hour"])) for each in page["hours"]
        ]
        cursor = page["next_cursor"]
        pages += 1
    both = sorted(trunk.targets)
    assert seen == [
        (both[0], this_hour(1)),
        (both[1], this_hour(1)),
        (trunk.targets[0], this_hour(2)),
        (trunk.targets[0], this_hour(60)),
    ]
    own = await get(client, tenant, trunk, "/history", target_id=trunk.targets[0])
    newest, _, oldest = own["hours"]
    assert newest == {
        "target_id": trunk.targets[0],
        "address": "192.0.2.10",
        "port": 5080,
        "transport": "udp",
        "hour": newest["hour"],
        "probes": 2,
        "uptime_percent": 50.0,
        "avg_response_ms": 12,
        "max_response_ms": 12,
        "outcomes": {"ok": 1, "timeout": 1},
        "minutes": [
            {"minute": 0, "outcome": "ok", "response_time_ms": 12},
            {"minute": 59, "outcome": "timeout", "response_time_ms": None},
        ],
    }
    assert oldest["minutes"] is None
    assert (await get(client, tenant, trunk, "/history", target_id="tgt_x"))["hours"] == []


async def test_transitions_prove_what_happened_and_hide_secrets(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    trunk = await watched(client, database, tenant)
    await trunk.changed(HealthState.HEALTHY)
    row = await trunk.changed(
        HealthState.DOWN, before=HealthState.HEALTHY, reason="answered 503", kind="reply"
    )
    await trunk.changed(HealthState.REACHABLE, before=HealthState.DOWN)
    page = await get(client, tenant, trunk, "/transitions", limit=2)
    newest, second = page["transitions"]
    assert (newest["before"], newest["after"]) == ("down", "reachable")
    assert (second["before"], second["after"], second["reason"]) == (
        "healthy",
        "down",
        "answered 503",
    )
    assert (second["address"], second["transport"]) == ("192.0.2.10", "udp")
    assert second["evidence"] == {
        "misses": 3,
        "goods": 0,
        "rule_key": "standard",
        "kind": "reply",
    }
    assert second["request"] == (row.request or b"").decode()
    rest = await get(client, tenant, trunk, "/transitions", limit=2, cursor=page["next_cursor"])
    (oldest,) = rest["transitions"]
    assert (oldest["before"], oldest["after"], rest["next_cursor"]) == (
        "unchecked",
        "healthy",
        None,
    )


async def test_bytes_of_a_reply_are_masked_like_a_trace(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    trunk = await watched(client, database, tenant)
    await trunk.changed(HealthState.HEALTHY)
    reply = (
        b"SIP/2.0 401 Unauthorized\r\n"
        b'WWW-Authenticate: Digest realm="acme", nonce="canary-nonce"\r\n'
        b"Contact: <sip:+14155550199@192.0.2.10>\r\n\xff\r\n"
    )
    await trunk.changed(HealthState.REACHABLE, before=HealthState.HEALTHY, reply=reply)
    page = await get(client, tenant, trunk, "/transitions", limit=1)
    shown = page["transitions"][0]["reply"]
    assert 'realm="acme"' in shown
    assert "canary-nonce" not in shown
    assert "14155550199" not in shown
    assert "0199@192.0.2.10" in shown


async def test_dns_changes_name_their_endpoint(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    trunk = await watched(client, database, tenant, outbound("sip:pbx.acme.example"))
    await resolve(database, trunk, "192.0.2.1", "192.0.2.2")
    await resolve(database, trunk, "192.0.2.2")
    await resolve(database, trunk, error="SERVFAIL")
    page = await get(client, tenant, trunk, "/dns-changes", limit=2)
    failed, left = page["changes"]
    assert (failed["error"], failed["added"], failed["removed"]) == ("SERVFAIL", [], [])
    assert (left["position"], left["host"]) == (0, "pbx.acme.example")
    assert left["removed"] == [{"address": "192.0.2.1", "port": 5061, "transport": "tls"}]
    rest = await get(client, tenant, trunk, "/dns-changes", cursor=page["next_cursor"])
    (came,) = rest["changes"]
    assert [each["address"] for each in came["added"]] == ["192.0.2.1", "192.0.2.2"]
    assert rest["next_cursor"] is None
