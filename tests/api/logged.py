"""Calls of real traffic as a collector writes them, and a reader of the call log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from sip.capture import CapturedMessage, WireDirection
from storage import live_calls
from storage.engine import Database
from storage.sip_messages import NewMessage
from storage.tables import LiveCallRow, MessageDirection
from tests.api.tenants import Tenant
from tests.domain.traces import START
from tests.storage.live_rows import NUMBER, a_live_call, write_live

__all__ = ["NUMBER", "Log"]


@dataclass
class Log:
    """An organization's call log. Calls begin a minute ago: only today has a partition of its own."""

    client: httpx.AsyncClient
    tenant: Tenant
    database: Database
    now: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(minutes=1))

    async def add(self, seconds: float = 0.0, **fields: Any) -> LiveCallRow:
        """A call that began so many seconds later, as it is in the log."""
        fields = {"org_id": self.tenant.org_id, "details": {"status": "200 OK"}, **fields}
        call = a_live_call(at=self.now + timedelta(seconds=seconds), **fields)
        call_id, sip_call_id = call.id, call.sip_call_id
        await write_live(self.database, [call])
        call.id, call.sip_call_id = call_id, sip_call_id
        return call

    async def record(self, call: LiveCallRow, messages: Sequence[CapturedMessage]) -> None:
        """Messages of the call, as a server between its ends saw them."""
        batch = [self._row(call, message) for message in messages]
        async with self.database.system() as session:
            await live_calls.write(session, (), batch)

    def _row(self, call: LiveCallRow, message: CapturedMessage) -> NewMessage:
        ways = (message.local, message.remote)
        source, target = ways if message.direction is WireDirection.OUT else ways[::-1]
        return NewMessage(
            org_id=call.org_id,
            owner_kind=live_calls.OWNER_KIND,
            owner_id=call.id,
            at=message.at - START + self.now,
            direction=MessageDirection.OUT,
            transport=message.transport.lower(),
            local_address=source[0],
            local_port=source[1],
            remote_address=target[0],
            remote_port=target[1],
            retransmission=message.retransmission,
            data=message.data,
        )

    async def get(
        self, path: str = "", *, headers: dict[str, str] | None = None, **query: Any
    ) -> httpx.Response:
        """An answer of ``/v1/sip/calls``; ``with_`` stands for ``with``."""
        params = {name.rstrip("_"): value for name, value in query.items()}
        return await self.client.get(
            f"/v1/sip/calls{path}", params=params, headers=headers or self.tenant.viewer
        )

    async def data(self, path: str = "", **query: Any) -> Any:
        answer = await self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def ids(self, **query: Any) -> list[str]:
        """Ids of a page of the list, in its order."""
        return [call["id"] for call in (await self.data(**query))["calls"]]

    async def refused(self, path: str = "", **query: Any) -> tuple[int, str]:
        """Status and message of a refusal."""
        answer = await self.get(path, **query)
        (error,) = answer.json()["errors"]
        return answer.status_code, error["message"]
