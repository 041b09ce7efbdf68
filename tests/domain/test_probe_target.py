"""Identities of what is probed: the same everywhere, another as soon as anything differs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.probe_target import (
    SHARDS,
    NameIdentity,
    ProbeProfile,
    TargetIdentity,
    shard_of,
    tls_difference,
)
from sip.transports import Transport

PROFILE = ProbeProfile(domain="sip.example.com")
NAME = NameIdentity("sip.example.com", 5060, Transport.UDP, PROFILE)
TARGET = TargetIdentity("192.0.2.1", 5060, Transport.UDP, PROFILE)


def test_ids_are_of_the_same_form_as_every_other_id() -> None:
    # Written out, because rows of a running installation are found by them.
    assert NAME.name_id == "nam_7eYtdCupDNhTS890AWGV03"
    assert TARGET.target_id == "tgt_2sKOAbQyx7YGqLyWfXsPlU"
    assert shard_of(TARGET.target_id) == 11


def test_letter_case_of_host_and_domain_makes_no_other_probe() -> None:
    loud = replace(NAME, host="SIP.Example.COM", profile=ProbeProfile(domain="SIP.example.com"))
    assert loud.name_id == NAME.name_id


@pytest.mark.parametrize(
    "other",
    [
        replace(TARGET, address="192.0.2.2"),
        replace(TARGET, port=5061),
        replace(TARGET, transport=Transport.TCP),
        replace(TARGET, profile=ProbeProfile(domain="example.com")),
        replace(TARGET, profile=replace(PROFILE, from_uri="sip:us@example.com")),
        replace(TARGET, profile=replace(PROFILE, tls=tls_difference(exact_names=True))),
        replace(TARGET, profile=replace(PROFILE, org_id="org_0000000000000000000001")),
    ],
)
def test_whatever_differs_makes_another_probe(other: TargetIdentity) -> None:
    assert other.target_id != TARGET.target_id


def test_a_name_without_a_port_is_another_than_with_the_usual_one() -> None:
    assert replace(NAME, port=None).name_id != NAME.name_id
    assert replace(NAME, transport=None).name_id != NAME.name_id


def test_only_what_differs_from_the_usual_tls_is_named() -> None:
    assert tls_difference() == ""
    different = [
        tls_difference(exact_names=True),
        tls_difference(ca_pem="A"),
        tls_difference(pin="A"),
        tls_difference(client_chain="A"),
    ]
    assert len({*different, ""}) == 5


@given(
    st.builds(
        ProbeProfile,
        domain=st.text(min_size=1),
        from_uri=st.none() | st.text(),
        tls=st.text(),
        org_id=st.none() | st.text(),
    )
)
def test_a_profile_survives_json(profile: ProbeProfile) -> None:
    assert ProbeProfile.from_json({**profile.to_json(), "unknown": 1}) == profile


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_shards_are_filled_evenly(first: int) -> None:
    shards = Counter(shard_of(f"tgt_{number}") for number in range(first, first + 6400))
    assert set(shards) == set(range(SHARDS))
    assert max(shards.values()) < 2 * 6400 / SHARDS
