"""What is written of a target whose state stays as it is."""

from __future__ import annotations

import pytest

from domain.health import HealthState, TargetHealth
from domain.health_rule import HealthPreset, HealthRule
from storage.engine import Database
from storage.health_config import load_shards
from storage.health_writes import (
    StateRow,
    write_states,
)
from tests.storage.health_rows import (
    AT,
    a_name,
    a_target,
    a_transition,
    add_trunk,
    fences_of,
    health_of,
    nudges,
    place_names,
    see,
)

pytestmark = pytest.mark.postgres

NAME = a_name()
TARGET = a_target("192.0.2.1").target_id
STRICT = HealthRule(preset=HealthPreset.STRICT_200)

UNCHECKED, HEALTHY, REACHABLE, DEGRADED, DOWN = HealthState


@pytest.fixture
async def trunk_id(database: Database, org_id: str) -> str:
    trunk_id = await add_trunk(database, org_id)
    await place_names(database, org_id, trunk_id, NAME)
    return trunk_id


async def test_counters_of_a_state_that_stays_are_kept_for_who_takes_over(
    database: Database, trunk_id: str
) -> None:
    await see(database, NAME, a_transition(TARGET, HEALTHY))
    fences = await fences_of(database, NAME)
    doubted = TargetHealth(
        HEALTHY,
        since=AT,
        seq=1,
        misses=2,
        goods=0,
        maintenance_until=AT + 30.25,
        last_at=AT + 4,
        reason="unanswered",
    )
    async with database.system() as session:
        await write_states(session, fences, [StateRow(TARGET, "standard", doubted, AT + 14)])
        # An older state says nothing any more.
        await write_states(
            session, fences, [StateRow(TARGET, "standard", TargetHealth(UNCHECKED, seq=0))]
        )
        (target,) = (await load_shards(session, fences)).targets
    ((rule,),) = [target.rules]
    assert rule.health == doubted
    assert rule.next_at == AT + 14
    assert await nudges(database) == [f"trunk:{trunk_id}"]


async def test_a_row_that_was_made_anew_is_not_taken_for_the_one_before(
    database: Database, org_id: str, trunk_id: str
) -> None:
    change = a_transition(TARGET, HEALTHY)
    await see(database, NAME, change)
    fences = await fences_of(database, NAME)
    await place_names(database, org_id, trunk_id)
    await place_names(database, org_id, trunk_id, NAME)
    async with database.system() as session:
        await write_states(session, fences, [change.state])
        (target,) = (await load_shards(session, fences)).targets
    assert target.rules[0].health == TargetHealth(seq=1)
    assert await health_of(database, trunk_id) == UNCHECKED


async def test_a_row_that_lacks_changes_gets_the_state_and_its_trunk_is_told(
    database: Database, trunk_id: str
) -> None:
    await see(database, NAME, a_transition(TARGET, HEALTHY))
    fences = await fences_of(database, NAME)
    down = a_transition(TARGET, DOWN, seq=4).state
    async with database.system() as session:
        await write_states(session, fences, [down])
        (target,) = (await load_shards(session, fences)).targets
    assert target.rules[0].health == down.health
    assert await health_of(database, trunk_id) == DOWN
    assert await nudges(database) == [f"trunk:{trunk_id}"]
