"""Trunks whose endpoints are watched, and what was seen of them, for tests of how they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from domain.health import HealthState
from domain.health_history import CLASSES, HourTotals, MinuteSample, OutcomeClass, pack_minutes
from domain.probe_target import NameIdentity
from domain.trunk_endpoints import endpoints_of
from storage import trunks
from storage.engine import Database
from storage.health_config import place
from storage.health_reads import EndpointStanding, picture_of
from storage.health_writes import HourRow, TransitionRow, flush_hours
from storage.outbound import outbound_of
from tests.api.configured import attached
from tests.api.tenants import Tenant
from tests.storage.health_rows import a_transition, fences_of, see

__all__ = ["ADDRESS", "NUMBER", "Watched", "outbound", "this_hour", "watch", "watched"]

NUMBER = "+14155550170"
ADDRESS = "192.0.2.10"


def outbound(endpoint: str = f"sip:{ADDRESS}:5080;transport=udp", **options: Any) -> dict[str, Any]:
    return {"type": "outbound", "sip_endpoint": endpoint, "options": options}


async def watch(database: Database, org_id: str, trunk_id: str) -> tuple[EndpointStanding, ...]:
    """Do what the trunk's workflow does when it hears of the trunk."""
    async with database.tenant(org_id) as session:
        trunk = await trunks.get(session, org_id, trunk_id)
        assert trunk is not None
        endpoints = endpoints_of(trunks.profile_of(trunk), org_id)
        await place(session, org_id=org_id, trunk_id=trunk_id, endpoints=endpoints)
        return await picture_of(session, trunk_id)


class Watched:
    """A number's trunk, and the worker that watches it."""

    def __init__(
        self, database: Database, org_id: str, trunk_id: str, picture: Sequence[EndpointStanding]
    ) -> None:
        self.database = database
        self.org_id = org_id
        self.trunk_id = trunk_id
        self.names: list[NameIdentity] = [each.identity for each in picture]
        self.targets = [target.target_id for each in picture for target in each.targets]
        self._seq = 0

    async def changed(
        self, after: HealthState, target: int = 0, *, at: datetime | None = None, **fields: Any
    ) -> TransitionRow:
        """A target's state changed."""
        self._seq += 1
        row = a_transition(
            self.targets[target], after, seq=self._seq, at=at or datetime.now(UTC), **fields
        )
        await see(self.database, self.names[target], row)
        return row

    async def sampled(
        self,
        hour: datetime,
        counts: Mapping[OutcomeClass, int],
        *,
        target: int = 0,
        minutes: Mapping[int, MinuteSample] | None = None,
        total_ms: int = 0,
        max_ms: int = 0,
    ) -> None:
        """Rounds of an hour were counted."""
        classes = [0] * CLASSES
        for outcome, count in counts.items():
            classes[outcome] = count
        totals = HourTotals(sum(classes), tuple(classes), total_ms, max_ms)
        row = HourRow(self.targets[target], hour, totals, pack_minutes(minutes or {}))
        fences = await fences_of(self.database, self.names[target])
        async with self.database.system() as session:
            await flush_hours(session, fences, [row])


async def watched(
    client: httpx.AsyncClient, database: Database, tenant: Tenant, *directions: dict[str, Any]
) -> Watched:
    """``NUMBER`` attached by these directions, its outbound trunk watched."""
    await attached(client, tenant, NUMBER, directions=list(directions) or [outbound()])
    async with database.tenant(tenant.org_id) as session:
        found = (await outbound_of(session, NUMBER))[0].trunk_id
    picture = await watch(database, tenant.org_id, found)
    return Watched(database, tenant.org_id, found, picture)


def this_hour(ago: int = 0) -> datetime:
    """The hour that it is, or one before."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return now - timedelta(hours=ago)
