"""Orders are canceled: at once, as soon as a carrier confirms it, or not any more."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from domain.porting.events import CancelAsked
from domain.porting.order_refusals import OrderRefusal
from domain.porting.words import NumberStatus, SubStatus
from settings import Settings
from storage.engine import Database
from tests.api.port_workflows import PortWorkflows
from tests.api.ported import (
    ASKED,
    LANDLINE,
    MOBILE,
    Porter,
    actions,
    body,
    code,
    porter_of,
)
from tests.api.tenants import Tenant

pytestmark = pytest.mark.postgres


@pytest.fixture
def workflows() -> PortWorkflows:
    return PortWorkflows()


@pytest.fixture
async def porter(
    settings: Settings, database: Database, tenant: Tenant, workflows: PortWorkflows
) -> AsyncIterator[Porter]:
    async with porter_of(settings, database, tenant, workflows) as porter:
        yield porter


async def test_an_order_is_canceled_when_its_workflow_says_so(
    porter: Porter, workflows: PortWorkflows
) -> None:
    order_id = await porter.placed()
    answer = await porter.ask("DELETE", f"/{order_id}")
    assert (answer.status_code, answer.json()) == (
        200,
        {"data": {"canceled": True}, "errors": None},
    )
    [(workflow_id, asked, _)] = workflows.told
    assert workflow_id == f"port:{order_id}"
    assert isinstance(asked, CancelAsked)
    assert "port.cancel" in await actions(porter)


async def test_a_cancellation_that_a_carrier_has_to_confirm_is_only_asked_for(
    porter: Porter, workflows: PortWorkflows
) -> None:
    order_id = await porter.placed()
    workflows.answers.append(ASKED)
    answer = await porter.ask("DELETE", f"/{order_id}")
    assert answer.status_code == 202
    data = answer.json()["data"]
    assert (data["canceled"], data["cancel_requested"]) == (False, True)


@pytest.mark.parametrize(
    ("sub_status", "expected"),
    [
        (SubStatus.CANCELED, (200, None)),
        (SubStatus.EXPIRED, (200, None)),
        (SubStatus.COMPLETED, (409, "PORT_ALREADY_ENDED")),
        (SubStatus.ACTIVATING, (409, "PORT_SWITCH_BEGAN")),
    ],
)
async def test_what_cannot_be_canceled_any_more_says_why(
    porter: Porter,
    workflows: PortWorkflows,
    sub_status: SubStatus,
    expected: tuple[int, str | None],
) -> None:
    order_id = await porter.placed()
    await porter.stands(order_id, sub_status, NumberStatus.ACTIVATING)
    answer = await porter.ask("DELETE", f"/{order_id}")
    errors = answer.json()["errors"]
    assert (answer.status_code, errors and errors[0]["error"]) == expected
    assert workflows.told == []


async def test_a_split_order_is_canceled_with_all_its_parts(
    porter: Porter, workflows: PortWorkflows
) -> None:
    placed = await porter.told("POST", "/initiate", body(LANDLINE, MOBILE))
    parts = [each["port_request_id"] for each in placed["children"]]
    workflows.answers += [ASKED]
    answer = await porter.ask("DELETE", f"/{placed['port_request_id']}")
    assert answer.status_code == 202
    assert {each[0] for each in workflows.told} == {f"port:{each}" for each in parts}
    workflows.answers += [OrderRefusal.TOO_LATE, OrderRefusal.TOO_LATE]
    assert code(await porter.ask("DELETE", f"/{placed['port_request_id']}")) == (
        409,
        "PORT_TOO_LATE",
    )


async def test_what_nobody_answers_in_time_may_be_sent_again(
    porter: Porter, workflows: PortWorkflows
) -> None:
    order_id = await porter.placed()
    workflows.is_slow()
    workflows.has_not_begun()
    headers = {"Idempotency-Key": "cancel-7"}
    for _ in range(2):
        answer = await porter.ask("DELETE", f"/{order_id}", headers=headers)
        assert code(answer) == (503, "UNAVAILABLE")
        assert int(answer.headers["retry-after"]) >= 1
    assert await porter.told("DELETE", f"/{order_id}", headers=headers) == {"canceled": True}
    assert len({update_id for *_, update_id in workflows.told}) == 1
