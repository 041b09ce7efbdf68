"""A trunk whose real workflow decides where its calls go, asked and ordered over the API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from temporalio.client import Client

from activities.trunks import TrunkActivities
from storage.engine import Database
from storage.health_facts import nudge
from tests.api.calling import Caller
from tests.api.configured import attached
from tests.api.tenants import Tenant
from tests.api.waiting import eventually
from tests.storage.failover_trunks import FailoverTrunk, set_states
from tests.workflows.harness import new_worker
from workflows.names import WORKFLOW_QUEUE

__all__ = ["NUMBER", "RoutedTrunk", "routed_trunk", "trunk_worker"]

NUMBER = "+14155550177"


@dataclass
class RoutedTrunk:
    """An organization's trunk with two endpoints, and a number that calls out by it."""

    client: httpx.AsyncClient
    tenant: Tenant
    database: Database
    temporal: Client
    trunk_id: str

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """A request about the trunk, as an editor."""
        return await self.client.request(
            method,
            f"/v1/sip/trunks/{self.trunk_id}/{path}",
            json=body,
            headers={**self.tenant.editor, **headers},
        )

    async def told(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """What a request that must succeed is answered."""
        answer = await self.ask(method, path, body, **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def route(self) -> dict[str, Any]:
        """The route as a viewer sees it."""
        answer = await self.client.get(
            f"/v1/sip/trunks/{self.trunk_id}/route", headers=self.tenant.viewer
        )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["data"]
        return found

    async def saw(self, *states: str) -> None:
        """The endpoints changed their states, and the trunk is told."""
        mine = FailoverTrunk(self.tenant.org_id, self.trunk_id, "")
        await set_states(self.database, mine, *states)
        async with self.database.tenant(self.tenant.org_id) as session:
            await nudge(session, {self.trunk_id: self.tenant.org_id})

    async def until(self, position: int) -> dict[str, Any]:
        """The route once calls go to the endpoint there."""

        async def there() -> bool:
            active = (await self.route())["active"]
            return active is not None and active["position"] == position

        await eventually(there, seconds=40)
        return await self.route()


@asynccontextmanager
async def trunk_worker(caller: Caller) -> AsyncIterator[None]:
    """A worker that decides about trunks."""
    real = TrunkActivities(caller.database)
    activities: Sequence[Callable[..., Any]] = (
        real.adopt,
        real.look,
        real.publish_route,
        real.note_drill,
        real.leave,
    )
    async with new_worker(caller.temporal, activities, queues=[WORKFLOW_QUEUE]):
        yield


async def routed_trunk(caller: Caller, **changes: Any) -> RoutedTrunk:
    """Make the trunk and attach the number."""
    body = {
        "name": "Acme",
        "direction": "outbound",
        "sip_endpoint": "sip:192.0.2.1:5060;transport=udp",
        "failover_config": {
            "endpoints": [{"host": "192.0.2.2", "port": 5060, "transport": "udp", "priority": 2}],
            **changes,
        },
    }
    answer = await caller.client.post("/v1/sip/trunks", json=body, headers=caller.tenant.editor)
    assert answer.status_code == 200, answer.text
    trunk_id = answer.json()["data"]["trunk_id"]
    await attached(
        caller.client,
        caller.tenant,
        NUMBER,
        directions=[{"type": "outbound"}],
        trunk_id=trunk_id,
    )
    return RoutedTrunk(caller.client, caller.tenant, caller.database, caller.temporal, trunk_id)
