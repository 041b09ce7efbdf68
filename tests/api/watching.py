"""A test call that is written to as a worker would, and watched as a client does."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

from fastapi import FastAPI

from storage import calls
from storage.calls import NewEvent
from storage.engine import Database
from storage.ids import new_id
from tests.api.calling import conclude
from tests.api.streaming import ServerSentEvent, Stream, opened_stream
from tests.api.tenants import Tenant
from tests.storage.call_steps import a_message
from tests.storage.factories import queued_call

__all__ = ["INVITE", "Watched"]

INVITE = (
    b"INVITE sip:100@pbx.example.com SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx\r\n"
    b"From: <sip:alice@example.com>;tag=1\r\nTo: <sip:100@pbx.example.com>\r\n"
    b"Call-ID: a84b4c76e66710\r\nCSeq: 2 INVITE\r\nMax-Forwards: 70\r\n"
    b'Authorization: Digest username="alice", realm="pbx", nonce="dcd98b7102dd",'
    b' uri="sip:100@pbx.example.com", response="6629fae49393a05397450978507c4ef1"\r\n'
    b"Content-Length: 0\r\n\r\n"
)


class Watched:
    """A call that is being watched, and its writer."""

    def __init__(self, app: FastAPI, database: Database, tenant: Tenant) -> None:
        self.app = app
        self.database = database
        self.tenant = tenant
        self.call_id = new_id("tc")
        self._second = 0

    @property
    def path(self) -> str:
        return f"/v1/sip/test-call/{self.call_id}/events"

    def _now(self) -> datetime:
        self._second += 1
        return datetime.now(UTC) + timedelta(milliseconds=self._second)

    async def admit(self) -> None:
        await queued_call(self.database, self.tenant.org_id, at=datetime.now(UTC), id=self.call_id)

    async def happens(self, word: str) -> None:
        async with self.database.tenant(self.tenant.org_id) as session:
            new = NewEvent(at=self._now(), event=word, detail=f"It is {word}", data={"n": 1})
            await calls.add_event(session, self.call_id, new)

    async def goes_over_the_wire(self, data: bytes = INVITE, *, times: int = 1) -> None:
        message = a_message(self.tenant.org_id, self.call_id, data, at=self._now())
        async with self.database.tenant(self.tenant.org_id) as session:
            await calls.add_messages(session, self.call_id, [message] * times)

    async def ends(self) -> None:
        await conclude(self.database, self.tenant.org_id, self.call_id)

    def watch(self, after: str | None = None) -> AbstractAsyncContextManager[Stream]:
        headers = dict(self.tenant.viewer)
        if after is not None:
            headers["Last-Event-ID"] = after
        return opened_stream(self.app, self.path, headers)

    async def seen(self, after: str | None = None) -> list[ServerSentEvent]:
        """Everything up to the end of the stream."""
        async with self.watch(after) as stream:
            return await stream.rest()
