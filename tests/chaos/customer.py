"""A customer who configures numbers and repeats a request until it is answered.

He remembers what he was promised: a number's endpoint is what the last answered request said. Each
wish has one idempotency key, however often it is sent.
"""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

__all__ = ["Customer", "Unanswered"]

ANSWER_WITHIN: Final = 150.0
"""Seconds: the supervisor's longest pause before a restart, a start, and the same once more."""

AGAIN_AFTER: Final = 0.25
NUMBERS: Final = 24


class Unanswered(Exception):
    """A request that got no answer for as long as the system may be away."""


class Customer:
    """One organization's client; ``expected`` is each configured number's endpoint."""

    def __init__(
        self, client: httpx.AsyncClient, peers: Sequence[str], choices: random.Random
    ) -> None:
        self._client = client
        self._peers = peers
        self._choices = choices
        self.expected: dict[str, str] = {}
        self.calls: list[str] = []
        self.changes = 0

    async def wish(self) -> None:
        """One random change of the configuration, or a call, until it is answered."""
        number = f"+1415555{self._choices.randrange(1000, 1000 + NUMBERS)}"
        endpoint = self._choices.choice(self._peers)
        kind = self._choices.choice(("attach", "attach", "update", "detach", "call"))
        if number not in self.expected:
            kind = "attach"
        elif kind == "attach":
            kind = "update"
        await getattr(self, f"_{kind}")(number, endpoint)

    async def configured(self) -> dict[str, str]:
        """Each number's endpoint as the system tells it."""
        answer = await self.answered("GET", "/v1/sip/numbers")
        return {
            str(each["phone_number"]): str(each["sip_endpoint"])
            for each in answer["data"]["numbers"]
        }

    async def sees_it_ready(self) -> bool:
        """Whether the system says that it can work."""
        try:
            return (await self._client.get("/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    async def answered(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The answer to a request, sent until there is one. Raises ``Unanswered``.

        503 and a broken connection are the system being away; any other refusal is a bug, and
        ``AssertionError``.
        """
        headers = {"Idempotency-Key": str(uuid.uuid4())} if method != "GET" else {}
        until = time.monotonic() + ANSWER_WITHIN
        last, sent = "nothing was sent", 0
        while time.monotonic() < until:
            try:
                answer = await self._client.request(method, path, json=body, headers=headers)
            except httpx.TransportError as error:
                last = repr(error)
            else:
                if answer.status_code in (200, 201, 429):
                    return dict(answer.json())
                last = f"{answer.status_code} {answer.text}"
                # What was carried out just before the process died is gone when it is asked again.
                if answer.status_code == 404 and sent and path.endswith("/detach"):
                    return dict(answer.json())
                # A request that died half-way holds its key until its time is over.
                assert answer.status_code == 503 or "IDEMPOTENCY_IN_PROGRESS" in answer.text, last
            sent += 1
            await asyncio.sleep(AGAIN_AFTER)
        raise Unanswered(f"{method} {path}: {last}")

    async def _attach(self, number: str, endpoint: str) -> None:
        answer = await self.answered(
            "POST",
            "/v1/sip/attach",
            {
                "phone_number": number,
                "service": "sip",
                "directions": [{"type": "outbound", "sip_endpoint": endpoint}],
            },
        )
        assert answer["data"] == {"configured": [number], "failed": []}, answer
        self._changed(number, endpoint)

    async def _update(self, number: str, endpoint: str) -> None:
        await self.answered(
            "POST",
            "/v1/sip/update",
            {
                "phone_number": number,
                "updates": {"type": "outbound", "sip_endpoint": endpoint},
            },
        )
        self._changed(number, endpoint)

    async def _detach(self, number: str, _endpoint: str) -> None:
        await self.answered(
            "POST",
            "/v1/sip/detach",
            {
                "phone_number": number,
                "directions": [{"type": "outbound"}],
                "service": "sip",
            },
        )
        self._changed(number, None)

    async def _call(self, number: str, _endpoint: str) -> None:
        answer = await self.answered("POST", "/v1/sip/test-call", {"phone_number": number})
        if answer["errors"] is None:
            self.calls.append(str(answer["data"]["call_id"]))

    def _changed(self, number: str, endpoint: str | None) -> None:
        self.changes += 1
        if endpoint is None:
            del self.expected[number]
        else:
            self.expected[number] = endpoint
