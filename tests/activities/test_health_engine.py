"""The engine beside a real database and real peers on loopback."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from time import time

import pytest

from activities.contracts import WatchEndReason, WatchProgress
from activities.health_engine import HealthEngine
from domain.health_observation import Observed
from domain.health_rule import HealthPreset, HealthRule, HealthSource
from domain.health_schedule import next_due
from domain.probe_target import NameIdentity, ProbeProfile, shard_of
from sip.net.guard import AddressGuard
from sip.transports import Transport
from storage.engine import Database
from storage.health_writes import NewObservation, add_observation
from storage.secret_box import SecretBox
from tests.activities.health_stage import (
    Peer,
    Watch,
    a_trunk,
    an_engine,
    becomes,
    eventually,
    name_of,
    place_trunk,
    rows,
    target_of,
    true_of,
)
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.postgres


async def test_a_placed_endpoint_is_probed_at_once_and_its_trunk_is_told(
    database: Database, box: SecretBox, engine: HealthEngine, peer: Peer
) -> None:
    trunk = await a_trunk(database, box)
    name = name_of(peer.address)
    await place_trunk(database, trunk, name)
    async with Watch(engine, name):
        await becomes(database, target_of(name), "healthy")
    (change,) = await rows(database, "SELECT * FROM health_transitions")
    assert (change.before, change.after, change.reason) == ("unchecked", "healthy", "answered 200")
    assert change.evidence["seen_by"] == "probe"
    assert (change.evidence["kind"], change.evidence["status"]) == ("reply", 200)
    assert bytes(change.request).startswith(b"OPTIONS sip:")
    assert bytes(change.reply).startswith(b"SIP/2.0 200 OK\r\n")
    facts = await rows(database, "SELECT payload FROM outbox WHERE kind = 'trunk_facts'")
    assert [fact.payload for fact in facts] == [{"trunk_id": trunk[1]}]


async def test_a_peer_that_dies_is_down_with_what_proves_it(
    database: Database, box: SecretBox, engine: HealthEngine, peer: Peer
) -> None:
    name = name_of(peer.address)
    await place_trunk(database, await a_trunk(database, box), name)
    async with Watch(engine, name):
        await becomes(database, target_of(name), "healthy")
        peer.stop()
        await becomes(database, target_of(name), "down")
    *_, change = await rows(database, "SELECT * FROM health_transitions ORDER BY id")
    assert (change.before, change.after) == ("healthy", "down")
    assert change.reason == "3 of 3 probes refused (ECONNREFUSED)"
    assert (change.evidence["misses"], change.evidence["kind"]) == (3, "refused")
    assert bytes(change.request).startswith(b"OPTIONS")
    assert change.reply is None


async def test_one_probe_is_judged_by_each_trunks_own_rule(
    database: Database, box: SecretBox, engine: HealthEngine, peer: Peer
) -> None:
    peer.status = 404
    name = name_of(peer.address)
    strict = HealthRule(preset=HealthPreset.STRICT_200)
    await place_trunk(database, await a_trunk(database, box), name)
    await place_trunk(database, await a_trunk(database, box), name, rule=strict)
    async with Watch(engine, name):
        await becomes(database, target_of(name), "reachable")
        await eventually(
            lambda: rows(
                database,
                "SELECT FROM health_states WHERE rule_key = 'strict_200' AND misses > 0",
            )
        )


async def test_what_is_placed_and_removed_meanwhile_is_noticed(
    database: Database,
    box: SecretBox,
    engine: HealthEngine,
    peer: Peer,
    loopback: LoopbackBlock,
) -> None:
    first, second = await a_trunk(database, box), await a_trunk(database, box)
    name = name_of(peer.address)
    await place_trunk(database, first, name)
    async with Watch(engine, name) as watch, Peer(loopback.address()) as other:
        await becomes(database, target_of(name), "healthy")
        beside = name_in_shard(watch.shard, other.address)
        await place_trunk(database, second, beside)
        await becomes(database, target_of(beside), "healthy")
        await place_trunk(database, first)
        await eventually(lambda: true_of(lambda: len(engine.loop) == 1))
        await place_trunk(database, second)
        assert (await watch.ended()).reason is WatchEndReason.EMPTY
    assert len(engine.loop) == 0
    assert await rows(database, "SELECT FROM health_targets") == []


async def test_an_empty_shard_is_left_at_once(engine: HealthEngine) -> None:
    async with Watch(engine, name_of("127.0.0.1")) as watch:
        assert (await watch.ended()).reason is WatchEndReason.EMPTY
    assert engine.shards == {}


async def test_a_run_ends_in_time_and_the_next_goes_on_with_the_schedule(
    database: Database, guard: AddressGuard, box: SecretBox, peer: Peer
) -> None:
    name = name_of(peer.address)
    await place_trunk(database, await a_trunk(database, box), name)
    interval = quiet_interval(target_of(name))
    async with an_engine(database, guard, box, interval=interval) as engine:
        async with Watch(engine, name, run_for=1.0) as watch:
            end = await watch.ended()
        assert (end.reason, end.targets, end.probes) == (WatchEndReason.TIME, 1, 1)
        assert end.progress is not None
        assert end.progress.in_flight == ()
        # What was due while nobody watched, and it alone, is made up for.
        due = next_due(target_of(name), end.progress.probed_until - interval, interval)[1]
        for probed_until, asked in ((due + 0.1, 1), (due - 0.1, 2)):
            progress = WatchProgress(probed_until=probed_until)
            async with Watch(engine, name, run_for=1.0, progress=progress) as watch:
                await watch.ended()
            assert len(peer.asked) == asked


def quiet_interval(target_id: str) -> float:
    """An interval in seconds by which no round of the target is due soon, nor was just now."""
    now = time()
    for interval in range(600, 700):
        due = next_due(target_id, now - interval, interval)[1]
        if (
            now - 0.9 * interval < due < now - 60
            and next_due(target_id, now, interval)[1] > now + 60
        ):
            return interval
    raise AssertionError("every interval has a round about now")


async def test_what_was_in_flight_is_asked_again(
    database: Database, guard: AddressGuard, box: SecretBox, peer: Peer
) -> None:
    peer.status = None
    name = name_of(peer.address)
    await place_trunk(database, await a_trunk(database, box), name)
    interval = quiet_interval(target_of(name))
    async with an_engine(database, guard, box, interval=interval) as engine:
        async with Watch(engine, name, run_for=0.5) as watch:
            end = await watch.ended()
        assert end.progress is not None
        assert end.progress.in_flight == (target_of(name),)
        peer.status = 200
        async with Watch(engine, name, progress=end.progress):
            await becomes(database, target_of(name), "healthy")


async def test_samples_are_written_when_a_run_ends(
    database: Database, box: SecretBox, engine: HealthEngine, peer: Peer
) -> None:
    name = name_of(peer.address)
    await place_trunk(database, await a_trunk(database, box), name)
    async with Watch(engine, name):
        await eventually(lambda: true_of(lambda: len(peer.asked) >= 3))
        assert await rows(database, "SELECT FROM health_hours") == []
    hours = await rows(database, "SELECT * FROM health_hours")
    assert {hour.target_id for hour in hours} == {target_of(name)}
    # The look at what is new is no round, and one answer may be on its way.
    assert len(peer.asked) - 2 <= sum(hour.probes for hour in hours) <= len(peer.asked)
    assert all(len(hour.minutes) == 180 for hour in hours)


async def test_samples_are_written_now_and_then(
    database: Database, guard: AddressGuard, box: SecretBox, peer: Peer
) -> None:
    name = name_of(peer.address)
    await place_trunk(database, await a_trunk(database, box), name)
    async with an_engine(database, guard, box, flush_every=0.1) as engine, Watch(engine, name):
        await eventually(lambda: rows(database, "SELECT FROM health_hours WHERE probes >= 2"))


async def test_calls_alone_judge_where_the_rule_says_so(
    database: Database, box: SecretBox, engine: HealthEngine, peer: Peer
) -> None:
    trunk, name = await a_trunk(database, box), name_of(peer.address)
    rule = HealthRule(source=HealthSource.CALLS)
    await place_trunk(database, trunk, name, rule=rule)
    async with Watch(engine, name):
        async with database.tenant(trunk[0]) as session:
            await add_observation(
                session,
                NewObservation(
                    org_id=trunk[0],
                    trunk_id=trunk[1],
                    at=datetime.now(UTC),
                    host=name.host,
                    port=name.port,
                    transport=name.transport,
                    address=peer.address,
                    target_port=5060,
                    target_transport=Transport.UDP,
                    kind=Observed.CALL,
                    sign="alive",
                    status=486,
                ),
            )
        await becomes(database, target_of(name), "healthy", "standard+calls")
    (change,) = await rows(database, "SELECT * FROM health_transitions")
    assert (change.evidence["seen_by"], change.request) == ("call", None)
    assert peer.asked == []


async def test_retry_after_keeps_us_away(
    database: Database, box: SecretBox, engine: HealthEngine, peer: Peer
) -> None:
    peer.status, peer.headers = 503, (("Retry-After", "600"),)
    name = name_of(peer.address)
    await place_trunk(database, await a_trunk(database, box), name)
    async with Watch(engine, name):
        await becomes(database, target_of(name), "down")
        await asyncio.sleep(1.5)
    assert len(peer.asked) == 1
    (state,) = await rows(
        database,
        "SELECT reason, next_at = maintenance_until AS waits FROM health_states",
    )
    assert (state.reason, state.waits) == ("answered 503 with Retry-After: 600", True)


async def test_a_target_that_the_guard_refuses_is_down_and_never_asked(
    database: Database, box: SecretBox, peer: Peer
) -> None:
    name = name_of(peer.address)
    await place_trunk(database, await a_trunk(database, box), name)
    async with an_engine(database, AddressGuard(), box) as engine, Watch(engine, name):
        found = await eventually(
            lambda: rows(database, "SELECT reason FROM health_states WHERE misses > 0")
        )
    assert found[0].reason.startswith("1 of 3 probes not permitted by the address guard")
    assert peer.asked == []


def name_in_shard(shard: int, address: str) -> NameIdentity:
    """An endpoint at this address that is placed in this shard."""
    for number in range(10_000):
        name = name_of(address, profile=ProbeProfile(domain=f"{number}.example.com"))
        if shard_of(name.name_id) == shard:
            return name
    raise AssertionError("no name falls into the shard")
