"""Where a trunk's calls go, over the API, with the real workflow behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from storage import audit
from storage.outbound import outbound_of
from temporal_client import register_search_attributes
from tests.api.calling import Caller
from tests.api.counting import code
from tests.api.routed import NUMBER, RoutedTrunk, routed_trunk, trunk_worker
from tests.api.waiting import eventually
from tests.workflows.harness import dev_server
from workflows.names import trunk_workflow_id

pytestmark = [pytest.mark.postgres, pytest.mark.temporal]


@pytest.fixture(scope="module")
async def temporal_address() -> AsyncIterator[str]:
    """A server of this file's own: its worker would take up what other tests left on a shared one."""
    started = await dev_server(ui=False)
    async with started:
        await register_search_attributes(started.client)
        yield started.client.service_client.config.target_host


@pytest.fixture
async def trunk(caller: Caller) -> AsyncIterator[RoutedTrunk]:
    """A trunk with a worker, whose first route is there."""
    async with trunk_worker(caller):
        made = await routed_trunk(caller)
        await made.until(0)
        yield made


async def actions(trunk: RoutedTrunk) -> list[str]:
    async with trunk.database.tenant(trunk.tenant.org_id) as session:
        found = await audit.entries(
            session, trunk.tenant.org_id, limit=20, subject_id=trunk.trunk_id
        )
    return [each.action for each in found]


async def first_host(trunk: RoutedTrunk) -> str:
    """Where the next call of the number goes."""
    async with trunk.database.tenant(trunk.tenant.org_id) as session:
        return (await outbound_of(session, NUMBER))[0].host


async def test_a_trunk_shows_where_its_calls_go_and_why(trunk: RoutedTrunk) -> None:
    route = await trunk.route()
    assert (route["cause"], route["current"]) == ("primary", True)
    assert route["active"]["label"] == "192.0.2.1:5060/udp"
    assert route["active"]["standing"] == "unchecked"
    [target] = route["active"]["targets"]
    assert (target["address"], target["port"], target["share_percent"]) == ("192.0.2.1", 5060, 100)
    assert [each["position"] for each in route["next"]] == [1]
    assert route["why"][0].startswith("Calls go to 192.0.2.1:5060/udp (primary)")


async def test_what_the_monitor_sees_moves_calls(trunk: RoutedTrunk) -> None:
    await trunk.saw("down", "healthy")
    route = await trunk.until(1)
    assert route["cause"] == "timeout"
    assert await first_host(trunk) == "192.0.2.2"


async def test_an_operator_moves_calls_and_back(trunk: RoutedTrunk) -> None:
    route = await trunk.told("POST", "failover", {})
    assert (route["active"]["position"], route["forced"]) == (1, True)
    assert await first_host(trunk) == "192.0.2.2"
    route = await trunk.told("POST", "failback", {})
    assert (route["active"]["position"], route["forced"]) == (0, False)
    assert await first_host(trunk) == "192.0.2.1"
    assert (await actions(trunk))[:2] == ["trunk.fail_back", "trunk.fail_over"]


async def test_an_operator_pins_calls_and_unpins_them(trunk: RoutedTrunk) -> None:
    route = await trunk.told("POST", "pin", {"to": 1, "minutes": 5})
    assert (route["active"]["position"], route["pinned"]) == (1, True)
    assert route["pinned_until"] is not None
    route = await trunk.told("DELETE", "pin")
    assert (route["pinned"], route["pinned_until"]) == (False, None)
    assert (await actions(trunk))[:2] == ["trunk.unpin", "trunk.pin"]


async def test_a_maintenance_window_moves_calls_and_is_ended(trunk: RoutedTrunk) -> None:
    opened = await trunk.told("POST", "maintenance", {"position": 0, "minutes": 60})
    assert opened["route"]["active"]["position"] == 1
    [window] = opened["route"]["maintenance"]
    assert window["window_id"] == opened["window_id"]
    answer = await trunk.ask("DELETE", "maintenance?window_id=mwn_other")
    assert (answer.status_code, code(answer)) == (409, "NO_SUCH_WINDOW")
    route = await trunk.told("DELETE", f"maintenance?window_id={opened['window_id']}")
    assert route["maintenance"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "refusal"),
    [
        ("POST", "failover", {"to": 7}, "NO_SUCH_ENDPOINT"),
        ("POST", "failover", {"to": 0}, "ALREADY_THERE"),
        ("POST", "failback", {}, "ALREADY_THERE"),
        ("POST", "pin", {"to": 7}, "NO_SUCH_ENDPOINT"),
        ("DELETE", "pin", None, "NOT_PINNED"),
        ("DELETE", "maintenance", None, "NO_SUCH_WINDOW"),
        ("DELETE", "drill", None, "NO_DRILL"),
        (
            "POST",
            "maintenance",
            {"starts_at": "2020-01-01T00:00:00Z", "minutes": 5},
            "INVALID_REQUEST",
        ),
    ],
)
async def test_what_does_not_fit_is_refused_and_not_audited(
    trunk: RoutedTrunk, method: str, path: str, body: Any, refusal: str
) -> None:
    before = await actions(trunk)
    answer = await trunk.ask(method, path, body)
    assert (answer.status_code, code(answer)) == (400 if "INVALID" in refusal else 409, refusal)
    assert await actions(trunk) == before


async def test_a_repeated_order_is_carried_out_once(trunk: RoutedTrunk) -> None:
    key = {"Idempotency-Key": "move-1"}
    first = await trunk.ask("POST", "failover", {}, **key)
    await trunk.told("POST", "failback", {})
    again = await trunk.ask("POST", "failover", {}, **key)
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (await trunk.route())["active"]["position"] == 0


async def test_an_order_that_no_worker_took_in_time_is_carried_out_once(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trunk_worker(caller):
        trunk = await routed_trunk(caller)
        await trunk.until(0)
    key = {"Idempotency-Key": "move-2"}
    with monkeypatch.context() as hurried:
        hurried.setattr("api.services.trunk_orders.UPDATE_DEADLINE", timedelta(seconds=0.5))
        lost = await trunk.ask("POST", "failover", {}, **key)
    assert (lost.status_code, code(lost)) == (503, "UNAVAILABLE")
    assert int(lost.headers["Retry-After"]) >= 1
    async with trunk_worker(caller):

        async def answered() -> bool:
            answer = await trunk.ask("POST", "failover", {}, **key)
            return answer.status_code == 200

        # Sent as another order it would be refused: by then calls are there already.
        await eventually(answered, seconds=60)
    assert (await trunk.route())["active"]["position"] == 1


async def test_without_a_worker_orders_are_told_to_come_again_and_routes_are_shown(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.services.trunk_orders.UPDATE_DEADLINE", timedelta(seconds=0.3))
    trunk = await routed_trunk(caller)
    route = await trunk.route()
    assert (route["generation"], route["active"], route["cause"]) == (0, None, None)
    assert route["why"] == [
        "Nothing was decided yet: calls try the endpoints in the order of their priority."
    ]
    assert not route["current"]

    async def begun() -> bool:
        answer = await trunk.ask("POST", "failover", {})
        assert (answer.status_code, code(answer)) == (503, "UNAVAILABLE")
        return "no worker" in answer.json()["errors"][0]["message"]

    await eventually(begun)


async def test_a_change_of_the_trunk_is_decided_about(trunk: RoutedTrunk) -> None:
    before = (await trunk.route())["revision"]
    changed = {"failover_config": {"endpoints": [{"host": "192.0.2.77"}]}}
    answer = await trunk.client.patch(
        f"/v1/sip/trunks/{trunk.trunk_id}", json=changed, headers=trunk.tenant.editor
    )
    assert answer.status_code == 200, answer.text

    async def decided() -> bool:
        route = await trunk.route()
        return bool(route["current"]) and route["revision"] > before

    await eventually(decided)
    [behind] = (await trunk.route())["next"]
    assert behind["label"] == "192.0.2.77"


async def test_viewers_look_and_editors_order(trunk: RoutedTrunk) -> None:
    for method, path, body in (
        ("POST", "failover", {}),
        ("POST", "failback", {}),
        ("POST", "pin", {"to": 1}),
        ("DELETE", "pin", None),
        ("POST", "maintenance", {"minutes": 5}),
        ("DELETE", "maintenance", None),
        ("POST", "drill", {"phone_number": NUMBER}),
        ("DELETE", "drill", None),
    ):
        answer = await trunk.client.request(
            method,
            f"/v1/sip/trunks/{trunk.trunk_id}/{path}",
            json=body,
            headers=trunk.tenant.viewer,
        )
        assert (answer.status_code, code(answer)) == (403, "FORBIDDEN")


async def test_a_removed_trunk_takes_its_route_and_its_workflow_with_it(
    trunk: RoutedTrunk,
) -> None:
    answer = await trunk.client.delete(
        f"/v1/sip/trunks/{trunk.trunk_id}", headers=trunk.tenant.editor
    )
    assert answer.status_code == 200
    assert (await trunk.ask("GET", "route")).status_code == 404
    assert (await trunk.ask("POST", "failover", {})).status_code == 404
    handle = trunk.temporal.get_workflow_handle(trunk_workflow_id(trunk.trunk_id))
    async with asyncio.timeout(20):
        await handle.result()
