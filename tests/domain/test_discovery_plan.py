"""The plan of a discovery: what is tried, in which order, and where it stops."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.attempts import CandidateSource
from domain.discovery_plan import (
    MAX_ADDRESSES,
    MAX_CANDIDATES,
    USUAL_PORTS,
    DiscoveryPlan,
    ResolutionFacts,
    ResolvedTarget,
    plan_discovery,
)
from sip.resolution import Resolution, Source, Target
from sip.transports import Transport
from tests.domain.builders import NOW

UDP, TCP, TLS = Transport.UDP, Transport.TCP, Transport.TLS


def srv(
    address: str, port: int, transport: Transport, priority: int = 0, source: str = "srv"
) -> ResolvedTarget:
    return ResolvedTarget(
        address=address,
        port=port,
        transport=transport,
        name="sbc1.example.com",
        source=source,
        priority=priority,
    )


def facts(*addresses: str, targets: tuple[ResolvedTarget, ...] = ()) -> ResolutionFacts:
    own = tuple(ResolvedTarget(address=address, source="a") for address in addresses)
    return ResolutionFacts(host="example.com", targets=(*targets, *own))


def keys(plan: DiscoveryPlan) -> list[tuple[str, int, Transport]]:
    return [candidate.key for candidate in plan.candidates]


def test_a_bare_address_is_tried_at_the_usual_ports_over_every_transport() -> None:
    plan = plan_discovery(facts("203.0.113.10"))

    assert keys(plan)[:3] == [
        ("203.0.113.10", 5061, TLS),
        ("203.0.113.10", 5060, TCP),
        ("203.0.113.10", 5060, UDP),
    ]
    assert {(port, transport) for _, port, transport in keys(plan)} == {
        (port, transport) for port in USUAL_PORTS for transport in Transport
    }
    assert len(plan.candidates) == 9
    assert all(candidate.source is CandidateSource.DEFAULT for candidate in plan.candidates)


def test_every_address_of_both_families_gets_its_likely_ports_before_any_unlikely_one() -> None:
    plan = plan_discovery(facts("203.0.113.10", "2001:db8::10"))

    assert keys(plan)[:4] == [
        ("203.0.113.10", 5061, TLS),
        ("2001:db8::10", 5061, TLS),
        ("203.0.113.10", 5060, TCP),
        ("2001:db8::10", 5060, TCP),
    ]


def test_an_explicit_port_is_the_only_one_and_makes_srv_records_void() -> None:
    plan = plan_discovery(
        facts("203.0.113.10", targets=(srv("203.0.113.20", 5071, TLS),)), port=5090
    )

    assert keys(plan) == [
        ("203.0.113.10", 5090, TLS),
        ("203.0.113.10", 5090, TCP),
        ("203.0.113.10", 5090, UDP),
    ]
    assert {candidate.source for candidate in plan.candidates} == {CandidateSource.GIVEN}


def test_addresses_that_only_srv_records_name_are_not_tried_at_an_explicit_port() -> None:
    assert plan_discovery(facts(targets=(srv("203.0.113.20", 5071, TLS),)), port=5060) == (
        DiscoveryPlan(candidates=())
    )


def test_an_explicit_transport_is_the_only_one() -> None:
    plan = plan_discovery(
        facts("203.0.113.10", targets=(srv("203.0.113.20", 5071, UDP),)), transport=TLS
    )

    assert {transport for _, _, transport in keys(plan)} == {TLS}
    assert {address for address, _, _ in keys(plan)} == {"203.0.113.10", "203.0.113.20"}
    assert {port for _, port, _ in keys(plan)} == set(USUAL_PORTS)


def test_explicit_port_and_transport_leave_one_candidate_an_address() -> None:
    plan = plan_discovery(facts("203.0.113.10"), port=5060, transport=UDP)

    assert keys(plan) == [("203.0.113.10", 5060, UDP)]


def test_what_srv_records_announce_comes_first_in_the_order_of_the_look_up() -> None:
    plan = plan_discovery(
        facts(
            "203.0.113.10",
            targets=(
                srv("203.0.113.20", 5061, TLS, 10, source="naptr"),
                srv("203.0.113.21", 5070, UDP, 20),
                ResolvedTarget(address="203.0.113.10", source="a", name="example.com"),
            ),
        )
    )

    first, second, *rest = plan.candidates
    assert (first.key, first.source) == (("203.0.113.20", 5061, TLS), CandidateSource.NAPTR)
    assert (second.key, second.source) == (("203.0.113.21", 5070, UDP), CandidateSource.SRV)
    assert (first.priority, first.name) == (10, "sbc1.example.com")
    assert all(candidate.source is CandidateSource.DEFAULT for candidate in rest)
    assert {candidate.address for candidate in rest} == {
        "203.0.113.10",
        "203.0.113.20",
        "203.0.113.21",
    }


def test_certificates_and_request_uris_use_the_name_that_was_entered() -> None:
    plan = plan_discovery(facts(targets=(srv("203.0.113.20", 5061, TLS),)))

    assert {candidate.host for candidate in plan.candidates} == {"example.com"}


def test_one_probe_is_planned_once_however_its_address_is_spelt() -> None:
    plan = plan_discovery(
        facts(
            "2001:DB8:0::10",
            "2001:db8::10",
            targets=(srv("2001:db8:0:0::10", 5061, TLS), srv("2001:db8::10", 5061, TLS, 5)),
        )
    )

    assert len(plan.candidates) == 9
    assert plan.candidates[0].source is CandidateSource.SRV
    assert plan.candidates[0].priority == 0


def test_targets_without_port_or_transport_count_as_addresses() -> None:
    literal = ResolvedTarget(address="203.0.113.10", source="literal")

    assert len(plan_discovery(facts(targets=(literal,))).candidates) == 9


def test_what_is_no_address_of_the_network_is_left_out() -> None:
    assert plan_discovery(facts("fe80::1%eth0", "not-an-address")).candidates == ()


def test_nothing_resolved_leaves_nothing_to_try() -> None:
    assert plan_discovery(facts()) == DiscoveryPlan(candidates=())


def test_the_limits_are_kept_and_the_excess_is_counted() -> None:
    plan = plan_discovery(facts(*(f"203.0.113.{number}" for number in range(40))))

    assert len({candidate.address for candidate in plan.candidates}) == MAX_ADDRESSES
    assert len(plan.candidates) == MAX_CANDIDATES
    assert plan.omitted_addresses == 40 - MAX_ADDRESSES
    assert plan.omitted_candidates == 9 * MAX_ADDRESSES - MAX_CANDIDATES
    likely = {(5061, TLS), (5060, TCP), (5060, UDP)}
    tried = [(port, transport) for _, port, transport in keys(plan)]
    assert all(tried.count(pair) == MAX_ADDRESSES for pair in likely)


@pytest.mark.parametrize("v6_first", [True, False])
def test_one_address_family_does_not_crowd_out_the_other(v6_first: bool) -> None:
    many = [f"2001:db8::{number:x}" for number in range(30)]
    few = ["203.0.113.1", "203.0.113.2"]

    plan = plan_discovery(facts(*(many + few if v6_first else few + many)))

    assert set(few) <= {candidate.address for candidate in plan.candidates}


def test_a_resolution_is_taken_over_as_it_is() -> None:
    resolution = Resolution(
        host="example.com",
        targets=(
            Target(
                address="203.0.113.20",
                port=5061,
                transport=Transport.TLS,
                name="sbc1.example.com",
                source=Source.SRV,
                priority=1,
                weight=2,
                ttl=300,
            ),
        ),
        resolved_at=NOW,
    )

    taken = ResolutionFacts.model_validate(resolution)

    assert taken.targets[0].transport is TLS
    assert plan_discovery(taken) == plan_discovery(
        ResolutionFacts.model_validate_json(taken.model_dump_json())
    )
    assert plan_discovery(taken).candidates[0].key == ("203.0.113.20", 5061, TLS)


_ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
_TARGETS = st.builds(
    ResolvedTarget,
    address=_ADDRESSES,
    port=st.none() | st.integers(1, 65535),
    transport=st.none() | st.sampled_from(Transport),
    name=st.sampled_from(["a.example", "b.example"]),
    source=st.sampled_from(["literal", "naptr", "srv", "a", "aaaa"]),
    priority=st.none() | st.integers(0, 65535),
    weight=st.none(),
)


@settings(max_examples=100, deadline=None)
@given(
    addresses=st.lists(_ADDRESSES, max_size=25),
    targets=st.lists(_TARGETS, max_size=25),
    port=st.none() | st.integers(1, 65535),
    transport=st.none() | st.sampled_from(Transport),
)
def test_every_plan_keeps_its_rules(
    addresses: list[str],
    targets: list[ResolvedTarget],
    port: int | None,
    transport: Transport | None,
) -> None:
    resolution = facts(*addresses, targets=tuple(targets))

    plan = plan_discovery(resolution, port=port, transport=transport)

    assert len(plan.candidates) <= MAX_CANDIDATES
    assert len({candidate.address for candidate in plan.candidates}) <= MAX_ADDRESSES
    assert len(set(keys(plan))) == len(plan.candidates)
    assert port is None or {candidate.port for candidate in plan.candidates} <= {port}
    assert transport is None or {c.transport for c in plan.candidates} <= {transport}
    announced = [candidate.source.announced for candidate in plan.candidates]
    assert announced == sorted(announced, reverse=True)
    assert plan == plan_discovery(resolution, port=port, transport=transport)
