"""Numbers on trunks that lead somewhere, as real traffic is matched to them."""

from __future__ import annotations

from datetime import timedelta

from domain.probe_target import NameIdentity, ProbeProfile, TargetIdentity
from domain.trunk import Direction
from sip.transports import Transport
from storage import bindings
from storage.bindings import NewBinding
from storage.engine import Database
from storage.health_config import ResolvedTarget, write_resolution
from storage.ids import new_id
from tests.storage.factories import NOON
from tests.storage.health_rows import fences_of, place_names

__all__ = ["NUMBER", "bind", "leads_to"]

NUMBER = "+14155550100"


async def bind(
    database: Database,
    org_id: str,
    trunk_id: str,
    number: str = NUMBER,
    direction: Direction = Direction.OUTBOUND,
    priority: int = 0,
) -> None:
    """Let the organization have the number on this trunk."""
    new = NewBinding(
        id=new_id("cfg"),
        org_id=org_id,
        phone_number=number,
        direction=direction,
        trunk_id=trunk_id,
        priority=priority,
    )
    async with database.tenant(org_id) as session:
        await bindings.add(session, [new])


async def leads_to(database: Database, org_id: str, trunk_id: str, **names: list[str]) -> None:
    """Let these names be the trunk's endpoints and lead to these addresses."""
    identities = {
        name: NameIdentity(f"{name}.example.com", None, None, ProbeProfile(f"{name}.example.com"))
        for name in names
    }
    await place_names(database, org_id, trunk_id, *identities.values())
    for name, addresses in names.items():
        identity = identities[name]
        targets = [
            TargetIdentity(address, port, Transport.UDP, identity.profile)
            for address in addresses
            for port in (5060, 5080)
        ]
        ((shard, fence),) = (await fences_of(database, identity)).items()
        async with database.system() as session:
            await write_resolution(
                session,
                shard,
                fence,
                identity.name_id,
                [ResolvedTarget(target) for target in targets],
                now=NOON,
                ttl=timedelta(minutes=5),
            )
