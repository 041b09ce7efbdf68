"""An organization that uses the API over HTTP, as its own programs would."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from domain.call_state import CallStatus, statuses_before

__all__ = ["POLL_INTERVAL", "Customer", "ServerSentEvent"]

POLL_INTERVAL = 0.05
ENDED = frozenset(CallStatus) - frozenset(statuses_before(CallStatus.COMPLETED))


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event of a stream; ``at`` is when it was here, in seconds of the wall clock."""

    name: str
    id: str
    data: dict[str, Any]
    at: float


@dataclass(frozen=True, slots=True)
class Customer:
    """An organization that talks to one API over HTTP."""

    org_id: str
    key: str = field(repr=False)
    url: str
    http: httpx.AsyncClient
    logs: Callable[[], str] = field(repr=False)

    def at(self, url: str) -> Customer:
        """The same organization, talking to another API."""
        return replace(self, url=url)

    async def discover(self, host: str, **body: Any) -> httpx.Response:
        """Ask for a discovery."""
        return await self.http.post(
            f"{self.url}/v1/sip/discover", json={"host": host, **body}, headers=self._headers
        )

    async def discovery(self, discovery_id: str) -> dict[str, Any]:
        """The discovery as it stands."""
        answer = await self.http.get(
            f"{self.url}/v1/sip/discover/status",
            params={"discovery_id": discovery_id},
            headers=self._headers,
        )
        assert answer.status_code == 200, answer.text
        view: dict[str, Any] = answer.json()["data"]
        return view

    async def with_attempts(self, discovery_id: str, count: int) -> dict[str, Any]:
        """The discovery once so many attempts are visible. Raises ``TimeoutError``."""
        return await self._once(discovery_id, lambda view: len(view["attempts"]) >= count, 10)

    async def ended(self, discovery_id: str, *, seconds: float) -> dict[str, Any]:
        """The discovery once it is ``completed`` or ``failed``. Raises ``TimeoutError``."""
        return await self._once(discovery_id, lambda view: view["status"] != "running", seconds)

    async def told(self, method: str, path: str, **body: Any) -> Any:
        """What a request that must succeed is answered."""
        answer = await self.http.request(
            method, f"{self.url}{path}", json=body or None, headers=self._headers
        )
        assert answer.is_success, answer.text
        return answer.json()["data"]

    async def attach(self, number: str, endpoint: str, **options: Any) -> None:
        """Let calls from ``number`` go out to ``endpoint``; ``options`` are the direction's.

        Without a ``health_check`` the peer gets no OPTIONS: SIPp would take one for its call.
        """
        options = {"health_check": {"source": "calls"}, **options}
        direction = {"type": "outbound", "sip_endpoint": endpoint, "options": options}
        answer = await self.http.post(
            f"{self.url}/v1/sip/attach",
            json={"phone_number": number, "directions": [direction], "service": "sip"},
            headers=self._headers,
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"]["failed"] == [], answer.text

    async def ask_test_call(self, number: str, **body: Any) -> httpx.Response:
        """Ask for a test call over the number's outbound configuration."""
        return await self.http.post(
            f"{self.url}/v1/sip/test-call",
            json={"phone_number": number, **body},
            headers=self._headers,
        )

    async def begin_test_call(self, number: str, **body: Any) -> str:
        """The id of a test call that was let in."""
        answer = await self.ask_test_call(number, **body)
        assert answer.status_code == 200, answer.text
        call_id: str = answer.json()["data"]["call_id"]
        return call_id

    async def test_call(self, call_id: str) -> dict[str, Any]:
        """The test call as it stands."""
        answer = await self.http.get(
            f"{self.url}/v1/sip/test-call/status",
            params={"call_id": call_id},
            headers=self._headers,
        )
        assert answer.status_code == 200, answer.text
        view: dict[str, Any] = answer.json()["data"]
        return view

    async def test_call_when(
        self, call_id: str, enough: Callable[[dict[str, Any]], bool], *, seconds: float = 10.0
    ) -> dict[str, Any]:
        """The test call once it is ``enough``. Raises ``TimeoutError``."""
        give_up = time.monotonic() + seconds
        while not enough(view := await self.test_call(call_id)):
            if time.monotonic() > give_up:
                error = TimeoutError(f"{view['status']}: {view['timeline']}")
                error.add_note(self.logs())
                raise error
            await asyncio.sleep(POLL_INTERVAL)
        return view

    async def test_call_ended(self, call_id: str, *, seconds: float = 20.0) -> dict[str, Any]:
        """The test call once it is over. Raises ``TimeoutError``."""
        return await self.test_call_when(
            call_id, lambda view: view["status"] in ENDED, seconds=seconds
        )

    async def retry_test_call(self, call_id: str, variant: str) -> str:
        """The id of the call that repeats an ended one with a variant."""
        answer = await self.http.post(
            f"{self.url}/v1/sip/test-call/{call_id}/retry",
            json={"variant": variant},
            headers=self._headers,
        )
        assert answer.status_code == 200, answer.text
        again: str = answer.json()["data"]["call_id"]
        return again

    async def test_call_events(self, call_id: str) -> AsyncIterator[ServerSentEvent]:
        """What the API tells of a test call while it runs, until the stream ends."""
        where = f"{self.url}/v1/sip/test-call/{call_id}/events"
        async with self.http.stream("GET", where, headers=self._headers) as answer:
            assert answer.status_code == 200
            fields: dict[str, str] = {}
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                if name:
                    fields[name] = value
                elif "data" in fields:
                    yield ServerSentEvent(
                        fields["event"], fields["id"], json.loads(fields["data"]), time.time()
                    )
                    fields = {}

    async def about_test_call(self, call_id: str, what: str) -> httpx.Response:
        """One of ``trace``, ``pcap``, ``ladder.svg`` and ``ladder.mmd`` of a test call."""
        answer = await self.http.get(
            f"{self.url}/v1/sip/test-call/{call_id}/{what}", headers=self._headers
        )
        assert answer.status_code == 200, answer.text
        return answer

    async def hang_up(self, call_id: str) -> httpx.Response:
        """Ask for the end of a test call."""
        return await self.http.delete(
            f"{self.url}/v1/sip/test-call/{call_id}", headers=self._headers
        )

    async def _once(
        self, discovery_id: str, enough: Callable[[dict[str, Any]], bool], seconds: float
    ) -> dict[str, Any]:
        give_up = time.monotonic() + seconds
        while not enough(view := await self.discovery(discovery_id)):
            if time.monotonic() > give_up:
                error = TimeoutError(f"{view['status']}, {len(view['attempts'])} attempts")
                error.add_note(self.logs())
                raise error
            await asyncio.sleep(POLL_INTERVAL)
        return view

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}
