"""The activity as Temporal runs it, and what the engine does when something under it gives way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from activities import health_facts
from activities.contracts import WatchedShard, WatchEnd, WatchEndReason, WatchProgress
from activities.health import HealthActivities
from domain.probe_target import shard_of
from sip.build import response_to
from sip.message import Request, parse_message
from sip.net.guard import AddressGuard
from sip.stream import StreamFramer
from sip.transports import Transport
from storage.engine import Database
from storage.errors import DatabaseUnavailable
from storage.secret_box import SecretBox, generate_key
from tests.activities.health_stage import (
    Peer,
    Watch,
    a_trunk,
    an_engine,
    eventually,
    name_of,
    place_trunk,
    rows,
    target_of,
)
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.postgres

BOX = SecretBox.from_key_ring(generate_key("a"))


@pytest.fixture
def guard(loopback: LoopbackBlock) -> AddressGuard:
    return AddressGuard(allowed=(loopback.network,))


@pytest.fixture
async def peer(loopback: LoopbackBlock) -> AsyncIterator[Peer]:
    async with Peer(loopback.address()) as running:
        yield running


class StreamPeer:
    """Answers OPTIONS over TCP with 200, and can die with all its connections."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> StreamPeer:
        self._server = await asyncio.start_server(self._serve, self.address, 5060)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.die()

    async def die(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.append(writer)
        framer = StreamFramer()
        while data := await reader.read(65536):
            framer.receive_data(data)
            while isinstance(found := framer.next_message(), bytes):
                request = parse_message(found)
                assert isinstance(request, Request)
                writer.write(response_to(request, 200, to_tag="t").serialize())
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def states(database: Database, state: str) -> bool:
    query = "SELECT FROM health_states WHERE state = :state"
    return bool(await rows(database, query, state=state))


async def test_a_connection_that_its_peer_closes_is_looked_at_at_once(
    database: Database, guard: AddressGuard, loopback: LoopbackBlock
) -> None:
    async with (
        StreamPeer(loopback.address()) as peer,
        an_engine(database, guard, BOX, interval=600) as engine,
    ):
        name = name_of(peer.address, transport=Transport.TCP)
        await place_trunk(database, await a_trunk(database, BOX), name)
        async with Watch(engine, name):
            await eventually(lambda: states(database, "healthy"))
            await peer.die()
            # Ten minutes before its next round.
            await eventually(lambda: states(database, "down"))


async def test_the_activity_beats_with_its_progress_and_drains_with_its_worker(
    database: Database, guard: AddressGuard, peer: Peer
) -> None:
    name = name_of(peer.address)
    await place_trunk(database, await a_trunk(database, BOX), name)
    environment = ActivityEnvironment()
    beats: list[WatchProgress | None] = []
    environment.on_heartbeat = lambda *details: beats.append(details[0])
    async with an_engine(database, guard, BOX) as engine:
        activities = HealthActivities(engine)
        watched = WatchedShard(shard=shard_of(name.name_id))
        running = asyncio.create_task(environment.run(activities.watch, watched))

        async def has_come_far() -> bool:
            return any(beat is not None for beat in beats)

        await eventually(has_come_far)
        environment.worker_shutdown()
        end: WatchEnd = await running
    assert end.reason is WatchEndReason.DRAIN
    assert end.progress is not None
    last = [beat for beat in beats if beat is not None][-1]
    assert last.probed_until <= end.progress.probed_until


async def test_an_attempt_goes_on_where_the_one_before_was_heard_last(
    database: Database, guard: AddressGuard, peer: Peer
) -> None:
    name = name_of(peer.address)
    await place_trunk(database, await a_trunk(database, BOX), name)
    async with an_engine(database, guard, BOX, interval=600) as engine:
        activities = HealthActivities(engine)
        watched = WatchedShard(
            shard=shard_of(name.name_id),
            run_for=timedelta(seconds=1),
            progress=WatchProgress(probed_until=0.0),
        )
        first = await ActivityEnvironment().run(activities.watch, watched)
        assert first.probes == len(peer.asked) == 1
        # In flight by the heartbeat, whatever the run before said.
        again = ActivityEnvironment()
        assert first.progress is not None
        heard = first.progress.model_dump() | {"in_flight": [target_of(name)]}
        again.info = replace(again.info, heartbeat_details=[heard])
        await again.run(activities.watch, watched)
    assert len(peer.asked) == 2


async def test_a_shard_that_cannot_be_taken_is_not_held(
    database: Database, guard: AddressGuard, peer: Peer
) -> None:
    unreachable = Database("postgresql://nobody@127.0.0.1:9/none", ping=False)
    name = name_of(peer.address)
    async with an_engine(unreachable, guard, BOX) as engine:
        async with Watch(engine, name) as watch:
            with pytest.raises(DatabaseUnavailable):
                await watch.ended()
        assert engine.shards == {}
    await unreachable.dispose()


async def test_a_bug_in_a_part_of_the_engine_is_heard(
    database: Database, guard: AddressGuard, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def write(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(health_facts, "write_transitions", write)
    monkeypatch.setattr("activities.health_engine.LAST_WRITES", 0.5)
    name = name_of(peer.address)
    await place_trunk(database, await a_trunk(database, BOX), name)
    async with an_engine(database, guard, BOX) as engine, Watch(engine, name):
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(engine.broken(), 30)
