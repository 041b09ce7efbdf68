"""Failovers rehearsed over the API, with the real workflow behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from storage.ids import is_id
from storage.outbound import outbound_of
from temporal_client import register_search_attributes
from tests.api.calling import Caller
from tests.api.configured import attached
from tests.api.counting import code
from tests.api.routed import NUMBER, RoutedTrunk, routed_trunk, trunk_worker
from tests.api.waiting import eventually
from tests.storage.factories import queued_call
from tests.workflows.harness import dev_server

pytestmark = [pytest.mark.postgres, pytest.mark.temporal]

OTHER = "+14155550178"


@pytest.fixture(scope="module")
async def temporal_address() -> AsyncIterator[str]:
    """A server of this file's own: its worker would take up what other tests left on a shared one."""
    started = await dev_server(ui=False)
    async with started:
        await register_search_attributes(started.client)
        yield started.client.service_client.config.target_host


@pytest.fixture
async def trunk(caller: Caller) -> AsyncIterator[RoutedTrunk]:
    """A trunk with a worker, a route and a second number."""
    async with trunk_worker(caller):
        made = await routed_trunk(caller)
        await attached(
            caller.client,
            caller.tenant,
            OTHER,
            directions=[{"type": "outbound"}],
            trunk_id=made.trunk_id,
        )
        await settled(made)
        yield made


async def settled(trunk: RoutedTrunk) -> None:
    """Every change of the trunk was decided about: another one would end a drill."""

    async def current() -> bool:
        return bool((await trunk.route())["current"])

    await eventually(current, seconds=40)


async def hosts(trunk: RoutedTrunk, number: str) -> list[str]:
    async with trunk.database.tenant(trunk.tenant.org_id) as session:
        return [each.host for each in await outbound_of(session, number)]


async def newest(trunk: RoutedTrunk) -> dict[str, Any]:
    found: dict[str, Any] = (await trunk.told("GET", "drill"))["drill"]
    return found


async def test_a_drill_moves_the_calls_of_one_number_and_reports(trunk: RoutedTrunk) -> None:
    begun = await trunk.told("POST", "drill", {"phone_number": NUMBER, "seconds": 10})
    assert is_id("drl", begun["drill_id"])
    assert (begun["state"], begun["phone_number"], begun["seconds"]) == ("running", NUMBER, 10)
    assert begun["report"]["took_over"] == 1
    assert begun["report"]["detection_ms"] >= 0
    assert begun["report"]["in_earnest"]["silence_seconds"] == 27.0

    assert await hosts(trunk, NUMBER) == ["192.0.2.2", "192.0.2.1"]
    assert await hosts(trunk, OTHER) == ["192.0.2.1", "192.0.2.2"]
    shown = (await trunk.route())["drill"]
    assert (shown["drill_id"], shown["order"]) == (begun["drill_id"], [1, 0])
    call = await queued_call(
        trunk.database,
        trunk.tenant.org_id,
        at=datetime.now(UTC),
        number=NUMBER,
        trunk_id=trunk.trunk_id,
        settings={"host": "192.0.2.2", "callee": "1"},
    )

    async def over() -> bool:
        return bool((await newest(trunk))["state"] == "completed")

    await eventually(over, seconds=40)
    ended = await newest(trunk)
    assert ended["report"]["recovery_ms"] >= 0
    assert [(each["call_id"], each["host"]) for each in ended["calls"]] == [(call.id, "192.0.2.2")]
    assert await hosts(trunk, NUMBER) == ["192.0.2.1", "192.0.2.2"]
    assert (await trunk.route())["drill"] is None


async def test_a_drill_is_aborted(trunk: RoutedTrunk) -> None:
    begun = await trunk.told("POST", "drill", {"phone_number": NUMBER, "seconds": 600})
    answer = await trunk.ask("POST", "drill", {"phone_number": NUMBER, "seconds": 600})
    assert (answer.status_code, code(answer)) == (409, "DRILL_RUNNING")
    ended = await trunk.told("DELETE", "drill")
    assert (ended["drill"]["drill_id"], ended["drill"]["state"]) == (begun["drill_id"], "aborted")
    assert ended["earlier"] == []
    assert await hosts(trunk, NUMBER) == ["192.0.2.1", "192.0.2.2"]


async def test_a_change_of_the_trunk_ends_the_drill(trunk: RoutedTrunk) -> None:
    await trunk.told("POST", "drill", {"phone_number": NUMBER, "seconds": 600})
    await attached(
        trunk.client,
        trunk.tenant,
        "+14155550179",
        directions=[{"type": "outbound"}],
        trunk_id=trunk.trunk_id,
    )

    async def over() -> bool:
        return bool((await newest(trunk))["state"] == "trunk_revised")

    await eventually(over, seconds=40)
    assert await hosts(trunk, NUMBER) == ["192.0.2.1", "192.0.2.2"]


async def test_a_drill_is_repeated_as_the_same_one(trunk: RoutedTrunk) -> None:
    body, key = {"phone_number": NUMBER, "seconds": 600}, {"Idempotency-Key": "drill-1"}
    first = await trunk.told("POST", "drill", body, **key)
    again = await trunk.told("POST", "drill", body, **key)
    assert again == first


@pytest.mark.parametrize("number", ["+14155559999", "100", "nonsense"])
async def test_a_number_of_another_trunk_is_refused(trunk: RoutedTrunk, number: str) -> None:
    answer = await trunk.ask("POST", "drill", {"phone_number": number, "seconds": 60})
    assert (answer.status_code, code(answer)) == (409, "NUMBER_NOT_ON_TRUNK")


async def test_a_trunk_that_failed_over_is_not_drilled(trunk: RoutedTrunk) -> None:
    await trunk.told("POST", "failover", {})
    answer = await trunk.ask("POST", "drill", {"phone_number": NUMBER, "seconds": 60})
    assert (answer.status_code, code(answer)) == (409, "NOT_AT_THE_PRIMARY")
    assert (await trunk.told("GET", "drill")) == {"drill": None, "earlier": []}
