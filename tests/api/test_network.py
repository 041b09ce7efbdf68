"""What a customer's firewall and PBX are told (contract 5.1 and 5.2)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from api.app import create_app
from domain.regions import InvalidRegions
from settings import Settings
from storage.engine import Database
from storage.secret_box import generate_key
from tests.api.configured import OUTBOUND, attached
from tests.api.tenants import Tenant

OWN = """
[regions.us]
name = "US9"
sip_server = "sip.example.com"
port = 5081
changed_on = 2026-10-01
signaling = ["192.0.2.1"]
media = ["192.0.2.2"]
rtp_ports = [16384, 32768]
"""


async def get(client: httpx.AsyncClient, tenant: Tenant, path: str, **query: Any) -> httpx.Response:
    return await client.get(f"/v1/sip/{path}", params=query, headers=tenant.viewer)


def client_of(settings: Settings, database: Database, regions: Path) -> httpx.AsyncClient:
    app = create_app(settings.model_copy(update={"regions_file": str(regions)}), database=database)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://api.test")


async def test_without_the_operators_regions_the_contracts_list_is_labelled_an_example(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    answer = await get(client, tenant, "firewall-ips")

    assert answer.status_code == 200
    data = answer.json()["data"]
    assert len(data["ip_addresses"]) == 26
    assert data["ports"] == {"sip": "5061 TLS", "rtp": "10000-20000 UDP"}
    assert data["example"] is True
    assert "not of this platform" in data["note"]


async def test_the_operators_file_replaces_the_example(
    settings: Settings, database: Database, tenant: Tenant, tmp_path: Path
) -> None:
    (tmp_path / "regions.toml").write_text(OWN)
    async with client_of(settings, database, tmp_path / "regions.toml") as client:
        data = (await get(client, tenant, "firewall-ips")).json()["data"]
        setup = (await get(client, tenant, "outbound-setup")).json()["data"]

    assert data["ip_addresses"] == ["192.0.2.1", "192.0.2.2"]
    assert data["signaling_addresses"] == ["192.0.2.1"]
    assert data["media_addresses"] == ["192.0.2.2"]
    assert data["ports"] == {"sip": "5081 TLS", "rtp": "16384-32768 UDP"}
    assert (data["changed_on"], data["example"], data["note"]) == ("2026-10-01", False, None)
    assert (setup["sip_server"], setup["port"]) == ("sip.example.com", 5081)
    assert "sip.example.com:5081 over TLS" in setup["instructions"]


async def test_a_region_that_the_operator_left_out_is_unavailable(
    settings: Settings, database: Database, tenant: Tenant, tmp_path: Path
) -> None:
    (tmp_path / "regions.toml").write_text(OWN.replace("regions.us", "regions.eu"))
    async with client_of(settings, database, tmp_path / "regions.toml") as client:
        answer = await get(client, tenant, "firewall-ips")

    assert answer.status_code == 503
    assert answer.json()["errors"][0]["error"] == "UNAVAILABLE"


def test_a_file_that_cannot_be_read_keeps_the_api_from_starting(tmp_path: Path) -> None:
    settings = Settings(
        secret_keys=SecretStr(generate_key("test")), regions_file=str(tmp_path / "none.toml")
    )
    with pytest.raises(InvalidRegions, match="TRUNKLINE_REGIONS_FILE"):
        create_app(settings)


@pytest.mark.parametrize(
    ("form", "kind", "words"),
    [
        ("text", "text/plain", "35.80.235.26\n"),
        ("iptables", "text/plain", "-p udp --dport 5070"),
        ("nftables", "text/plain", "udp dport 5070 accept"),
        ("ufw", "text/plain", "to any port 5070"),
        ("aws", "text/plain", '"FromPort": 5070'),
    ],
)
async def test_rules_are_written_for_the_customers_own_port(
    client: httpx.AsyncClient, tenant: Tenant, form: str, kind: str, words: str
) -> None:
    answer = await get(client, tenant, "firewall-ips", format=form, sip_port=5070, transport="udp")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert words in answer.text
    if form == "aws":
        assert json.loads(answer.text)["IpPermissions"]


async def test_the_list_is_sent_again_only_when_it_changed(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    first = await get(client, tenant, "firewall-ips", format="text")
    etag = first.headers["etag"]

    again = await client.get(
        "/v1/sip/firewall-ips",
        params={"format": "text"},
        headers={**tenant.viewer, "If-None-Match": f'"other", W/{etag}'},
    )
    other = await client.get(
        "/v1/sip/firewall-ips",
        params={"format": "ufw"},
        headers={**tenant.viewer, "If-None-Match": etag},
    )

    assert first.headers["last-modified"] == "Mon, 09 Mar 2026 00:00:00 GMT"
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"format": "cisco"}, "format"),
        ({"sip_port": 0}, "sip_port"),
        ({"transport": "x"}, "transport"),
    ],
)
async def test_an_unknown_form_is_refused_by_name(
    client: httpx.AsyncClient, tenant: Tenant, query: dict[str, Any], field: str
) -> None:
    answer = await get(client, tenant, "firewall-ips", **query)

    assert answer.status_code == 400
    assert field in answer.json()["errors"][0]["field"]


async def test_the_setup_says_what_tls_and_media_need(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    data = (await get(client, tenant, "outbound-setup")).json()["data"]

    assert (data["sip_server"], data["port"]) == ("us1.sip.bland.ai", 5061)
    assert data["tls"] == {"minimum_version": "1.2", "trust": "ISRG Root X1"}
    assert data["media"]["srtp_suite"] == "AES_CM_128_HMAC_SHA1_80"
    assert data["codecs"] == ["PCMU", "PCMA", "Opus"]
    assert data["transcoding"] is False
    assert data["credentials"] is None


async def test_a_number_that_registers_has_its_credentials_without_the_password(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    inbound = {
        "type": "inbound",
        "auth_mode": "register",
        "register_auth": {"username": "pbx-1", "password": "a long secret"},
        "sip_endpoint": "sip:pbx.example.com",
    }
    await attached(client, tenant, "+14155550100", directions=[inbound, OUTBOUND])

    with_registration = await get(client, tenant, "outbound-setup", phone_number="+14155550100")
    unknown = await get(client, tenant, "outbound-setup", phone_number="+14155550101")

    credentials = with_registration.json()["data"]["credentials"]
    assert credentials["username"] == "pbx-1"
    assert credentials["password"] == "********"
    assert "pbx.example.com" in credentials["registrar"]
    assert "a long secret" not in with_registration.text
    assert unknown.status_code == 404
