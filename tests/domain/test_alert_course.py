"""What becomes of an alert that is open: who joins and leaves, and when it ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.alert_kinds import AlertKind, Severity
from domain.alert_state import Alert
from domain.alerts import decide
from domain.health_observation import HealthState
from tests.domain.alerting import (
    NOW,
    OutageWorld,
    carrier,
    many,
    only,
    picture,
    seconds,
    silent,
    window,
)

MINUTE = timedelta(minutes=1)
DOWN, UP = HealthState.DOWN, HealthState.HEALTHY


def test_each_trunk_joins_when_its_own_threshold_has_passed() -> None:
    slow = carrier("slow", "sip1.example.com", thresholds={"unreachable_minutes": 30})
    world = OutageWorld(carrier("fast", "sip1.example.com"), slow)
    world.set_host("sip1.example.com", DOWN)
    world.wait(10 * MINUTE)
    assert [each.name for each in only(world).active_members] == ["fast"]
    world.wait(21 * MINUTE)
    assert [each.name for each in only(world).active_members] == ["fast", "slow"]
    [joining] = [each for decision in world.decisions for each in decision.updated]
    assert joining.joined == ("trk_slow",)
    assert joining.because == ("1 trunk joined: the same cause",)


def test_an_alert_ends_only_when_nothing_spoke_for_it_for_a_while() -> None:
    world = many(1, "sip1.example.com")
    world.set_host("sip1.example.com", DOWN)
    world.wait(6 * MINUTE)
    world.set_host("sip1.example.com", UP)
    world.wait(seconds(50))
    assert only(world).is_open
    world.set_host("sip1.example.com", DOWN)
    world.wait(2 * MINUTE)
    assert only(world).is_open
    assert only(world).members[0].clear_since is None
    world.set_host("sip1.example.com", UP)
    world.wait(seconds(70))
    assert not only(world).is_open


def test_what_comes_back_within_minutes_is_the_same_alert() -> None:
    world = OutageWorld(carrier("a", "sip1.example.com", thresholds={"unreachable_minutes": 1}))
    for _ in range(2):
        world.set_host("sip1.example.com", DOWN)
        world.wait(2 * MINUTE)
        world.set_host("sip1.example.com", UP)
        world.wait(2 * MINUTE)
    assert (only(world).flaps, only(world).is_open) == (1, False)
    world.wait(11 * MINUTE)
    world.set_host("sip1.example.com", DOWN)
    world.wait(2 * MINUTE)
    assert [each.flaps for each in world.alerts] == [1, 0]


def test_members_that_recover_leave_and_come_back() -> None:
    world = OutageWorld(carrier("a", "sip1.example.com"), carrier("b", "sip1.example.com"))
    world.set_host("sip1.example.com", DOWN)
    world.wait(6 * MINUTE)
    both = world.trunks
    world.trunks = [both[0], carrier("b", "sip1.example.com")]
    world.wait(2 * MINUTE)
    assert [each.name for each in only(world).active_members] == ["a"]
    [leaving] = [each for one in world.decisions for each in one.updated if each.left]
    assert leaving.left == ("trk_b",)
    world.trunks = both
    world.wait(MINUTE)
    assert [each.name for each in only(world).active_members] == ["a", "b"]


@pytest.mark.parametrize("ending", ["removed", "switched off"])
def test_a_trunk_that_is_not_watched_any_more_leaves_at_once(ending: str) -> None:
    world = many(1, "sip1.example.com")
    world.set_host("sip1.example.com", DOWN)
    world.wait(6 * MINUTE)
    world.trunks = [] if ending == "removed" else [silent(each) for each in world.trunks]
    [change] = world.look().resolved
    assert "not watched any more" in " ".join(change.because)


def test_nothing_opens_in_maintenance_of_the_trunk_or_the_endpoint() -> None:
    for name_id in (None, "nam_sip1.example.com"):
        world = many(1, "sip1.example.com")
        planned = window(NOW, NOW + 30 * MINUTE, name_id)
        world.trunks = [each.model_copy(update={"windows": (planned,)}) for each in world.trunks]
        world.set_host("sip1.example.com", DOWN)
        world.wait(20 * MINUTE)
        assert world.alerts == []
        assert world.decisions[-1].wake_at == NOW + 30 * MINUTE
        world.wait(11 * MINUTE)
        assert only(world).is_open


def test_an_alert_is_marked_while_everything_it_concerns_is_worked_on() -> None:
    world = many(2, "sip1.example.com")
    world.set_host("sip1.example.com", DOWN)
    world.wait(6 * MINUTE)
    plain = world.trunks
    planned = window(world.now, world.now + 30 * MINUTE)
    maintained = [each.model_copy(update={"windows": (planned,)}) for each in plain]
    world.trunks = [maintained[0], plain[1]]
    world.look()
    assert not only(world).in_maintenance
    world.trunks = maintained
    [change] = world.look().updated
    assert change.alert.in_maintenance
    assert change.because == ("everything concerned is in maintenance",)
    world.trunks = plain
    [change] = world.look().updated
    assert change.because == ("everything concerned is not any more in maintenance",)


def test_a_trunk_without_a_threshold_is_told_when_nothing_works() -> None:
    none = {"unreachable_minutes": None}
    world = OutageWorld(carrier("a", "sip1.example.com", "sip2.example.net", thresholds=none))
    world.set_host("sip1.example.com", DOWN)
    world.wait(10 * MINUTE)
    assert world.alerts == []
    world.set_host("sip2.example.net", DOWN)
    world.wait(2 * MINUTE)
    assert only(world).kind is AlertKind.NO_HEALTHY_ENDPOINT
    assert only(world).severity is Severity.CRITICAL


def test_a_trunk_without_a_route_joins_the_open_outage() -> None:
    none = {"unreachable_minutes": None}
    world = OutageWorld(carrier("a", "sip1.example.com", "sip2.example.net"))
    world.set_host("sip1.example.com", DOWN)
    world.wait(6 * MINUTE)
    assert only(world).severity is Severity.WARNING
    world.trunks.append(carrier("b", "sip1.example.com", thresholds=none))
    world.set_host("sip1.example.com", DOWN)
    world.wait(2 * MINUTE)
    assert [each.no_route for each in only(world).active_members] == [False, True]
    [change] = [each for decision in world.decisions for each in decision.updated if each.raised]
    assert "the severity grew from warning to critical" in change.because
    assert "for 1 of them no other endpoint works" in change.alert.happened


def test_a_decision_that_is_repeated_changes_nothing() -> None:
    world = many(3, "sip1.example.com")
    world.set_host("sip1.example.com", DOWN)
    world.wait(6 * MINUTE)
    decision = world.look()
    assert (decision.opened, decision.updated, decision.resolved) == ((), (), ())
    crashed = decide(picture(*world.trunks), [], world.now)
    again = decide(picture(*world.trunks), [], world.now)
    assert crashed.opened[0].alert.alert_id == again.opened[0].alert.alert_id


def test_alerts_survive_as_json() -> None:
    world = many(2, "sip1.example.com")
    world.set_host("sip1.example.com", DOWN)
    world.wait(6 * MINUTE)
    assert Alert.model_validate_json(only(world).model_dump_json()) == only(world)
