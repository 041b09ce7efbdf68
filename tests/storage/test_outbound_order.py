"""Calls go where the published route says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.failover_route import Route, RouteCanary, RouteDrill
from domain.failover_state import CanaryStage
from storage import trunk_routes
from storage.engine import Database
from storage.outbound import outbound_of
from storage.outbound_order import trial_is_free
from storage.secret_box import SecretBox, generate_key
from tests.storage.factories import queued_call
from tests.storage.failover_trunks import NUMBER, FailoverTrunk, a_route, add_failover_trunk

pytestmark = pytest.mark.postgres

A, B, C = "a.example.com", "b.example.com", "c.example.com"


@pytest.fixture(scope="module")
def box() -> SecretBox:
    return SecretBox.from_key_ring(generate_key("a"))


@pytest.fixture
async def trunk(database: Database, box: SecretBox, org_id: str) -> FailoverTrunk:
    return await add_failover_trunk(database, box, org_id, A, B, C)


async def publish(database: Database, trunk: FailoverTrunk, route: Route) -> None:
    async with database.tenant(trunk.org_id) as session:
        assert await trunk_routes.publish(
            session,
            trunk.org_id,
            trunk.trunk_id,
            route.generation,
            route.model_dump(mode="json"),
            now=datetime.now(UTC),
        )


async def hosts(database: Database, org_id: str, number: str = NUMBER) -> list[str]:
    """Where a call from the number goes, the first first."""
    async with database.tenant(org_id) as session:
        return [each.host for each in await outbound_of(session, number)]


async def test_before_there_is_a_route_endpoints_follow_their_priority(
    database: Database, trunk: FailoverTrunk
) -> None:
    assert await hosts(database, trunk.org_id) == [A, B, C]


async def test_the_active_endpoint_comes_first_and_the_next_ones_behind_it(
    database: Database, trunk: FailoverTrunk
) -> None:
    await publish(database, trunk, a_route(C, A, B))
    assert await hosts(database, trunk.org_id) == [C, A, B]


async def test_the_priority_of_configurations_is_outermost(
    database: Database, box: SecretBox, trunk: FailoverTrunk
) -> None:
    other = await add_failover_trunk(
        database, box, trunk.org_id, "z.example.com", "y.example.com", priority=1
    )
    await publish(database, trunk, a_route(B, A, C))
    await publish(database, other, a_route("y.example.com", "z.example.com"))
    found = await hosts(database, trunk.org_id)
    assert found == [B, A, C, "y.example.com", "z.example.com"]


async def test_an_endpoint_that_the_route_does_not_know_yet_comes_last(
    database: Database, trunk: FailoverTrunk
) -> None:
    await publish(database, trunk, a_route(B, "gone.example.com", A))
    assert await hosts(database, trunk.org_id) == [B, A, C]


async def test_a_drill_is_for_its_number_and_for_its_time(
    database: Database, box: SecretBox, trunk: FailoverTrunk
) -> None:
    def drill(binding_id: str, ends_in: float) -> RouteDrill:
        until = datetime.now(UTC) + timedelta(seconds=ends_in)
        return RouteDrill(
            drill_id="drl_1", binding_id=binding_id, until=until, order=(2, 1, 0), why=("x",)
        )

    route = a_route(A, B, C)
    mine = drill(trunk.binding_id, 60)
    await publish(database, trunk, route.model_copy(update={"drill": mine}))
    assert await hosts(database, trunk.org_id) == [C, B, A]

    others = drill("cfg_other", 60)
    changed = {"drill": others, "generation": 2}
    await publish(database, trunk, route.model_copy(update=changed))
    assert await hosts(database, trunk.org_id) == [A, B, C]

    # Nobody published the end of it, and it is over all the same.
    ended = drill(trunk.binding_id, -1)
    changed = {"drill": ended, "generation": 3}
    await publish(database, trunk, route.model_copy(update=changed))
    assert await hosts(database, trunk.org_id) == [A, B, C]


async def test_a_tenth_of_the_calls_goes_to_the_endpoint_on_trial(
    database: Database, trunk: FailoverTrunk, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = RouteCanary(position=0, stage=CanaryStage.TENTH, since=datetime.now(UTC))
    await publish(database, trunk, a_route(B, A, C, canary=canary))
    for drawn, order in ((0.0999, [A, B, C]), (0.1, [B, A, C]), (0.9, [B, A, C])):
        monkeypatch.setattr("storage.outbound.random", lambda drawn=drawn: drawn)
        assert await hosts(database, trunk.org_id) == order


async def test_one_call_goes_to_the_endpoint_on_trial_and_no_second_one(
    database: Database, trunk: FailoverTrunk
) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)
    canary = RouteCanary(position=0, stage=CanaryStage.ONE_CALL, since=since)
    route = a_route(B, A, C, canary=canary)
    await publish(database, trunk, route)
    assert await hosts(database, trunk.org_id) == [A, B, C]

    for host, started, order in (
        (B, since + timedelta(seconds=1), [A, B, C]),
        (A, since - timedelta(seconds=1), [A, B, C]),
        (A, since + timedelta(seconds=1), [B, A, C]),
    ):
        await queued_call(
            database,
            trunk.org_id,
            at=started,
            trunk_id=trunk.trunk_id,
            settings={"host": host, "port": 5060, "callee": NUMBER},
        )
        assert await hosts(database, trunk.org_id) == order
    async with database.tenant(trunk.org_id) as session:
        assert not await trial_is_free(session, trunk.trunk_id, a_route(A))


async def test_a_route_of_another_organization_moves_nothing(
    database: Database, box: SecretBox, trunk: FailoverTrunk, other_org_id: str
) -> None:
    theirs = await add_failover_trunk(database, box, other_org_id, A, B)
    await publish(database, theirs, a_route(B, A))
    assert await hosts(database, trunk.org_id) == [A, B, C]
    assert await hosts(database, other_org_id) == [B, A]
