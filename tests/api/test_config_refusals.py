"""Settings that are refused: the field is named, and nothing changes (contract 5.5)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.config_calls import ENDPOINT, NUMBER, SECOND, configure
from tests.api.configured import INBOUND, OUTBOUND, attached, configuration
from tests.api.tenants import Tenant


@pytest.fixture
async def numbers(client: httpx.AsyncClient, tenant: Tenant) -> None:
    await attached(client, tenant, NUMBER, directions=[INBOUND, OUTBOUND])


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"failover_config": {"enabled": True}}, "failover_config.endpoints"),
        ({"failover_config": {"endpoints": []}}, "failover_config.endpoints"),
        (
            {"failover_config": {"endpoints": [{"host": f"{each}.example"} for each in "abcd"]}},
            "failover_config.endpoints",
        ),
        (
            {"failover_config": {"endpoints": [ENDPOINT, {**SECOND, "priority": 1}]}},
            "failover_config.endpoints",
        ),
        (
            {"failover_config": {"endpoints": [ENDPOINT, {**ENDPOINT, "priority": 2}]}},
            "failover_config.endpoints",
        ),
        (
            {"failover_config": {"endpoints": [{**ENDPOINT, "host": "not a host"}]}},
            "failover_config.endpoints.0.host",
        ),
        (
            {"failover_config": {"endpoints": [{**ENDPOINT, "port": 0}]}},
            "failover_config.endpoints.0.port",
        ),
        (
            {"failover_config": {"endpoints": [{**ENDPOINT, "transport": "sctp"}]}},
            "failover_config.endpoints.0.transport",
        ),
        (
            {"failover_config": {"endpoints": [{**ENDPOINT, "priority": 0}]}},
            "failover_config.endpoints.0.priority",
        ),
        ({"failover_config": {"endpoints": [{"port": 1}]}}, "failover_config.endpoints.0.host"),
        (
            {"failover_config": {"endpoints": [ENDPOINT], "hold_down_seconds": 9}},
            "failover_config.hold_down_seconds",
        ),
        (
            {"failover_config": {"endpoints": [ENDPOINT], "hold_down_seconds": 3601}},
            "failover_config.hold_down_seconds",
        ),
        (
            {"failover_config": {"endpoints": [ENDPOINT], "canary": 1}},
            "failover_config.canary",
        ),
        (
            {"failover_config": {"endpoints": [ENDPOINT], "triggers": ["rain"]}},
            "failover_config.triggers.0",
        ),
        (
            {"failover_config": {"endpoints": [ENDPOINT], "triggers": []}},
            "failover_config.triggers",
        ),
        (
            {"failover_config": {"endpoints": [ENDPOINT], "failback": "never"}},
            "failover_config.failback",
        ),
        ({"failover_config": {"enabled": "yes"}}, "failover_config.enabled"),
        ({"failover_config": {"owner": 1}}, "failover_config.owner"),
        ({"codec_config": {"codecs": ["GSM"]}}, "codec_config.codecs"),
        ({"codec_config": {"codecs": ["PCMU", "ulaw"]}}, "codec_config.codecs"),
        ({"codec_config": {"codecs": []}}, "codec_config.codecs"),
        ({"codec_config": {"transcode": 1}}, "codec_config.transcode"),
        ({"alert_config": {"channels": {"email": True}}}, "alert_config.channels.email"),
        ({"alert_config": {"channels": {"sms": True}}}, "alert_config.channels.sms"),
        ({"alert_config": {"channels": {"webhook": True}}}, "alert_config.channels.webhook"),
        (
            {"alert_config": {"channels": {"webhook": "http://hooks.example.com/"}}},
            "alert_config.channels.webhook",
        ),
        (
            {"alert_config": {"thresholds": {"unreachable_minutes": 0}}},
            "alert_config.thresholds.unreachable_minutes",
        ),
        (
            {"alert_config": {"thresholds": {"failure_rate_percent": 100.5}}},
            "alert_config.thresholds.failure_rate_percent",
        ),
        (
            {"alert_config": {"thresholds": {"response_time_ms": "500"}}},
            "alert_config.thresholds.response_time_ms",
        ),
        ({"alert_config": []}, "alert_config"),
        ({"direction": "both"}, "direction"),
        ({"direction": None}, "direction"),
        ({"phone_number": "(415) 000-0001"}, "phone_number"),
        ({"phone_number": None}, "phone_number"),
        ({"id": None}, "id"),
        ({"owner": 1}, "owner"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_changes(
    client: httpx.AsyncClient, tenant: Tenant, numbers: None, config: dict[str, Any], field: str
) -> None:
    before = await configuration(client, tenant, NUMBER)

    answer = await configure(client, tenant, **config)

    assert answer.status_code == 400
    fields = {each.get("field") for each in answer.json()["errors"]}
    assert any(each is not None and each.startswith(field) for each in fields), fields
    assert await configuration(client, tenant, NUMBER) == before


@pytest.mark.parametrize(
    "url", ["hooks.example.com", "ftp://hooks.example.com", "https://", "https://u:p@h.example", 7]
)
async def test_a_webhook_is_a_url(
    client: httpx.AsyncClient, tenant: Tenant, numbers: None, url: object
) -> None:
    answer = await configure(client, tenant, alert_config={"channels": {"webhook": url}})

    assert answer.status_code == 400
    assert all(
        each["field"].startswith("alert_config.channels.webhook")
        for each in answer.json()["errors"]
    )
