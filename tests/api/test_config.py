"""Failover, codecs and alerts of a number (contract 5.5): merged, shown, and its siblings' no more."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import text

from api.schemas.trunk_config import EXAMPLE_CONFIG
from domain.codecs import Codec
from storage.engine import Database
from storage.outbound import outbound_of
from tests.api.config_calls import (
    ENDPOINT,
    NUMBER,
    SECOND,
    SIBLING,
    STANDARD,
    WEBHOOK,
    configure,
    give_recipients,
    shown,
)
from tests.api.configured import INBOUND, OUTBOUND, attached, configuration
from tests.api.tenants import Tenant
from tests.api.trunk_calls import create, get, patch


@pytest.fixture
async def numbers(client: httpx.AsyncClient, tenant: Tenant) -> None:
    await attached(client, tenant, NUMBER, SIBLING, directions=[INBOUND, OUTBOUND])


async def test_the_contracts_example_is_kept_and_answered(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, numbers: None
) -> None:
    await give_recipients(database, tenant)
    sibling = await configuration(client, tenant, SIBLING)
    assert await shown(client, tenant) == dict.fromkeys(EXAMPLE_CONFIG)

    answer = await configure(client, tenant, **EXAMPLE_CONFIG)

    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert data.items() >= {**EXAMPLE_CONFIG, "phone_number": NUMBER}.items()
    assert await shown(client, tenant) == EXAMPLE_CONFIG
    assert {name: data[name] for name in ("inbound", "outbound", "outbound_configs")} == {
        name: (await configuration(client, tenant, NUMBER))[name]
        for name in ("inbound", "outbound", "outbound_configs")
    }
    # The number has moved, its sibling has not.
    assert await configuration(client, tenant, SIBLING) == sibling
    assert data["outbound"]["trunk_id"] != sibling["outbound"]["trunk_id"]
    assert data["inbound"]["trunk_id"] == sibling["inbound"]["trunk_id"]
    assert data["id"] == data["outbound"]["id"]


async def test_members_are_merged_and_null_clears(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, numbers: None
) -> None:
    await give_recipients(database, tenant)
    before = await configuration(client, tenant, NUMBER)
    await configure(client, tenant, **EXAMPLE_CONFIG)

    answer = await configure(
        client,
        tenant,
        failover_config={"enabled": False, "triggers": None},
        codec_config={"transcode": True},
        alert_config={
            "thresholds": {"response_time_ms": None, "unreachable_minutes": 2.5},
            "channels": {"sms": True, "webhook": None},
        },
    )

    assert answer.status_code == 200, answer.text
    assert await shown(client, tenant) == {
        "failover_config": {**EXAMPLE_CONFIG["failover_config"], "enabled": False},
        "codec_config": {"codecs": ["PCMU", "PCMA", "Opus"], "transcode": True},
        "alert_config": {
            "enabled": True,
            "thresholds": {**STANDARD, "response_time_ms": None, "unreachable_minutes": 2.5},
            "channels": {"email": True, "sms": True, "webhook": None},
        },
    }
    cleared = await configure(client, tenant, **dict.fromkeys(EXAMPLE_CONFIG))
    assert cleared.json()["data"]["failover_config"] is None
    # As it was: the number is back on the trunk it shares with its sibling.
    after = await configuration(client, tenant, NUMBER)
    assert after["outbound"]["trunk_id"] == before["outbound"]["trunk_id"]
    async with database.tenant(tenant.org_id) as session:
        assert await session.scalar(text("SELECT count(*) FROM trunks")) == 2


async def test_the_hold_down_and_the_canary_are_shown_where_they_are_not_as_usual(
    client: httpx.AsyncClient, tenant: Tenant, numbers: None
) -> None:
    usual = EXAMPLE_CONFIG["failover_config"]
    own = {"canary": True, "hold_down_seconds": 60}
    await configure(client, tenant, failover_config={**usual, **own})
    assert (await shown(client, tenant))["failover_config"] == {**usual, **own}
    await configure(client, tenant, failover_config={"failback": "manual"})
    assert (await shown(client, tenant))["failover_config"] == {
        **usual,
        **own,
        "failback": "manual",
    }
    await configure(client, tenant, failover_config={**usual, **dict.fromkeys(own)})
    assert (await shown(client, tenant))["failover_config"] == usual


async def test_codecs_go_by_any_name_and_reach_the_calls(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, numbers: None
) -> None:
    answer = await configure(
        client, tenant, codec_config={"codecs": ["G729", "g722/8000", "ulaw", "opus/48000/2"]}
    )

    configured = answer.json()["data"]
    assert configured["codec_config"] == {
        "codecs": ["G.729", "G.722", "PCMU", "Opus"],
        "transcode": False,
    }
    assert configured["outbound"]["options"]["codecs"] == ["G.729", "G.722", "PCMU", "Opus"]
    async with database.tenant(tenant.org_id) as session:
        (config,) = await outbound_of(session, NUMBER)
    assert config.codecs == (Codec.G729, Codec.G722, Codec.PCMU, Codec.OPUS)
    # What the options show can be sent back to where it came from.
    await configure(client, tenant, codec_config={"transcode": True})
    options = (await configuration(client, tenant, NUMBER))["outbound"]["options"]
    back = await client.post(
        "/v1/sip/update",
        json={"phone_number": NUMBER, "updates": {"type": "outbound", "options": options}},
        headers=tenant.editor,
    )
    assert back.status_code == 200, back.text
    assert (await shown(client, tenant))["codec_config"]["transcode"] is True


async def test_what_is_left_out_has_its_default(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, numbers: None
) -> None:
    answer = await configure(
        client,
        tenant,
        failover_config={"endpoints": [{"host": "B.example"}, {"host": "[2001:db8::1]"}]},
        alert_config={"channels": {"webhook": WEBHOOK}},
    )

    assert answer.json()["data"]["failover_config"] == {
        "enabled": True,
        "endpoints": [
            {"host": "b.example", "port": None, "transport": None, "priority": 1},
            {"host": "2001:db8::1", "port": None, "transport": None, "priority": 2},
        ],
        "triggers": ["unreachable", "timeout"],
        "failback": "auto",
    }
    alerts = answer.json()["data"]["alert_config"]
    assert alerts["enabled"] is True
    assert alerts["thresholds"] == STANDARD
    only = await configure(client, tenant, alert_config=None)
    only = await configure(
        client, tenant, alert_config={"thresholds": {"failure_rate_percent": 50}}
    )
    assert only.json()["data"]["alert_config"]["thresholds"] == {
        "unreachable_minutes": None,
        "failure_rate_percent": 50,
        "failure_rate_window_minutes": 30,
        "response_time_ms": None,
    }


async def test_endpoints_are_kept_in_the_order_of_their_priority(
    client: httpx.AsyncClient, tenant: Tenant, numbers: None
) -> None:
    answer = await configure(client, tenant, failover_config={"endpoints": [SECOND, ENDPOINT]})

    assert answer.json()["data"]["failover_config"]["endpoints"] == [ENDPOINT, SECOND]


async def test_a_number_or_a_direction_that_is_not_configured(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    await attached(client, tenant, NUMBER, directions=[INBOUND])
    for body in ({"phone_number": "+14150000099"}, {"direction": "outbound"}, {"id": "cfg_other"}):
        answer = await configure(client, tenant, **{"direction": "inbound", **body})
        assert answer.status_code == 404
    inbound = await configure(
        client, tenant, direction="inbound", codec_config={"codecs": ["PCMA"]}
    )
    assert inbound.json()["data"]["inbound"]["codec_config"]["codecs"] == ["PCMA"]


async def test_a_change_tells_the_trunks_and_the_audit_log_and_no_change_tells_nobody(
    client: httpx.AsyncClient, tenant: Tenant, database: Database, numbers: None
) -> None:
    async def told() -> tuple[int, int]:
        async with database.tenant(tenant.org_id) as session:
            entries = await session.scalar(text("SELECT count(*) FROM audit_log"))
            return int(entries), int(await session.scalar(text("SELECT count(*) FROM outbox")))

    before = await told()
    codecs = {"codecs": ["PCMA"]}
    await configure(client, tenant, codec_config=codecs)
    after = await told()
    # The trunk that it left, and the one that was made.
    assert (after[0] - before[0], after[1] - before[1]) == (1, 2)
    await configure(client, tenant, codec_config=codecs)
    await configure(client, tenant)
    assert await told() == after
    async with database.tenant(tenant.org_id) as session:
        entry = (
            await session.execute(
                text("SELECT before, after FROM audit_log WHERE action = 'number.configure'")
            )
        ).one()
    assert "codecs" not in entry.before["options"]
    assert entry.after["options"]["codecs"] == ["PCMA"]


async def test_a_trunk_has_the_same_settings_for_all_its_numbers(
    client: httpx.AsyncClient, tenant: Tenant, database: Database
) -> None:
    await give_recipients(database, tenant)
    trunk = await create(client, tenant, **EXAMPLE_CONFIG)
    assert trunk.items() >= EXAMPLE_CONFIG.items()
    trunk_id = trunk["trunk_id"]
    await attached(
        client, tenant, NUMBER, "2001", directions=[{"type": "outbound"}], trunk_id=trunk_id
    )

    changed = await patch(
        client,
        tenant,
        trunk_id,
        failover_config={"failback": "manual"},
        codec_config=None,
        alert_config={"enabled": False},
    )

    assert changed.status_code == 200, changed.text
    expected = {
        "failover_config": {**EXAMPLE_CONFIG["failover_config"], "failback": "manual"},
        "codec_config": None,
        "alert_config": {**EXAMPLE_CONFIG["alert_config"], "enabled": False},
    }
    assert (await get(client, tenant, trunk_id)).items() >= expected.items()
    for number in (NUMBER, "2001"):
        assert await shown(client, tenant, number) == expected


async def test_codecs_are_ordered_in_one_place(client: httpx.AsyncClient, tenant: Tenant) -> None:
    both = {"options": {"codecs": ["PCMA"]}, "codec_config": {"codecs": ["PCMU"]}}
    trunk = await create(client, tenant)

    for answer in (
        await patch(client, tenant, trunk["trunk_id"], **both),
        await patch(client, tenant, trunk["trunk_id"], alert_config={"channels": {"sms": True}}),
    ):
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] in {
            "codec_config.codecs",
            "alert_config.channels.sms",
        }
    assert (await get(client, tenant, trunk["trunk_id"]))["revision"] == 1
