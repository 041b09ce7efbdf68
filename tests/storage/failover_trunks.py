"""Trunks with endpoints to fail over to, placed and bound to a number."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from domain.failover_route import Route, RouteEndpoint, RouteWord
from domain.trunk import Direction, TrunkDirection, TrunkOptions, TrunkProfile, TrunkSecrets
from domain.trunk_config import FailoverConfig, FailoverEndpoint
from domain.trunk_endpoints import endpoints_of
from storage import bindings, trunks
from storage.bindings import NewBinding
from storage.engine import Database
from storage.health_config import place
from storage.ids import new_id
from storage.secret_box import SecretBox
from storage.trunk_vault import TrunkVault

__all__ = ["NUMBER", "FailoverTrunk", "a_route", "add_failover_trunk", "set_states", "watch"]

NUMBER = "+14155550100"


@dataclass(frozen=True, slots=True)
class FailoverTrunk:
    """A trunk that calls from ``NUMBER`` go out by."""

    org_id: str
    trunk_id: str
    binding_id: str


async def add_failover_trunk(
    database: Database,
    box: SecretBox,
    org_id: str,
    *hosts: str,
    number: str = NUMBER,
    priority: int = 0,
    enabled: bool = True,
    direction: TrunkDirection = TrunkDirection.OUTBOUND,
    **options: object,
) -> FailoverTrunk:
    """A named trunk whose endpoints are these hosts over UDP, the primary first."""
    first, *others = hosts
    endpoints = tuple(
        FailoverEndpoint(host=host, port=5060, priority=place)
        for place, host in enumerate(others, start=2)
    )
    profile = TrunkProfile(
        direction=direction,
        sip_endpoint=f"sip:{first}:5060",
        options=TrunkOptions.model_validate(options),
        failover=FailoverConfig(enabled=enabled, endpoints=endpoints) if others else None,
    )
    binding_id = new_id("cfg")
    async with database.tenant(org_id) as session:
        vault = await TrunkVault.opened(session, box)
        trunk = await trunks.create(session, vault, org_id, profile, TrunkSecrets(), name="Acme")
        new = NewBinding(
            id=binding_id,
            org_id=org_id,
            phone_number=number,
            direction=Direction.OUTBOUND,
            trunk_id=trunk.id,
            priority=priority,
        )
        await bindings.add(session, [new])
    return FailoverTrunk(org_id, trunk.id, binding_id)


async def watch(database: Database, trunk: FailoverTrunk) -> None:
    """Have the trunk's endpoints among those that are probed."""
    async with database.tenant(trunk.org_id) as session:
        found = await trunks.get(session, trunk.org_id, trunk.trunk_id)
        assert found is not None
        endpoints = endpoints_of(trunks.profile_of(found), trunk.org_id)
        await place(session, org_id=trunk.org_id, trunk_id=trunk.trunk_id, endpoints=endpoints)


async def set_states(database: Database, trunk: FailoverTrunk, *states: str) -> None:
    """Let the targets of the trunk's endpoints be in these states, by position."""
    async with database.system() as session:
        for position, state in enumerate(states):
            await session.execute(
                text(
                    "UPDATE health_states s SET state = :state, since = now() - interval '1 hour', "
                    "seq = s.seq + 1, reason = :state, "
                    "missed_by = CASE :state WHEN 'down' THEN 'timeout' END FROM trunk_endpoints e "
                    "JOIN health_name_targets l ON l.name_id = e.name_id "
                    "WHERE s.target_id = l.target_id AND s.rule_key = e.rule_key "
                    "AND e.trunk_id = :trunk_id AND e.position = :position"
                ),
                {"state": state, "trunk_id": trunk.trunk_id, "position": position},
            )


def a_route(*hosts: str, port: int | None = 5060, **changes: object) -> Route:
    """A route by way of these hosts, the active one first; positions are by host name order."""
    endpoints = [
        RouteEndpoint(
            position=sorted(hosts).index(host),
            label=host,
            name_id=f"nam_{host}",
            host=host,
            port=port,
            standing=RouteWord.UP,
        )
        for host in hosts
    ]
    route = Route(
        revision=1, generation=1, active=endpoints[0], next=tuple(endpoints[1:]), why=("Because.",)
    )
    return route.model_copy(update=changes)
