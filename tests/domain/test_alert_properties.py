"""What holds for every organization, whatever happens to its carriers."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alert_state import Alert
from domain.health_observation import HealthState
from tests.domain.alerting import OutageWorld, endpoint, target, trunk, window

HOSTS = tuple(f"sip{index}.example.com" for index in range(4))
MINUTE = timedelta(minutes=1)

Happening = tuple[str, int, int]
HAPPENINGS = st.lists(
    st.tuples(
        st.sampled_from(("down", "up", "maintenance", "wait")),
        st.integers(0, len(HOSTS) - 1),
        st.integers(1, 12),
    ),
    max_size=14,
)
TRUNKS = st.lists(
    st.tuples(
        st.lists(st.integers(0, len(HOSTS) - 1), min_size=1, max_size=3, unique=True),
        st.sampled_from((None, 1, 5)),
    ),
    min_size=1,
    max_size=5,
)


def world_of(made: list[tuple[list[int], int | None]]) -> OutageWorld:
    return OutageWorld(
        *(
            trunk(
                f"t{index}",
                *(
                    # Two hosts share the last of their addresses.
                    endpoint(
                        HOSTS[host],
                        target(f"203.0.113.{host}"),
                        target(f"203.0.113.{100 + host // 2}"),
                    )
                    for host in hosts
                ),
                thresholds={"unreachable_minutes": minutes},
            )
            for index, (hosts, minutes) in enumerate(made)
        )
    )


def happen(world: OutageWorld, happening: Happening) -> None:
    what, which, minutes = happening
    if what == "maintenance":
        chosen = which % len(world.trunks)
        planned = window(world.now, world.now + minutes * MINUTE)
        world.trunks[chosen] = world.trunks[chosen].model_copy(update={"windows": (planned,)})
    elif what != "wait":
        state = HealthState.DOWN if what == "down" else HealthState.HEALTHY
        world.set_host(HOSTS[which], state)
    world.wait(minutes * MINUTE, step=timedelta(seconds=30))


def causes(alerts: list[Alert]) -> Counter[tuple[str, str]]:
    return Counter((each.kind.value, cause) for each in alerts for cause in each.causes)


@given(TRUNKS, HAPPENINGS)
@settings(max_examples=60)
def test_no_two_open_alerts_are_about_the_same_cause(
    made: list[tuple[list[int], int | None]], happenings: list[Happening]
) -> None:
    world = world_of(made)
    for happening in happenings:
        happen(world, happening)
        assert max(causes(world.open).values(), default=1) == 1


@given(TRUNKS, HAPPENINGS)
@settings(max_examples=60)
def test_every_alert_ends_when_everything_works_again(
    made: list[tuple[list[int], int | None]], happenings: list[Happening]
) -> None:
    world = world_of(made)
    for happening in happenings:
        happen(world, happening)
    for host in HOSTS:
        world.set_host(host, HealthState.HEALTHY)
    world.wait(3 * MINUTE, step=timedelta(seconds=30))
    assert world.open == []
    for alert in world.alerts:
        assert alert.active_members == ()
        assert alert.resolved_at is not None
        assert alert.resolved_at > alert.opened_at


@given(TRUNKS, HAPPENINGS)
@settings(max_examples=60)
def test_decisions_explain_themselves_and_open_nothing_in_maintenance(
    made: list[tuple[list[int], int | None]], happenings: list[Happening]
) -> None:
    world = world_of(made)
    for happening in happenings:
        happen(world, happening)
    watched = {each.trunk_id: each for each in world.trunks}
    for decision in world.decisions:
        for change in (*decision.opened, *decision.updated, *decision.resolved):
            assert change.because
            assert all(change.because)
        for change in decision.opened:
            for member in change.alert.members:
                windows = watched[member.trunk_id].windows
                opened_at = change.alert.opened_at
                assert not any(each.starts_at <= opened_at < each.ends_at for each in windows)


@given(st.integers(1, 12), st.integers(0, 60))
@settings(max_examples=20)
def test_the_trunks_of_an_outage_are_all_in_one_alert(count: int, apart: int) -> None:
    world = world_of([([0, 2], 5)] * count)
    world.set_host(HOSTS[0], HealthState.DOWN)
    world.wait(timedelta(seconds=apart), step=timedelta(seconds=10))
    world.set_host(HOSTS[2], HealthState.DOWN)
    world.wait(10 * MINUTE, step=timedelta(seconds=30))
    [alert] = world.alerts
    assert len(alert.active_members) == count


@given(TRUNKS, HAPPENINGS)
@settings(max_examples=40)
def test_whoever_wakes_when_told_misses_nothing(
    made: list[tuple[list[int], int | None]], happenings: list[Happening]
) -> None:
    world = world_of(made)
    for happening in happenings:
        happen(world, happening)
    for _ in range(100):
        wake_at = world.look().wake_at
        if wake_at is None:
            break
        assert wake_at > world.now
        world.now = wake_at
    else:
        raise AssertionError("the decision never comes to rest")
    world.now += timedelta(hours=1)
    decision = world.look()
    assert (decision.opened, decision.updated, decision.resolved) == ((), (), ())
