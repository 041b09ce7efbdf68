"""What of a trunk is probed, as whom, and when two trunks share a probe."""

from __future__ import annotations

import pytest

from domain.health_rule import STANDARD_RULE, HealthPreset, HealthRule
from domain.probe_target import NameIdentity, ProbeProfile, tls_difference
from domain.trunk import TrunkDirection, TrunkOptions, TrunkProfile, TrunkSecrets
from domain.trunk_config import FailoverConfig, FailoverEndpoint
from domain.trunk_endpoints import endpoints_of
from sip.transports import Transport

ORG, OTHER = "org_mine", "org_theirs"
TLS = TrunkOptions(transport=Transport.TLS)


def a_trunk(
    endpoint: str | None = "sip:pbx.example.com",
    options: TrunkOptions | None = None,
    direction: TrunkDirection = TrunkDirection.OUTBOUND,
    failover: FailoverConfig | None = None,
) -> TrunkProfile:
    return TrunkProfile(
        direction=direction,
        sip_endpoint=endpoint,
        options=options or TrunkOptions(),
        failover=failover,
    )


def identity_of(profile: TrunkProfile, org_id: str = ORG) -> NameIdentity:
    (endpoint,) = endpoints_of(profile, org_id)
    return endpoint.identity


@pytest.mark.parametrize(
    ("endpoint", "options", "identity", "label"),
    [
        (
            "sip:pbx.example.com",
            {},
            ("pbx.example.com", None, None),
            "pbx.example.com",
        ),
        (
            "sip:pbx.example.com:5080;transport=tcp",
            {"port": 5090},
            ("pbx.example.com", 5090, Transport.TCP),
            "pbx.example.com:5090/tcp",
        ),
        (
            "sip:[2001:db8::1]:5060",
            {"transport": Transport.TLS},
            ("2001:db8::1", 5060, Transport.TLS),
            "[2001:db8::1]:5060/tls",
        ),
    ],
    ids=["host", "port-of-options", "ipv6"],
)
def test_an_endpoint_is_probed_as_it_is_called(
    endpoint: str, options: dict[str, object], identity: tuple[object, ...], label: str
) -> None:
    profile = a_trunk(endpoint, TrunkOptions.model_validate(options))
    (found,) = endpoints_of(profile, ORG)
    assert (found.identity.host, found.identity.port, found.identity.transport) == identity
    assert found.identity.profile == ProbeProfile(domain=found.identity.host)
    assert (found.position, found.label, found.rule) == (0, label, STANDARD_RULE)


def test_failover_endpoints_follow_by_priority_and_the_primary_is_not_repeated() -> None:
    failover = FailoverConfig(
        endpoints=(
            FailoverEndpoint(host="b.example.com", port=5061, priority=3),
            FailoverEndpoint(host="pbx.example.com", priority=1),
            FailoverEndpoint(host="a.example.com", priority=2),
        )
    )
    found = endpoints_of(a_trunk(failover=failover), ORG)
    assert [(each.position, each.label) for each in found] == [
        (0, "pbx.example.com"),
        (1, "a.example.com"),
        (2, "b.example.com:5061"),
    ]
    off = failover.model_copy(update={"enabled": False})
    assert len(endpoints_of(a_trunk(failover=off), ORG)) == 1


@pytest.mark.parametrize(
    ("profile", "count"),
    [
        (a_trunk(direction=TrunkDirection.INBOUND), 0),
        (a_trunk(None), 0),
        (a_trunk(direction=TrunkDirection.BOTH), 1),
    ],
    ids=["inbound", "no-endpoint", "both"],
)
def test_only_where_calls_are_sent_is_probed(profile: TrunkProfile, count: int) -> None:
    assert len(endpoints_of(profile, ORG)) == count


def test_the_trunks_rule_judges_every_endpoint() -> None:
    rule = HealthRule(preset=HealthPreset.CISCO)
    failover = FailoverConfig(endpoints=(FailoverEndpoint(host="a.example.com", priority=2),))
    profile = a_trunk(options=TrunkOptions(health_check=rule), failover=failover)
    assert [each.rule for each in endpoints_of(profile, ORG)] == [rule, rule]


@pytest.mark.parametrize(
    "options",
    [
        {"ca_pem": "PEM"},
        {"certificate_pin": "ab" * 32},
        {"client_certificate": "PEM"},
        {"ca_pem": "PEM", "exact_tls_names": True},
    ],
    ids=lambda options: "-".join(options),
)
def test_what_belongs_to_an_organization_is_its_own_probe(options: dict[str, object]) -> None:
    for transport in (Transport.TLS, None):
        own = a_trunk(options=TrunkOptions.model_validate({**options, "transport": transport}))
        shared = a_trunk(options=TrunkOptions(transport=transport))
        assert identity_of(own).profile.org_id == ORG
        assert identity_of(own).profile.tls != ""
        assert identity_of(own).name_id != identity_of(own, OTHER).name_id
        assert identity_of(shared).name_id == identity_of(shared, OTHER).name_id


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
def test_without_tls_its_settings_make_no_difference(transport: Transport) -> None:
    plain = a_trunk(options=TrunkOptions(transport=transport))
    with_ca = a_trunk(options=TrunkOptions(transport=transport, ca_pem="PEM", exact_tls_names=True))
    assert identity_of(plain) == identity_of(with_ca, OTHER)


def test_exact_names_are_another_probe_and_nobodys_own() -> None:
    exact = identity_of(a_trunk(options=TLS.model_copy(update={"exact_tls_names": True})))
    assert exact.profile.tls == tls_difference(exact_names=True)
    assert exact.profile.org_id is None
    loose = identity_of(a_trunk(options=TLS.model_copy(update={"exact_tls_names": False})))
    assert loose == identity_of(a_trunk(options=TLS))


@pytest.mark.parametrize(
    ("domain", "from_uri"),
    [("acme.example", "sip:acme.example"), ("2001:db8::1", "sip:[2001:db8::1]"), (None, None)],
)
def test_the_domain_of_from_is_the_trunks(domain: str | None, from_uri: str | None) -> None:
    profile = identity_of(a_trunk(options=TrunkOptions(from_domain=domain))).profile
    assert profile.from_uri == from_uri


def test_what_the_peer_does_not_see_in_a_probe_makes_no_difference() -> None:
    options = TrunkOptions(sip_username="acme", sip_realm="acme", secure_media=True)
    assert identity_of(a_trunk(options=options)) == identity_of(a_trunk(), OTHER)


def test_a_trunk_without_a_health_check_keeps_its_fingerprint() -> None:
    profile = a_trunk("sip:pbx.example.com", TrunkOptions(port=5080, sip_username="acme"))
    assert profile.canonical(TrunkSecrets(sip_password="secret")) == (
        b'{"auth_mode":"ip","direction":"outbound",'
        b'"options":{"port":5080,"sip_username":"acme"},'
        b'"secrets":["secret",null],"sip_endpoint":"sip:pbx.example.com"}'
    )
    judged = a_trunk(options=TrunkOptions(health_check=HealthRule(preset=HealthPreset.CISCO)))
    assert judged.canonical(TrunkSecrets()) != a_trunk().canonical(TrunkSecrets())
