"""Which outages become one alert, and when it opens."""

from __future__ import annotations

from datetime import timedelta

from domain.alert_kinds import AlertKind, Severity
from domain.alert_table import KINDS
from domain.alerts import decide
from domain.health_observation import HealthState
from tests.domain.alerting import (
    NOW,
    OutageWorld,
    after,
    carrier,
    endpoint,
    many,
    only,
    picture,
    seconds,
    target,
    trunk,
)

MINUTE = timedelta(minutes=1)
DOWN, UP = HealthState.DOWN, HealthState.HEALTHY


def test_nothing_opens_before_the_threshold_has_passed() -> None:
    world = many(1, "sip1.example.com")
    world.set_host("sip1.example.com", DOWN)
    world.wait(5 * MINUTE)
    assert world.alerts == []
    assert world.decisions[-1].wake_at == NOW + 5 * MINUTE + seconds(10)
    world.wait(seconds(10))
    assert only(world).kind is AlertKind.UNREACHABLE
    assert only(world).cause == "sip1.example.com"


def test_an_outage_under_eighty_trunks_is_one_alert_with_eighty_members() -> None:
    world = many(80, "sip1.example.com")
    world.set_host("sip1.example.com", DOWN)
    world.wait(6 * MINUTE)
    assert len(only(world).active_members) == 80
    assert only(world).severity is Severity.CRITICAL
    assert "80 trunks with 160 numbers" in only(world).happened
    world.set_host("sip1.example.com", UP)
    world.wait(3 * MINUTE)
    assert not only(world).is_open
    assert sum(len(each.opened) for each in world.decisions) == 1
    assert sum(len(each.resolved) for each in world.decisions) == 1


def test_an_outage_of_both_endpoints_within_a_minute_is_one_alert() -> None:
    world = many(80, "sip1.example.com", "sip2.example.net")
    world.set_host("sip1.example.com", DOWN)
    world.wait(MINUTE)
    world.set_host("sip2.example.net", DOWN)
    world.wait(7 * MINUTE)
    alert = only(world)
    assert alert.cause == "sip1.example.com and sip2.example.net"
    assert len(alert.active_members) == 80
    assert all(each.no_route and len(each.endpoints) == 2 for each in alert.members)
    assert alert.severity is Severity.CRITICAL
    assert [len(each.updated) for each in world.decisions if each.updated] == []


def test_an_endpoint_that_fails_long_after_the_other_is_an_alert_of_its_own() -> None:
    world = many(2, "sip1.example.com", "sip2.example.net")
    world.set_host("sip1.example.com", DOWN)
    world.wait(10 * MINUTE)
    world.set_host("sip2.example.net", DOWN)
    world.wait(10 * MINUTE)
    first, second = world.alerts
    assert (first.severity, second.severity) == (Severity.WARNING, Severity.CRITICAL)
    assert not any(each.no_route for each in first.members)
    assert all(each.no_route for each in second.members)


def test_an_endpoint_that_fails_moments_after_an_alert_opened_joins_it() -> None:
    quick = {"unreachable_minutes": 0}
    world = OutageWorld(
        carrier("a", "sip1.example.com", "sip2.example.net", thresholds=quick),
        carrier("b", "sip1.example.com", thresholds=quick),
    )
    world.set_host("sip1.example.com", DOWN)
    world.wait(MINUTE)
    assert only(world).is_open
    world.set_host("sip2.example.net", DOWN)
    world.wait(MINUTE)
    assert only(world).severity is Severity.CRITICAL
    assert only(world).members[0].endpoints == ("sip1.example.com", "sip2.example.net")


def test_one_target_of_two_is_no_outage() -> None:
    half = endpoint("sip1.example.com", target(down_since=NOW - 10 * MINUTE), target("203.0.113.6"))
    assert decide(picture(trunk("a", half)), [], NOW).opened == ()


def test_a_name_that_leads_nowhere_is_an_outage() -> None:
    lost = endpoint("gone.example.com", error="no such name", error_since=NOW - 10 * MINUTE)
    [change] = decide(picture(trunk("a", lost)), [], NOW).opened
    assert "no such name" in change.alert.happened
    fresh = endpoint("gone.example.com", error="no such name")
    assert decide(picture(trunk("a", fresh)), [], NOW).opened == ()
    unknown = endpoint("new.example.com")
    assert decide(picture(trunk("a", unknown)), [], NOW).opened == ()


def test_whoever_shares_a_target_shares_the_outage() -> None:
    down = target("203.0.113.5", down_since=NOW - 10 * MINUTE)
    by_name, by_address = endpoint("sip.example.com", down), endpoint("203.0.113.5", down)
    [change] = decide(
        picture(trunk("a", by_name), trunk("b", by_address), trunk("c", by_name)), [], NOW
    ).opened
    assert change.alert.cause == "sip.example.com and 203.0.113.5:5060/udp"
    assert change.joined == ("trk_a", "trk_b", "trk_c")


def test_an_address_without_targets_yet_is_a_cause_by_itself() -> None:
    lost = endpoint("2001:db8::5", error="not allowed", error_since=NOW - 10 * MINUTE)
    [change] = decide(picture(trunk("a", lost)), [], NOW).opened
    assert change.alert.cause == "2001:db8::5"
    down = target("2001:db8::5", down_since=NOW - 10 * MINUTE)
    [change] = decide(picture(trunk("a", endpoint("2001:db8::5", down))), [], NOW).opened
    assert change.alert.cause == "[2001:db8::5]:5060/udp"


def test_a_host_that_gains_an_address_stays_the_same_outage() -> None:
    world = many(1, "sip1.example.com")
    world.set_host("sip1.example.com", DOWN)
    world.wait(6 * MINUTE)
    moved = target("198.51.100.9", down_since=world.now - 10 * MINUTE)
    world.trunks.append(trunk("b", endpoint("198.51.100.9", moved)))
    world.trunks.append(trunk("c", endpoint("sip1.example.com", moved)))
    world.look()
    assert [each.name for each in only(world).active_members] == ["t00", "c", "b"]
    assert "target:198.51.100.9:5060/udp" in only(world).causes


def test_two_open_alerts_never_hold_the_same_word() -> None:
    one, two = (
        target("203.0.113.1", down_since=NOW - 6 * MINUTE),
        target("203.0.113.2", down_since=NOW - 60 * MINUTE),
    )
    apart = picture(trunk("a", endpoint("a.example", one)), trunk("b", endpoint("b.example", two)))
    alerts = after([], decide(apart, [], NOW))
    assert len(alerts) == 2
    joined = picture(*apart.trunks, trunk("c", endpoint("a.example", one, two)))
    alerts = after(alerts, decide(joined, alerts, NOW + MINUTE))
    held = [cause for each in alerts for cause in each.causes]
    assert len(alerts) == 2
    assert len(held) == len(set(held))


def test_every_kind_has_its_rule() -> None:
    assert set(KINDS) == set(AlertKind)
