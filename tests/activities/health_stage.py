"""Trunks with watched endpoints, peers that can die, and what the engine wrote about them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from activities.contracts import WatchedShard, WatchEnd, WatchProgress
from activities.health_engine import HealthEngine
from domain.health_rule import STANDARD_RULE, HealthRule
from domain.probe_target import NameIdentity, ProbeProfile, TargetIdentity, shard_of
from domain.trunk import TrunkDirection, TrunkOptions, TrunkProfile, TrunkSecrets
from sip.build import response_to
from sip.errors import RemoteProtocolError
from sip.message import Request, parse_message
from sip.net.guard import AddressGuard
from sip.net.probe_report import ProbeIdentity
from sip.net.resolver import Resolver
from sip.transports import Transport
from storage import trunks
from storage.engine import Database
from storage.health_config import PlacedEndpoint, place
from storage.secret_box import SecretBox
from storage.trunk_vault import TrunkVault
from tests.storage.factories import add_organization

__all__ = [
    "Peer",
    "Watch",
    "a_trunk",
    "an_engine",
    "becomes",
    "eventually",
    "name_of",
    "place_in",
    "place_trunk",
    "remove_trunk",
    "rows",
    "state_of",
    "target_of",
    "true_of",
]

PATIENCE = 30.0
"""Seconds that a test waits for what follows soon; a busy machine may need them."""


async def eventually(look: Callable[[], Awaitable[Any]], within: float = PATIENCE) -> Any:
    """What ``look`` gives, once it gives something true."""
    deadline = asyncio.get_running_loop().time() + within
    while True:
        found = await look()
        if found:
            return found
        assert asyncio.get_running_loop().time() < deadline, "it did not come to pass"
        await asyncio.sleep(0.05)


class Peer(asyncio.DatagramProtocol):
    """Answers OPTIONS over UDP with ``status``; whoever asks a stopped one is refused."""

    def __init__(self, address: str, status: int = 200) -> None:
        self.address = address
        self.status: int | None = status
        self.headers: tuple[tuple[str, str], ...] = ()
        self.asked: list[float] = []
        self._branches: set[str | None] = set()
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(self.address, 5060)
        )

    def stop(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    async def __aenter__(self) -> Peer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop()
        # The socket is closed with the next turn of the loop.
        await asyncio.sleep(0)

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        try:
            request = parse_message(data)
        except RemoteProtocolError:
            return
        if not isinstance(request, Request):
            return
        if request.via.branch not in self._branches:
            # What comes again is a retransmission: the machine is slow.
            self._branches.add(request.via.branch)
            self.asked.append(asyncio.get_running_loop().time())
        if self.status is not None and self._transport is not None:
            answer = response_to(request, self.status, to_tag="t", headers=self.headers)
            self._transport.sendto(answer.serialize(), source)


def name_of(host: str, **values: Any) -> NameIdentity:
    """An endpoint over UDP, on port 5060 unless the DNS is to say where."""
    return NameIdentity(
        host,
        values.get("port", 5060),
        values.get("transport", Transport.UDP),
        values.get("profile") or ProbeProfile(domain=host),
    )


def target_of(name: NameIdentity) -> str:
    """The id of the target that an address is."""
    assert name.port is not None
    assert name.transport is not None
    return TargetIdentity(name.host, name.port, name.transport, name.profile).target_id


async def a_trunk(
    database: Database,
    box: SecretBox,
    options: TrunkOptions | None = None,
    secrets: TrunkSecrets | None = None,
    org_id: str | None = None,
    *,
    endpoint: str = "sip:pbx.example.com",
    told: bool = False,
) -> tuple[str, str]:
    """A new trunk; its organization and its id. ``told`` starts its workflow, which places it."""
    org_id = org_id or await add_organization(database)
    profile = TrunkProfile(
        direction=TrunkDirection.OUTBOUND,
        sip_endpoint=endpoint,
        options=options or TrunkOptions(),
    )
    async with database.tenant(org_id) as session:
        vault = await TrunkVault.opened(session, box)
        trunk = await trunks.create(
            session, vault, org_id, profile, secrets or TrunkSecrets(), name=None
        )
        if told:
            await trunks.announce(session, org_id, created=[trunk.id])
    return org_id, trunk.id


async def remove_trunk(database: Database, trunk: tuple[str, str]) -> None:
    """Remove a trunk, and tell its workflow."""
    org_id, trunk_id = trunk
    async with database.tenant(org_id) as session:
        row = await trunks.get(session, org_id, trunk_id)
        assert row is not None
        await trunks.remove(session, org_id, trunk_id)
        await trunks.announce(session, org_id, removed=[row])


async def place_trunk(
    database: Database,
    trunk: tuple[str, str],
    *names: NameIdentity,
    rule: HealthRule = STANDARD_RULE,
) -> None:
    """Let these be the endpoints of a trunk."""
    async with database.tenant(trunk[0]) as session:
        await place_in(session, trunk, *names, rule=rule)


async def place_in(
    session: AsyncSession,
    trunk: tuple[str, str],
    *names: NameIdentity,
    rule: HealthRule = STANDARD_RULE,
) -> None:
    """The same within a transaction."""
    org_id, trunk_id = trunk
    endpoints = [
        PlacedEndpoint(position=position, label=name.host, identity=name, rule=rule)
        for position, name in enumerate(names)
    ]
    await place(session, org_id=org_id, trunk_id=trunk_id, endpoints=endpoints)


async def rows(database: Database, query: str, **values: Any) -> Sequence[Any]:
    """What a query finds, across organizations."""
    async with database.system() as session:
        return (await session.execute(text(query), values)).all()


@asynccontextmanager
async def an_engine(
    database: Database,
    guard: AddressGuard,
    box: SecretBox,
    *,
    resolver: Resolver | None = None,
    interval: float = 1.0,
    flush_every: float = 300.0,
    holder: str = "test",
) -> AsyncIterator[HealthEngine]:
    """An open engine that probes every second."""
    engine = HealthEngine(
        database=database,
        guard=guard,
        identity=ProbeIdentity(user_agent="Trunkline/test"),
        resolver=resolver or Resolver([("127.0.0.1", 9)]),
        secret_box=box,
        holder=holder,
        interval=timedelta(seconds=interval),
        flush_every=timedelta(seconds=flush_every),
    )
    async with engine:
        yield engine


class Watch:
    """A run of a shard, as the activity begins it. Use as an async context manager."""

    def __init__(
        self,
        engine: HealthEngine,
        name: NameIdentity,
        *,
        run_for: float = 600.0,
        progress: WatchProgress | None = None,
    ) -> None:
        self.engine = engine
        self.shard = shard_of(name.name_id)
        self._watched = WatchedShard(shard=self.shard, run_for=timedelta(seconds=run_for))
        self._progress = progress
        self.stopping: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.run: asyncio.Task[WatchEnd] | None = None

    async def __aenter__(self) -> Watch:
        self.run = asyncio.create_task(
            self.engine.watch(self._watched, progress=self._progress, stopping=self.stopping)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if not self.stopping.done():
            self.stopping.set_result(None)
        if self.run is not None:
            await asyncio.wait([self.run], timeout=PATIENCE)

    async def ended(self) -> WatchEnd:
        """How the run ended."""
        assert self.run is not None
        return await asyncio.wait_for(asyncio.shield(self.run), PATIENCE)


async def true_of(look: Callable[[], bool]) -> bool:
    return look()


async def state_of(database: Database, target_id: str, rule_key: str = "standard") -> str | None:
    found = await rows(
        database,
        "SELECT state FROM health_states WHERE target_id = :target AND rule_key = :rule",
        target=target_id,
        rule=rule_key,
    )
    return found[0].state if found else None


async def becomes(database: Database, target_id: str, state: str, rule: str = "standard") -> None:
    async def is_so() -> bool:
        return await state_of(database, target_id, rule) == state

    await eventually(is_so)
