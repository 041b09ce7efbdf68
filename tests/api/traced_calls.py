"""A test call with messages on the wire, and a reader of its trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import TypeAdapter

from sip.call_facts import CallFacts
from sip.capture import CapturedMessage
from storage import calls
from storage.engine import Database
from storage.sip_messages import NewMessage
from storage.tables import MessageDirection
from tests.api.calling import conclude
from tests.api.tenants import Tenant
from tests.domain.traces import START
from tests.storage.factories import queued_call

__all__ = ["Traced"]


@dataclass
class Traced:
    """A test call of an organization, and a reader of its trace."""

    client: httpx.AsyncClient
    tenant: Tenant
    database: Database
    call_id: str

    async def admit(self) -> None:
        await queued_call(self.database, self.tenant.org_id, at=datetime.now(UTC), id=self.call_id)

    async def record(self, messages: Sequence[CapturedMessage]) -> None:
        """Write messages as a worker does, today: only today has a partition of its own."""
        late = datetime.now(UTC) - START
        batch = [
            NewMessage(
                org_id=self.tenant.org_id,
                owner_kind=calls.OWNER_KIND,
                owner_id=self.call_id,
                at=message.at + late,
                direction=MessageDirection(message.direction.value),
                transport=message.transport,
                local_address=message.local[0],
                local_port=message.local[1],
                remote_address=message.remote[0],
                remote_port=message.remote[1],
                retransmission=message.retransmission,
                data=message.data,
            )
            for message in messages
        ]
        async with self.database.tenant(self.tenant.org_id) as session:
            assert await calls.add_messages(session, self.call_id, batch)

    async def end(self, facts: CallFacts | None = None) -> None:
        dumped = None if facts is None else TypeAdapter(CallFacts).dump_python(facts, mode="json")
        details = {} if dumped is None else {"facts": dumped}
        await conclude(self.database, self.tenant.org_id, self.call_id, **details)

    async def get(self, form: str, **query: str) -> httpx.Response:
        return await self.client.get(
            f"/v1/sip/test-call/{self.call_id}/{form}", params=query, headers=self.tenant.viewer
        )

    async def trace(self, **query: str) -> dict[str, Any]:
        answer = await self.get("trace", **query)
        assert answer.status_code == 200, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data
