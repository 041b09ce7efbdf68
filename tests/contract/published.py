"""The examples of both published generations, asked of a running system over HTTP.

``python -m tests.contract.published`` asks the system of ``make up`` and says which of its answers
are as published; the exit status is 1 when one is not. What an example configures is removed behind
it, so the organization must have no numbers and no trunks.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from local.upfile import UpFile
from tests.contract.exchange import (
    Example,
    NotPrepared,
    ask,
    examples,
    key_for,
    mismatches,
    prepared,
)
from tests.contract.peers import as_published, with_peers

__all__ = ["RunningSystem", "in_order", "running_system"]

SECTIONS: Final = (
    *("1", "4.1", "4.2", "4.3", "5.1", "3.6", "3.2", "5.2", "3.1", "3.3", "3.7"),
    *("4.4", "4.5", "5.4", "5.3", "5.5", "3.5", "7.1", "7.2", "7.3", "7.4", "7.6", "7.5", "3.4"),
    *("6.1", "6.2", "6.3", "6.4", "6.5"),
)
"""As a customer goes: look, attach, change, call, adjust, group, detach, port."""

_ATTACH: Final = {
    "method": "POST",
    "path": "/v1/sip/attach",
    "body": {
        "phone_number": "+14150000000",
        "service": "sip",
        "directions": [{"type": "outbound", "sip_endpoint": "sip:trunk.provider.com"}],
    },
}
_CALL: Final = {
    "method": "POST",
    "path": "/v1/sip/test-call",
    "body": {"phone_number": "+14150000000"},
    "keep": {"call_id": "data.call_id"},
}
_WATCHED: Final = {**_ATTACH, "keep": {"phone_number": "data.configured.0"}}
_DISCOVERY: Final = {
    "method": "POST",
    "path": "/v1/sip/discover",
    "body": {"host": "sip.example.com", "port": 5060, "transport": "udp"},
    "keep": {"discovery_id": "data.discovery_id"},
}
_ORGANIZATION: Final = {"method": "PATCH", "path": "/v1/organizations/{org_id}"}
_RECIPIENTS: Final = {**_ORGANIZATION, "body": {"alert_emails": ["it@acme.example"]}}
REGIONS: Final[dict[str | None, list[dict[str, Any]]]] = {
    "newer": [{**_ORGANIZATION, "body": {"region": "{newer_region}"}}],
}
GIVEN: Final[dict[str, list[dict[str, Any]]]] = {
    "a completed discovery": [_DISCOVERY],
    "a test call": [_ATTACH, _CALL],
    "a completed test call": [_ATTACH, _CALL],
    "a completed check": [_WATCHED],
    "recipients of alerts": [_RECIPIENTS],
}
"""How what is ``given`` comes about; what is ``completed`` is followed to its end."""

FOLLOWED: Final[dict[str, tuple[str, str, set[str | None]]]] = {
    "discovery_id": ("/v1/sip/discover/status", "status", {"running"}),
    "call_id": (
        "/v1/sip/test-call/status",
        "status",
        {"queued", "initiated", "ringing", "in-progress"},
    ),
    "phone_number": ("/v1/sip/status", "response_time_ms", {None}),
}
"""Where work is polled by its id, and what a field of the answer says while it goes on."""

POLL_INTERVAL: Final = 0.1
ANSWER_WITHIN: Final = 40.0
"""Seconds that a request may take; one waits for a discovery."""
END_WITHIN: Final = 40.0
"""Seconds that a discovery or a call may take."""


def in_order() -> dict[str, Example]:
    """The examples by name, in the order in which a customer comes to them."""
    every = {example["name"]: example for example in examples().values()}
    return dict(sorted(every.items(), key=lambda each: SECTIONS.index(each[0].split()[0])))


@dataclass(frozen=True, slots=True)
class RunningSystem:
    """A system over HTTP, as the operator whose organization it is.

    ``organization`` is as the API showed it first, ``lab`` the SIP URI of each peer.
    ``newer_region`` is the region that the operator describes as the newer generation does, None
    when there is none.
    """

    client: httpx.AsyncClient
    key: str = field(repr=False)
    organization: Mapping[str, Any]
    lab: Mapping[str, str]
    newer_region: str | None

    def can_answer(self, example: Example) -> bool:
        """Whether the operator has the regions that the example shows."""
        return "regions" not in example or self.newer_region is not None

    async def is_empty(self) -> bool:
        """Whether the organization has neither numbers nor trunks, and ports none."""
        state = await self._answered("GET", "/v1/sip/state")
        return not (state["numbers"] or state["trunks"] or await self._porting())

    async def differences(self, example: Example) -> list[str]:
        """Ask what the example asks; where the answer is not what it shows.

        The organization is empty before and after it. Raises ``NotPrepared``, ``TimeoutError`` and
        ``httpx.HTTPError``.
        """
        given: str = example.get("given", "")
        steps = [*REGIONS.get(example.get("regions"), ()), *GIVEN.get(given, ())]
        before = [*steps, *example.get("before", ())]
        wanted = with_peers({**example, "before": before}, self.lab)
        kept = {"org_id": self.organization["org_id"], "newer_region": self.newer_region or ""}
        try:
            kept = await prepared(self.client, wanted["before"], self.key, kept)
            if "completed" in given:
                await self._ended(kept)
            answer = await ask(self.client, wanted["request"], key_for(wanted, self.key), kept)
            said = answer.json()
            if wanted["request"]["path"] == "/v1/sip/discover":
                # The next discovery of the organization is refused while this one runs.
                await self._ended(said["data"])
            return mismatches(wanted, answer, as_published(said), kept)
        finally:
            if before or wanted["request"]["method"] != "GET":
                await self._clear()

    async def _ended(self, ids: Mapping[str, Any]) -> None:
        """Wait for the end of every discovery and call among these values."""
        for name in ids.keys() & FOLLOWED.keys():
            path, key, going_on = FOLLOWED[name]
            give_up = time.monotonic() + END_WITHIN
            while (now := await self._answered("GET", path, {name: ids[name]}))[key] in going_on:
                if time.monotonic() > give_up:
                    raise TimeoutError(f"{ids[name]} after {END_WITHIN:g} s: {now}")
                await asyncio.sleep(POLL_INTERVAL)

    async def _porting(self) -> list[str]:
        """Ids of port orders that go on."""
        query = {"include_terminal": False}
        found = await self._answered("GET", "/v1/sip/port", query)
        return [each["id"] for each in found["port_requests"]]

    async def _clear(self) -> None:
        for order_id in await self._porting():
            give_up = time.monotonic() + END_WITHIN
            while not await self._canceled(order_id):
                if time.monotonic() > give_up:
                    raise TimeoutError(f"{order_id} is not canceled")
                await asyncio.sleep(POLL_INTERVAL)
        nothing = {"version": 1, "trunks": [], "numbers": []}
        await self._answered("PUT", "/v1/sip/state", json=nothing)
        await self._answered(
            "PATCH",
            f"/v1/organizations/{self.organization['org_id']}",
            json={name: self.organization[name] for name in ("region", "alert_emails")},
        )

    async def _canceled(self, order_id: str) -> bool:
        """Whether the order has ended now; one whose workflow has not begun goes on for a moment."""
        answer = await self.client.delete(f"/v1/sip/port/{order_id}", headers=self._headers)
        return answer.status_code == 200

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    async def _answered(
        self, method: str, path: str, query: Mapping[str, Any] | None = None, json: Any = None
    ) -> Any:
        answer = await self.client.request(
            method, path, params=query, json=json, headers=self._headers
        )
        answer.raise_for_status()
        return answer.json()["data"]


@asynccontextmanager
async def running_system(
    up: UpFile, newer_region: str | None = None
) -> AsyncIterator[RunningSystem]:
    """The system that ``up`` tells of. Raises ``httpx.HTTPError`` when it does not answer."""
    async with httpx.AsyncClient(base_url=up.api_url, timeout=ANSWER_WITHIN) as client:
        me = await client.get("/v1/me", headers={"Authorization": f"Bearer {up.api_key}"})
        me.raise_for_status()
        organization = me.json()["data"]["organization"]
        yield RunningSystem(client, up.api_key, organization, up.lab, newer_region)


async def _ask_all(up: UpFile) -> int:
    """Ask everything and say what came; the exit status."""
    async with running_system(up) as system:
        if not await system.is_empty():
            _say("The organization has numbers, trunks or port orders; they would be removed.")
            return 1
        status = 0
        for name, example in in_order().items():
            if not system.can_answer(example):
                _say(f"not asked  {name}: the operator's regions are others")
                continue
            try:
                differences = await system.differences(example)
            except (NotPrepared, TimeoutError, httpx.HTTPError) as error:
                differences = [f"{type(error).__name__}: {error}"]
            _say(f"{'differs' if differences else 'as shown':<10} {name}")
            for difference in differences:
                _say(f"           {difference}")
                status = 1
    return status


def main() -> int:
    """Entry point of the program; the exit status."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--var", type=Path, default=Path("var"), help="folder of `make up`")
    var: Path = arguments.parse_args().var
    up = UpFile.read(var)
    if up is None:
        _say(f"Nothing runs in {var}: make up")
        return 1
    return asyncio.run(_ask_all(up))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
