"""The activities of a trunk over a real database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter

from activities.contracts import (
    LookedTrunk,
)
from activities.dependencies import Dependencies
from domain.failover_commands import Commands, DrillEnd
from domain.failover_drill import DrillReport
from domain.failover_picture import CallSign
from domain.failover_state import Cause, FailoverState
from domain.health_observation import HealthState, Observed
from domain.trunk import TrunkDirection
from sip.call_facts import CallFacts
from storage import trunk_routes, trunks
from storage.engine import Database
from storage.health_observations import NewObservation, add_observation
from storage.ids import new_id
from tests.activities.trunk_desk import NAME, NOTHING, NOW, A, B, a_drill, desk_of
from tests.domain.calls import refused, target
from tests.storage.call_steps import end
from tests.storage.factories import queued_call
from tests.storage.failover_trunks import (
    NUMBER,
    a_route,
    set_states,
)

pytestmark = pytest.mark.postgres


async def test_an_adopted_trunk_is_watched_and_its_row_says_which_revision(
    dependencies: Dependencies, database: Database
) -> None:
    desk = await desk_of(dependencies, A, B, NAME)
    await desk.adopt(3)
    await desk.adopt(2)
    assert await desk.watched() == [A, B, NAME]
    async with database.tenant(desk.trunk.org_id) as session:
        trunk = await trunks.get(session, desk.trunk.org_id, desk.trunk.trunk_id)
    assert trunk is not None
    assert trunk.adopted_revision == 3


async def test_a_trunk_that_only_takes_calls_is_not_watched(dependencies: Dependencies) -> None:
    desk = await desk_of(dependencies, A, direction=TrunkDirection.INBOUND)
    await desk.adopt()
    assert await desk.watched() == []
    decision = await desk.look()
    assert decision is not None
    assert decision.route is not None
    assert decision.route.cause is Cause.NO_ENDPOINT


async def test_endpoints_of_a_failover_that_is_off_are_not_watched(
    dependencies: Dependencies,
) -> None:
    desk = await desk_of(dependencies, A, B, enabled=False)
    await desk.adopt()
    assert await desk.watched() == [A]


async def test_a_look_sees_endpoints_targets_and_calls(
    dependencies: Dependencies, database: Database
) -> None:
    desk = await desk_of(dependencies, A, B, NAME)
    await desk.adopt()
    await set_states(database, desk.trunk, "down", "healthy")
    async with database.tenant(desk.trunk.org_id) as session:
        await add_observation(
            session,
            NewObservation(
                org_id=desk.trunk.org_id,
                trunk_id=desk.trunk.trunk_id,
                at=datetime.now(UTC),
                host=A,
                port=5060,
                transport=None,
                kind=Observed.TIMEOUT,
                sign=CallSign.TIMEOUT.value,
            ),
        )
    picture = await desk.picture()
    assert (picture.revision, picture.generation, picture.failover.enabled) == (1, 0, True)
    assert [each.label for each in picture.endpoints] == [f"{A}:5060", f"{B}:5060", f"{NAME}:5060"]
    [[first], [second], unresolved] = [each.targets for each in picture.endpoints]
    assert unresolved == ()
    assert (first.address, first.state, second.state) == (A, HealthState.DOWN, HealthState.HEALTHY)
    assert first.since is not None
    assert datetime.now(UTC) - first.since > timedelta(minutes=59)
    assert [(each.host, each.sign) for each in picture.calls] == [(A, CallSign.TIMEOUT)]

    decision = await desk.look()
    assert decision is not None
    assert decision.route is not None
    assert decision.route.active is not None
    assert (decision.route.active.position, decision.route.generation) == (1, 1)
    assert decision.failover.since is not None
    assert datetime.now(UTC) - decision.failover.since < timedelta(minutes=1)
    await desk.publish(decision.route)
    again = await desk.look(decision.failover)
    assert again is not None
    assert (again.route, again.failover) == (None, decision.failover)


async def test_calls_that_fail_move_calls_although_every_probe_is_answered(
    dependencies: Dependencies, database: Database
) -> None:
    desk = await desk_of(dependencies, A, B)
    await desk.adopt()
    await set_states(database, desk.trunk, "healthy", "healthy")
    facts = replace(refused(503), targets=(target(address=A),))
    details = {"facts": TypeAdapter(CallFacts).dump_python(facts, mode="json")}
    decisions: list[FailoverState] = []
    for _ in range(3):
        call = await queued_call(
            database,
            desk.trunk.org_id,
            trunk_id=desk.trunk.trunk_id,
            settings={"host": A, "port": 5060, "callee": "100"},
        )
        async with database.tenant(desk.trunk.org_id) as session:
            assert await end(session, call.id, details=details, ended_at=datetime.now(UTC))
        decision = await desk.look()
        assert decision is not None
        decisions.append(decision.failover)
    assert [each.position for each in decisions] == [0, 0, 1]
    assert decisions[-1].cause is Cause.UNREACHABLE


async def test_a_look_has_a_trunk_watched_that_an_earlier_release_adopted(
    dependencies: Dependencies,
) -> None:
    desk = await desk_of(dependencies, A, B)
    await desk.look()
    assert await desk.watched() == [A, B]


async def test_who_looks_goes_by_no_earlier_time_than_its_workflow(
    dependencies: Dependencies,
) -> None:
    desk = await desk_of(dependencies, A, B)
    later = datetime.now(UTC) + timedelta(hours=1)
    order = LookedTrunk(**desk.ids, failover=NOTHING, commands=Commands(), now=later)
    decision = await desk.run(desk.activities.look, order)
    assert decision is not None
    assert decision.failover.since == later


async def test_a_trunk_that_is_gone_is_not_seen_and_not_watched(
    dependencies: Dependencies,
) -> None:
    desk = await desk_of(dependencies, A, B)
    await desk.adopt()
    await desk.remove()
    assert await desk.look() is None
    await desk.adopt(2)
    await desk.leave()
    assert await desk.watched() == []


async def test_a_route_is_published_once_and_never_replaced_by_an_older_one(
    dependencies: Dependencies, database: Database
) -> None:
    desk = await desk_of(dependencies, A, B)
    for generation in (2, 1, 2):
        await desk.publish(a_route(A, B, generation=generation))
    async with database.tenant(desk.trunk.org_id) as session:
        row = await trunk_routes.route_of(session, desk.trunk.org_id, desk.trunk.trunk_id)
    assert row is not None
    assert row.generation == 2
    assert (await desk.picture()).generation == 2


async def test_a_route_of_a_trunk_that_is_gone_is_not_kept(dependencies: Dependencies) -> None:
    desk = await desk_of(dependencies, A, B)
    await desk.remove()
    await desk.publish(a_route(A, B))


async def test_a_drill_is_written_as_it_goes_on(dependencies: Dependencies) -> None:
    desk, drill_id = await desk_of(dependencies, A, B), new_id("drl")
    drill = a_drill(desk, drill_id)
    for _ in range(2):
        await desk.note(drill_id, drill=drill, report=DrillReport(detection_ms=120))
    row = await desk.drill(drill_id)
    assert row is not None
    assert (row.number, row.seconds, row.state, row.ended_at) == (NUMBER, 60, "running", None)
    assert row.report is not None
    assert row.report["detection_ms"] == 120
    decision = await desk.look()
    assert decision is not None
    assert decision.open_drills == (drill_id,)

    ended = NOW + timedelta(seconds=60)
    report = DrillReport(detection_ms=120, recovery_ms=80)
    for why in (DrillEnd.COMPLETED, DrillEnd.INTERRUPTED):
        await desk.note(drill_id, drill=drill, end=why, ended_at=ended, report=report)
    row = await desk.drill(drill_id)
    assert row is not None
    assert row.report is not None
    assert (row.state, row.ended_at, row.report["recovery_ms"]) == ("completed", ended, 80)


async def test_a_drill_that_nothing_is_known_of_is_ended(dependencies: Dependencies) -> None:
    desk, drill_id = await desk_of(dependencies, A, B), new_id("drl")
    await desk.note(drill_id, drill=a_drill(desk, drill_id), report=DrillReport(detection_ms=1))
    await desk.note(drill_id, end=DrillEnd.INTERRUPTED, ended_at=NOW)
    row = await desk.drill(drill_id)
    assert row is not None
    assert (row.state, row.report is not None) == ("interrupted", True)


async def test_a_drill_of_a_binding_that_is_gone_leaves_no_row(
    dependencies: Dependencies,
) -> None:
    desk, drill_id = await desk_of(dependencies, A, B), new_id("drl")
    drill = a_drill(desk, drill_id, binding_id=new_id("cfg"))
    await desk.note(drill_id, drill=drill, end=DrillEnd.TRUNK_REVISED, ended_at=NOW)
    assert await desk.drill(drill_id) is None


async def test_leaving_a_trunk_ends_its_drills(dependencies: Dependencies) -> None:
    desk, drill_id = await desk_of(dependencies, A, B), new_id("drl")
    await desk.adopt()
    await desk.note(drill_id, drill=a_drill(desk, drill_id))
    await desk.remove()
    for _ in range(2):
        await desk.leave()
    row = await desk.drill(drill_id)
    assert row is not None
    assert row.state == "trunk_removed"
    assert await desk.watched() == []
