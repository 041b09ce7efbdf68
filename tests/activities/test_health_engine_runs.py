"""How runs of the engine begin, end and give way."""

from __future__ import annotations

import asyncio

import pytest

from activities.contracts import WatchEndReason
from activities.health_engine import HealthEngine
from sip.net.guard import AddressGuard
from storage.engine import Database
from storage.health_config import displace
from storage.secret_box import SecretBox
from tests.activities.health_stage import (
    Peer,
    Watch,
    a_trunk,
    an_engine,
    becomes,
    eventually,
    name_of,
    place_in,
    place_trunk,
    rows,
    state_of,
    target_of,
    true_of,
)

pytestmark = pytest.mark.postgres


async def test_who_takes_a_shard_shuts_out_who_had_it(
    database: Database, guard: AddressGuard, box: SecretBox, engine: HealthEngine, peer: Peer
) -> None:
    name = name_of(peer.address)
    await place_trunk(database, await a_trunk(database, box), name)
    async with (
        an_engine(database, guard, box, holder="another") as other,
        Watch(engine, name) as first,
    ):
        await becomes(database, target_of(name), "healthy")
        async with Watch(other, name):
            peer.stop()
            await becomes(database, target_of(name), "down")
            assert (await first.ended()).reason is WatchEndReason.FENCED
    changes = await rows(database, "SELECT after FROM health_transitions ORDER BY id")
    assert [change.after for change in changes] == ["healthy", "down"]
    (shard,) = await rows(database, "SELECT * FROM health_shards WHERE fence = 2")
    assert shard.holder == "another"


async def test_a_run_that_was_given_up_gives_way_in_the_same_process(
    database: Database, box: SecretBox, engine: HealthEngine, peer: Peer
) -> None:
    name = name_of(peer.address)
    await place_trunk(database, await a_trunk(database, box), name)
    async with Watch(engine, name) as first:
        await becomes(database, target_of(name), "healthy")
        async with Watch(engine, name) as second:
            assert (await first.ended()).reason is WatchEndReason.FENCED
            asked = len(peer.asked)
            await eventually(lambda: true_of(lambda: len(peer.asked) > asked))
            assert not second.run or not second.run.done()


async def test_what_was_removed_and_comes_back_before_anybody_looked_is_probed_anew(
    database: Database, box: SecretBox, engine: HealthEngine, peer: Peer
) -> None:
    name = name_of(peer.address)
    trunk = await a_trunk(database, box)
    await place_trunk(database, trunk, name)
    async with Watch(engine, name):
        await becomes(database, target_of(name), "healthy")
        org_id, trunk_id = trunk
        async with database.tenant(org_id) as session:
            await displace(session, org_id=org_id, trunk_id=trunk_id)
            await place_in(session, trunk, name)
        assert await state_of(database, target_of(name)) == "unchecked"
        await becomes(database, target_of(name), "healthy")


async def test_a_process_that_stops_drains(
    database: Database, box: SecretBox, engine: HealthEngine, peer: Peer
) -> None:
    name = name_of(peer.address)
    await place_trunk(database, await a_trunk(database, box), name)
    async with Watch(engine, name) as watch:
        await becomes(database, target_of(name), "healthy")
        watch.stopping.set_result(None)
        assert (await watch.ended()).reason is WatchEndReason.DRAIN
    assert await rows(database, "SELECT FROM health_hours") != []
    assert engine.shards == {}


async def test_cancellation_is_heard_and_leaves_nothing_unwritten(
    database: Database, box: SecretBox, engine: HealthEngine, peer: Peer
) -> None:
    name = name_of(peer.address)
    await place_trunk(database, await a_trunk(database, box), name)
    watch = Watch(engine, name)
    await watch.__aenter__()
    await becomes(database, target_of(name), "healthy")
    assert watch.run is not None
    watch.run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watch.run
    assert await rows(database, "SELECT FROM health_hours") != []
    assert (len(engine.loop), engine.shards) == (0, {})
