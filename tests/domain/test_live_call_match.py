"""Whose call it is, by its numbers and by the trunk whose peer took part."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.live_call_match import Match, MatchKind, Owner, local_match, numbers_of
from domain.trunk import Direction
from tests.domain.live_traffic import CALLEE, CALLER, call_of, normal_call

CALL = call_of(normal_call().messages)
FROM, TO = "+14155550199", "+14155550100"


def owner(
    number: str,
    direction: Direction,
    *peers: str,
    org: str = "org_a",
    trunk: str = "trk_a",
) -> Owner:
    return Owner(
        org_id=org,
        trunk_id=trunk,
        direction=direction,
        phone_number=number,
        peer_addresses=frozenset(peers),
    )


def match(*owners: Owner, **changes: object) -> Match:
    by_number: dict[str, list[Owner]] = {}
    for each in owners:
        by_number.setdefault(each.phone_number, []).append(each)
    return local_match(replace(CALL, **changes), by_number)  # type: ignore[arg-type]


def outbound(*peers: str, org: str = "org_a", trunk: str = "trk_a") -> Owner:
    return owner(FROM, Direction.OUTBOUND, *peers, org=org, trunk=trunk)


def inbound(*peers: str, org: str = "org_b", trunk: str = "trk_b") -> Owner:
    return owner(TO, Direction.INBOUND, *peers, org=org, trunk=trunk)


def test_the_callers_number_that_is_bound_outbound_makes_an_outbound_call() -> None:
    assert match(outbound()) == Match(
        kind=MatchKind.MATCHED,
        org_id="org_a",
        trunk_id="trk_a",
        direction=Direction.OUTBOUND,
        phone_number=FROM,
    )


def test_the_callees_number_that_is_bound_inbound_makes_an_inbound_call() -> None:
    found = match(inbound())

    assert (found.org_id, found.direction, found.phone_number) == ("org_b", Direction.INBOUND, TO)


def test_a_number_that_is_bound_the_other_way_only_matches_nothing() -> None:
    assert match(owner(FROM, Direction.INBOUND)) == Match(kind=MatchKind.UNMATCHED)
    assert match(owner(TO, Direction.OUTBOUND)) == Match(kind=MatchKind.UNMATCHED)
    assert match() == Match(kind=MatchKind.UNMATCHED)


@pytest.mark.parametrize(
    ("stored", "dialled", "fits"),
    [
        ("+14155550100", "14155550100", True),
        ("+14155550100", "+14155550100", True),
        ("14155550100", "14155550100", True),
        ("14155550100", "+14155550100", False),
        ("2001", "2001", True),
        ("2001", "+2001", False),
        ("reception", "reception", True),
        ("reception", "Reception", False),
    ],
)
def test_numbers_are_compared_with_and_without_plus_and_others_verbatim(
    stored: str, dialled: str, fits: bool
) -> None:
    found = match(owner(stored, Direction.INBOUND), callees=(dialled,))

    assert (found.kind is MatchKind.MATCHED) == fits


def test_every_candidate_counts_and_all_can_be_looked_up() -> None:
    users = ("anybody", "14155550111")

    found = match(owner("+14155550111", Direction.OUTBOUND), callers=users)

    assert found.phone_number == "+14155550111"
    assert numbers_of(replace(CALL, callers=users, callees=("2001",))) == (
        *("anybody", "14155550111", "+14155550111"),
        *("2001", "+2001"),
    )


def test_two_organizations_are_told_apart_by_the_peer() -> None:
    assert match(outbound(CALLEE[0]), inbound("203.0.113.99")).org_id == "org_a"
    assert match(outbound("203.0.113.99"), inbound(CALLER[0])).org_id == "org_b"


def test_a_peer_on_the_side_where_the_direction_puts_it_counts_more() -> None:
    # The carrier is a peer of both, but the call came in from it.
    found = match(outbound(CALLER[0]), inbound(CALLER[0]))

    assert (found.org_id, found.direction) == ("org_b", Direction.INBOUND)
    assert match(outbound(CALLER[0]), inbound()).org_id == "org_a"


def test_two_organizations_that_fit_alike_are_ambiguous() -> None:
    for owners in (
        (outbound(), inbound()),
        (outbound(CALLEE[0]), inbound(CALLER[0])),
        (inbound(CALLER[0], org="org_a"), inbound(CALLER[0])),
    ):
        assert match(*owners) == Match(kind=MatchKind.AMBIGUOUS, candidates=("org_a", "org_b"))


def test_several_trunks_of_an_organization_are_told_apart_by_the_peer() -> None:
    first, second = outbound(trunk="trk_1"), outbound(CALLEE[0], trunk="trk_2")

    assert match(first, second).trunk_id == "trk_2"
    assert match(first, replace(second, peer_addresses=frozenset())) == Match(
        kind=MatchKind.MATCHED,
        org_id="org_a",
        direction=Direction.OUTBOUND,
        phone_number=FROM,
    )


def test_a_call_between_numbers_of_one_organization_is_its_callers() -> None:
    found = match(inbound(org="org_a"), outbound())

    assert (found.org_id, found.direction, found.trunk_id) == (
        "org_a",
        Direction.OUTBOUND,
        "trk_a",
    )


@pytest.mark.parametrize("address", ["::ffff:192.0.2.10", "192.0.2.10"])
def test_an_address_that_a_dual_stack_socket_saw_is_the_same(address: str) -> None:
    found = match(inbound("192.0.2.10"), outbound(), source=(address, 5060))

    assert found.org_id == "org_b"


def test_ipv6_addresses_are_compared_as_addresses_and_anything_else_as_text() -> None:
    assert match(inbound("2001:db8::1"), outbound(), source=("2001:DB8:0::1", 1)).org_id == "org_b"
    assert match(inbound("unix"), outbound(), source=("unix", 0)).org_id == "org_b"


peers = st.sets(st.sampled_from([CALLER[0], CALLEE[0], "203.0.113.99"]))
owners = st.lists(
    st.builds(
        lambda number, direction, peers, org, trunk: owner(
            number, direction, *peers, org=org, trunk=f"{org}/{trunk}"
        ),
        st.sampled_from([FROM, TO]),
        st.sampled_from(Direction),
        peers,
        st.sampled_from(["org_a", "org_b"]),
        st.sampled_from(["1", "2"]),
    ),
    max_size=6,
)


@given(owners)
def test_a_match_names_what_is_bound_and_nobody_elses(owners: list[Owner]) -> None:
    found = match(*owners)

    if found.kind is MatchKind.MATCHED:
        assert any(
            (each.org_id, each.direction, each.phone_number)
            == (found.org_id, found.direction, found.phone_number)
            and found.trunk_id in (None, each.trunk_id)
            for each in owners
        )
    else:
        assert (found.org_id, found.trunk_id, found.direction) == (None, None, None)
    assert match(*reversed(owners)).kind is found.kind
    assert match(*reversed(owners)).org_id == found.org_id
