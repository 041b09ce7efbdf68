"""Where calls from a number go, with its defaults (contract 3.2)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.call_settings import CallerId, IdentityHeader, MediaSecurity, NumberFormat
from domain.codecs import Codec
from domain.trunk import Direction, TrunkDirection, TrunkOptions, TrunkProfile, TrunkSecrets
from domain.trunk_config import FailoverConfig, FailoverEndpoint
from sip.transports import Transport
from storage import bindings, trunks
from storage.bindings import NewBinding
from storage.engine import Database
from storage.ids import new_id
from storage.outbound import outbound_of, password_of
from storage.secret_box import SecretBox, generate_key
from storage.trunk_vault import TrunkVault

pytestmark = pytest.mark.postgres

NUMBER = "+14150000001"


@pytest.fixture(scope="module")
def box() -> SecretBox:
    return SecretBox.from_key_ring(generate_key("a"))


async def bind(
    database: Database,
    box: SecretBox,
    org_id: str,
    *,
    priority: int = 0,
    endpoint: str | None = "sip:pbx.example.com",
    direction: Direction = Direction.OUTBOUND,
    password: str | None = None,
    headers: dict[str, Any] | None = None,
    failover: FailoverConfig | None = None,
    **options: Any,
) -> str:
    profile = TrunkProfile(
        direction=TrunkDirection.BOTH,
        sip_endpoint=endpoint,
        options=TrunkOptions.model_validate(options),
        headers=headers,
        failover=failover,
    )
    async with database.tenant(org_id) as session:
        vault = await TrunkVault.opened(session, box)
        trunk = await trunks.create(
            session, vault, org_id, profile, TrunkSecrets(sip_password=password)
        )
        new = NewBinding(
            id=new_id("cfg"),
            org_id=org_id,
            phone_number=NUMBER,
            direction=direction,
            trunk_id=trunk.id,
            priority=priority,
        )
        await bindings.add(session, [new])
    return trunk.id


async def test_defaults_are_filled_in(database: Database, box: SecretBox, org_id: str) -> None:
    trunk_id = await bind(database, box, org_id)
    async with database.tenant(org_id) as session:
        (config,) = await outbound_of(session, NUMBER)
        assert await password_of(session, box, trunk_id) is None

    assert config.trunk_id == trunk_id
    assert (config.host, config.port, config.transport) == ("pbx.example.com", None, None)
    assert config.media is MediaSecurity.PLAIN
    assert config.codecs == (Codec.PCMU, Codec.PCMA, Codec.OPUS)
    assert config.caller_id is CallerId.NUMBER
    assert config.identity_header is IdentityHeader.NONE
    assert config.number_format is NumberFormat.PLUS_E164
    assert config.exact_tls_names is False


async def test_every_option_reaches_the_call(
    database: Database, box: SecretBox, org_id: str
) -> None:
    await bind(
        database,
        box,
        org_id,
        endpoint="sip:pbx.example.com:5070;transport=udp",
        password="call-password",
        headers={"X-Account": "acme"},
        port=5080,
        transport="tcp",
        secure_media=True,
        sip_username="acme",
        sip_realm="carrier",
        minimum_digest="SHA-256",
        caller_id="auth_user",
        identity_header="p_asserted_identity",
        number_format="e164",
        from_domain="acme.example",
        codecs=["PCMA"],
        exact_tls_names=True,
        ca_pem="-----BEGIN CERTIFICATE-----",
        certificate_pin="ab" * 32,
    )
    async with database.tenant(org_id) as session:
        (config,) = await outbound_of(session, NUMBER)
        assert await password_of(session, box, config.trunk_id) == "call-password"

    call = config.call_to("+14155550100")
    assert call.model_dump(mode="json") == {
        "host": "pbx.example.com",
        "port": 5080,
        "transport": "tcp",
        "callee": "+14155550100",
        "caller_number": NUMBER,
        "caller_id": "auth_user",
        "identity_header": "p_asserted_identity",
        "number_format": "e164",
        "from_domain": "acme.example",
        "username": "acme",
        "realm": "carrier",
        "minimum_digest": "SHA-256",
        "media": "srtp",
        "codecs": ["PCMA"],
        "exact_tls_names": True,
        "ca_pem": "-----BEGIN CERTIFICATE-----",
        "certificate_pin": "ab" * 32,
        "headers": {"X-Account": "acme"},
    }


@pytest.mark.parametrize(
    ("endpoint", "options", "media"),
    [
        ("sip:pbx.example.com;transport=tls", {}, MediaSecurity.SRTP),
        ("sip:pbx.example.com", {"transport": "tls"}, MediaSecurity.SRTP),
        ("sip:pbx.example.com;transport=tls", {"transport": "udp"}, MediaSecurity.PLAIN),
        ("sip:pbx.example.com", {"transport": "tls", "secure_media": False}, MediaSecurity.PLAIN),
        ("sip:pbx.example.com", {"secure_media": True}, MediaSecurity.SRTP),
    ],
)
async def test_media_is_encrypted_on_tls_unless_told_otherwise(
    database: Database,
    box: SecretBox,
    org_id: str,
    endpoint: str,
    options: dict[str, Any],
    media: MediaSecurity,
) -> None:
    await bind(database, box, org_id, endpoint=endpoint, **options)
    async with database.tenant(org_id) as session:
        (config,) = await outbound_of(session, NUMBER)
    assert config.media is media
    assert config.port is None


async def test_configurations_come_in_route_order_and_of_outbound_only(
    database: Database, box: SecretBox, org_id: str
) -> None:
    await bind(database, box, org_id, priority=3, endpoint="sip:second.example.com")
    await bind(database, box, org_id, priority=1, endpoint="sip:[2001:db8::1]:5061;transport=tls")
    await bind(database, box, org_id, endpoint="sip:in.example.com", direction=Direction.INBOUND)
    await bind(database, box, org_id, priority=2, endpoint=None)

    async with database.tenant(org_id) as session:
        found = await outbound_of(session, NUMBER)
        assert await outbound_of(session, "+14150000002") == []

    assert [each.host for each in found] == ["2001:db8::1", "second.example.com"]
    assert (found[0].port, found[0].transport) == (5061, Transport.TLS)


async def test_failover_endpoints_follow_their_own_configuration_by_priority(
    database: Database, box: SecretBox, org_id: str
) -> None:
    failover = FailoverConfig(
        endpoints=(
            FailoverEndpoint(host="third.example.com", priority=9),
            FailoverEndpoint(
                host="second.example.com", port=5061, transport=Transport.TLS, priority=2
            ),
        )
    )
    first = await bind(
        database, box, org_id, priority=1, endpoint="sip:first.example.com", failover=failover
    )
    last = await bind(database, box, org_id, priority=2, endpoint="sip:last.example.com")

    async with database.tenant(org_id) as session:
        found = await outbound_of(session, NUMBER)

    assert [(each.trunk_id, each.position, each.host) for each in found] == [
        (first, 0, "first.example.com"),
        (first, 1, "second.example.com"),
        (first, 2, "third.example.com"),
        (last, 0, "last.example.com"),
    ]
    assert [each.media for each in found][:2] == [MediaSecurity.PLAIN, MediaSecurity.SRTP]
    assert (found[1].port, found[1].transport) == (5061, Transport.TLS)


async def test_nothing_of_another_organization_is_found(
    database: Database, box: SecretBox, org_id: str, other_org_id: str
) -> None:
    trunk_id = await bind(database, box, other_org_id, password="theirs")
    async with database.tenant(org_id) as session:
        assert await outbound_of(session, NUMBER) == []
        assert await password_of(session, box, trunk_id) is None
