"""Trunks, what they have probed, and what was seen: rows that tests of health start from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text

from domain.health import HealthState, TargetHealth, Transition
from domain.health_rule import STANDARD_RULE, HealthRule
from domain.probe_target import NameIdentity, ProbeProfile, TargetIdentity, shard_of
from domain.trunk import AuthMode, TrunkDirection
from sip.transports import Transport
from storage.engine import Database
from storage.health_config import PlacedEndpoint, place
from storage.health_writes import StateRow, TransitionRow, take_shard, write_transitions
from storage.ids import new_id
from storage.tables import Trunk
from tests.storage.factories import NOON

__all__ = [
    "AT",
    "a_name",
    "a_target",
    "a_transition",
    "add_trunk",
    "endpoint",
    "fences_of",
    "health_of",
    "nudges",
    "place_names",
    "rows",
    "see",
]

AT = NOON.timestamp()


async def add_trunk(database: Database, org_id: str, **fields: Any) -> str:
    """A trunk's id."""
    trunk_id = new_id("trk")
    async with database.tenant(org_id) as session:
        session.add(
            Trunk(
                **{
                    "id": trunk_id,
                    "org_id": org_id,
                    "implicit": False,
                    "name": "Acme",
                    "direction": TrunkDirection.OUTBOUND,
                    "fingerprint": trunk_id.encode(),
                    "auth_mode": AuthMode.IP,
                    **fields,
                }
            )
        )
    return trunk_id


def a_name(host: str = "192.0.2.1", port: int | None = 5060, **profile: Any) -> NameIdentity:
    """A name over UDP, by default an address."""
    return NameIdentity(host, port, Transport.UDP, ProbeProfile(host, **profile))


def a_target(address: str, domain: str | None = None, port: int = 5060) -> TargetIdentity:
    """A target over UDP; without a domain the one that an address is by itself."""
    return TargetIdentity(address, port, Transport.UDP, ProbeProfile(domain or address))


def endpoint(
    name: NameIdentity, position: int = 0, rule: HealthRule = STANDARD_RULE
) -> PlacedEndpoint:
    return PlacedEndpoint(position=position, label=name.host, identity=name, rule=rule)


async def place_names(
    database: Database,
    org_id: str,
    trunk_id: str,
    *names: NameIdentity,
    rule: HealthRule = STANDARD_RULE,
) -> bool:
    """Let these be the trunk's endpoints."""
    async with database.tenant(org_id) as session:
        return await place(
            session,
            org_id=org_id,
            trunk_id=trunk_id,
            endpoints=[endpoint(name, position, rule) for position, name in enumerate(names)],
        )


async def fences_of(database: Database, *names: NameIdentity) -> dict[int, int]:
    """Take the shards of these names."""
    async with database.system() as session:
        return {
            shard: await take_shard(session, shard, "test", NOON)
            for shard in sorted({shard_of(name.name_id) for name in names})
        }


def a_transition(
    target_id: str,
    after: HealthState,
    *,
    seq: int = 1,
    before: HealthState = HealthState.UNCHECKED,
    rule: HealthRule = STANDARD_RULE,
    at: datetime = NOON,
    reason: str = "answered 200",
    reply: bytes = b"SIP/2.0 200 OK\r\n\r\n",
    **evidence: Any,
) -> TransitionRow:
    """A change of state, with the bytes of a probe."""
    moment = at.timestamp()
    health = TargetHealth(
        state=after, since=moment, seq=seq, last_at=moment, last_ms=2.5, reason=reason
    )
    return TransitionRow(
        StateRow(target_id, rule.key, health, None),
        Transition(seq, moment, before, after, reason, 3, 0),
        {"rule_key": rule.key, **evidence},
        b"OPTIONS sip:example.com SIP/2.0\r\n\r\n",
        reply,
    )


async def see(database: Database, name: NameIdentity, *changes: TransitionRow) -> None:
    """Write changes as the holder of a name's shard."""
    fences = await fences_of(database, name)
    async with database.system() as session:
        await write_transitions(session, fences, changes)


async def rows(database: Database, query: str, **values: Any) -> Sequence[Any]:
    """What a query finds, across organizations."""
    async with database.system() as session:
        return (await session.execute(text(query), values)).all()


async def health_of(database: Database, trunk_id: str) -> str:
    """The state of a trunk."""
    ((state,),) = await rows(
        database, "SELECT state FROM trunk_health WHERE trunk_id = :id", id=trunk_id
    )
    return str(state)


async def nudges(database: Database) -> list[str]:
    """The streams in which trunks were told that something was seen, in order."""
    found = await rows(database, "SELECT stream FROM outbox WHERE kind = 'trunk_facts' ORDER BY id")
    return [row.stream for row in found]
