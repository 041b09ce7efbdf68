"""Differences between two states of a configuration, and the slots of a number's configurations."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.route_slots import Slot, placed
from domain.state_diff import (
    Difference,
    FieldChange,
    Hidden,
    NamedTrunk,
    RouteChange,
    State,
    applied,
    difference,
    field_changes,
)
from domain.trunk import Direction, TrunkDirection, TrunkProfile, TrunkSecrets

ACME = NamedTrunk(
    "Acme",
    "custom",
    TrunkProfile(direction=TrunkDirection.BOTH, sip_endpoint="sip:acme.example.com"),
    TrunkSecrets(sip_password="canary"),
)
NUMBER = "+14150000001"

keys = st.sampled_from(["trk_a", "trk_b", "trk_c", "new:0", "new:1"])
trunks = st.builds(
    NamedTrunk,
    st.sampled_from(["Acme", "Zenith"]),
    st.just("custom"),
    st.builds(TrunkProfile, direction=st.sampled_from(TrunkDirection)),
    st.builds(TrunkSecrets, sip_password=st.sampled_from([None, "one", "two"])),
)
carriers = st.lists(keys, unique=True, max_size=4).map(tuple)
routes = st.dictionaries(
    st.tuples(st.sampled_from([NUMBER, "2001", "+442071838750"]), st.sampled_from(Direction)),
    carriers,
)
states = st.builds(State, st.dictionaries(keys, trunks), routes)


def told(state: State) -> State:
    """The state without routes that nothing carries, which say nothing."""
    return replace(state, routes={route: keys for route, keys in state.routes.items() if keys})


@given(present=states, wanted=states)
def test_the_difference_leads_from_one_state_to_the_other(present: State, wanted: State) -> None:
    reached = applied(present, difference(present, wanted))

    assert reached == told(wanted)
    assert not difference(reached, wanted)


@given(present=states, wanted=states)
def test_the_way_back_undoes_the_way_there(present: State, wanted: State) -> None:
    there, back = difference(present, wanted), difference(wanted, present)

    assert applied(applied(present, there), back) == told(present)


@given(states)
def test_a_state_does_not_differ_from_itself(state: State) -> None:
    assert difference(state, state) == Difference()
    assert not difference(state, told(state))


@given(present=states, wanted=states)
def test_changes_of_another_state_are_refused(present: State, wanted: State) -> None:
    changes = difference(present, wanted)
    if changes:
        with pytest.raises(ValueError, match="is not what the change starts from"):
            applied(applied(present, changes), changes)


def test_another_password_is_a_change() -> None:
    other = replace(ACME, secrets=TrunkSecrets(sip_password="other"))

    changes = difference(State({"trk_a": ACME}), State({"trk_a": other}))

    assert [(each.before, each.after) for each in changes.trunks] == [(ACME, other)]
    assert "canary" not in repr(changes)


def test_an_order_is_part_of_a_route() -> None:
    route = NUMBER, Direction.OUTBOUND

    changes = difference(State({}, {route: ("a", "b")}), State({}, {route: ("b", "a")}))

    assert changes.routes == (RouteChange(*route, ("a", "b"), ("b", "a")),)


def test_fields_are_named_by_their_path() -> None:
    before = {"name": "Acme", "options": {"port": 5060, "codecs": ["PCMU"]}, "headers": None}
    after = {"name": "Acme", "options": {"codecs": ["PCMU", "Opus"]}, "headers": {"X-A": "1"}}

    assert field_changes(before, after) == [
        FieldChange("options.port", 5060, None),
        FieldChange("options.codecs", ["PCMU"], ["PCMU", "Opus"]),
        FieldChange("headers.X-A", None, "1"),
    ]


def test_false_and_zero_are_not_absent() -> None:
    assert field_changes({}, {"secure_media": False, "wait": 0}) == [
        FieldChange("secure_media", None, False),
        FieldChange("wait", None, 0),
    ]


def test_secrets_differ_without_being_shown() -> None:
    (change,) = field_changes({"password": Hidden("canary")}, {"password": Hidden("other")})

    assert change.field == "password"
    assert "canary" not in repr(change)
    assert field_changes({"password": Hidden("same")}, {"password": Hidden("same")}) == []


@st.composite
def slots(draw: st.DrawFn) -> tuple[Slot, ...]:
    found = draw(st.lists(keys, unique=True, max_size=5))
    priorities = draw(
        st.lists(st.integers(0, 9), unique=True, min_size=len(found), max_size=len(found))
    )
    return tuple(
        Slot(f"cfg_{index}", carrier, priority)
        for index, (carrier, priority) in enumerate(zip(found, sorted(priorities), strict=True))
    )


@given(present=slots(), wanted=carriers, data=st.data())
def test_slots_reach_the_wanted_order_and_never_collide_on_the_way(
    present: tuple[Slot, ...], wanted: tuple[str, ...], data: st.DataObject
) -> None:
    placement = placed(present, wanted)
    now = {slot.id: slot for slot in present if slot not in placement.removed}
    steps = [*placement.moved, *(Slot(f"new_{key}", key, at) for key, at in placement.added)]
    for step in data.draw(st.permutations(steps)):
        now[step.id] = step
        assert len({slot.priority for slot in now.values()}) == len(now)
        assert len({slot.carrier for slot in now.values()}) == len(now)

    assert tuple(s.carrier for s in sorted(now.values(), key=lambda s: s.priority)) == wanted


@given(present=slots())
def test_slots_in_the_wanted_order_stay_where_they_are(present: tuple[Slot, ...]) -> None:
    placement = placed(present, [slot.carrier for slot in present])

    assert (placement.removed, placement.moved, placement.added) == ((), (), ())


def test_a_configuration_goes_on_with_another_trunk_instead_of_a_new_one() -> None:
    present = [Slot("cfg_1", "trk_a", 0), Slot("cfg_2", "trk_b", 1)]

    placement = placed(present, ["trk_c", "trk_b"])

    assert placement.moved == (Slot("cfg_1", "trk_c", 0),)
    assert (placement.removed, placement.added) == ((), ())
