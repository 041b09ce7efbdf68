"""Trunks: what a profile means, and when two of them are the same connection."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.call_settings import MediaSecurity
from domain.codecs import Codec
from domain.trunk import (
    AuthMode,
    Direction,
    Endpoint,
    TrunkDirection,
    TrunkOptions,
    TrunkProfile,
    TrunkSecrets,
)
from domain.trunk_config import FailoverConfig, FailoverEndpoint
from sip.transports import Transport

TEXTS = st.none() | st.text(max_size=20)
OPTIONS = st.builds(
    TrunkOptions,
    port=st.none() | st.integers(1, 65535),
    transport=st.none() | st.sampled_from(Transport),
    secure_media=st.none() | st.booleans(),
    sip_username=TEXTS,
    codecs=st.none() | st.lists(st.sampled_from(Codec), min_size=1, unique=True).map(tuple),
)
PROFILES = st.builds(
    TrunkProfile,
    direction=st.sampled_from(TrunkDirection),
    sip_endpoint=st.none() | st.sampled_from(["sip:a.example", "sip:b.example;transport=tls"]),
    auth_mode=st.sampled_from(AuthMode),
    register_username=TEXTS,
    options=OPTIONS,
    headers=st.none() | st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
)
SECRETS = st.builds(TrunkSecrets, sip_password=TEXTS, register_password=TEXTS)


@pytest.mark.parametrize(
    ("direction", "serves"),
    [
        (TrunkDirection.INBOUND, {Direction.INBOUND}),
        (TrunkDirection.OUTBOUND, {Direction.OUTBOUND}),
        (TrunkDirection.BOTH, set(Direction)),
    ],
)
def test_a_trunk_serves_its_directions(direction: TrunkDirection, serves: set[Direction]) -> None:
    assert {each for each in Direction if direction.serves(each)} == serves


@pytest.mark.parametrize(
    ("endpoint", "options", "expected"),
    [
        (None, TrunkOptions(port=5061), None),
        (
            "sip:a.example",
            TrunkOptions(),
            Endpoint(host="a.example", port=None, transport=None, media=MediaSecurity.PLAIN),
        ),
        (
            "sip:a.example:5070;transport=tcp",
            TrunkOptions(port=5061, transport=Transport.TLS),
            Endpoint("a.example", 5061, Transport.TLS, MediaSecurity.SRTP),
        ),
        (
            "sip:[2001:db8::1]:5061;transport=tls",
            TrunkOptions(secure_media=False),
            Endpoint("2001:db8::1", 5061, Transport.TLS, MediaSecurity.PLAIN),
        ),
    ],
)
def test_options_stand_over_the_endpoint_and_defaults_under_it(
    endpoint: str | None, options: TrunkOptions, expected: Endpoint | None
) -> None:
    profile = TrunkProfile(
        direction=TrunkDirection.OUTBOUND, sip_endpoint=endpoint, options=options
    )

    assert profile.endpoint == expected


PRIMARY = FailoverEndpoint(host="a.example", port=5060, transport=Transport.UDP, priority=3)
SECONDARY = FailoverEndpoint(host="b.example", transport=Transport.TLS, priority=2)
TERTIARY = FailoverEndpoint(host="a.example", port=5070, priority=7)


@pytest.mark.parametrize(
    ("endpoint", "failover", "hosts"),
    [
        ("sip:a.example", None, [("a.example", None)]),
        (None, FailoverConfig(endpoints=(SECONDARY,)), []),
        (
            "sip:a.example",
            FailoverConfig(endpoints=(TERTIARY, SECONDARY)),
            [("a.example", None), ("b.example", None), ("a.example", 5070)],
        ),
        (
            "sip:a.example:5060;transport=udp",
            FailoverConfig(endpoints=(SECONDARY, PRIMARY, TERTIARY)),
            [("a.example", 5060), ("b.example", None), ("a.example", 5070)],
        ),
        (
            "sip:a.example",
            FailoverConfig(enabled=False, endpoints=(SECONDARY,)),
            [("a.example", None)],
        ),
    ],
)
def test_calls_try_the_endpoint_and_then_those_of_the_failover(
    endpoint: str | None, failover: FailoverConfig | None, hosts: list[tuple[str, int | None]]
) -> None:
    profile = TrunkProfile(
        direction=TrunkDirection.OUTBOUND, sip_endpoint=endpoint, failover=failover
    )

    assert [(each.host, each.port) for each in profile.endpoints] == hosts
    assert profile.endpoints[:1] == (() if profile.endpoint is None else (profile.endpoint,))


def test_secrets_are_not_shown_by_accident() -> None:
    secrets = TrunkSecrets(sip_password="canary", register_password="canary")

    assert "canary" not in f"{secrets!r} {secrets}"


@given(PROFILES, SECRETS, PROFILES, SECRETS)
def test_two_connections_have_the_same_form_only_when_they_are_the_same(
    one: TrunkProfile, its: TrunkSecrets, other: TrunkProfile, others: TrunkSecrets
) -> None:
    same = (one, its) == (other, others)

    assert (one.canonical(its) == other.canonical(others)) == same


@given(PROFILES, SECRETS)
def test_a_stored_profile_has_the_form_that_it_had(
    profile: TrunkProfile, secrets: TrunkSecrets
) -> None:
    stored = TrunkProfile.model_validate_json(profile.model_dump_json())

    assert stored == profile
    assert stored.canonical(secrets) == profile.canonical(secrets)
