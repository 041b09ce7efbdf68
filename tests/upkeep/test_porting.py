"""Beside the workflows of port orders: first calls are told, webhooks brought, old things forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select, text, update
from sqlmodel import col

from carriers.simulator import SimulatedCarrier
from domain.porting.words import NumberStatus, SubStatus
from settings import Settings
from storage import port_numbers, port_projection, portability
from storage.engine import Database
from storage.tables import CallDirection, OutboxEntry, PortNumber
from tests.carriers.orders import MONDAY, a_submission
from tests.carriers.test_simulator_webhooks import SECRET
from tests.storage.factories import NOON, add_organization
from tests.storage.live_rows import a_live_call, write_live
from tests.storage.port_rows import a_projection, placed
from upkeep.porting import hear_first_calls, open_postman, tidy_porting

pytestmark = pytest.mark.postgres

SETTINGS = Settings(
    public_url="https://trunkline.example/", porting_webhook_secret=SecretStr(SECRET)
)

A, B = "+12025550101", "+12025550102"
MINUTE = timedelta(minutes=1)


async def facts(database: Database) -> list[dict[str, Any]]:
    async with database.system() as session:
        found = await session.scalars(
            select(col(OutboxEntry.payload))
            .where(col(OutboxEntry.kind) == "port_changed")
            .order_by(col(OutboxEntry.id))
        )
        return [each for each in found if each["fact"] != "submitted"]


async def test_the_first_call_behind_the_switch_is_told_once(
    database: Database,
) -> None:
    org_id = await add_organization(database)
    order = await placed(database, org_id, A, B)
    came = a_projection(1, SubStatus.VERIFYING, NumberStatus.PORTED, NumberStatus.PORTED)
    async with database.system() as session:
        assert await port_projection.project(session, order.id, came)
        # The second number came later than its call, which some other line took.
        late = update(PortNumber).where(col(PortNumber.number) == B)
        await session.execute(late.values(ported_at=NOON + 30 * MINUTE))

    def call(number: str, minutes: int) -> Any:
        at = NOON + minutes * MINUTE
        values = {"number": number, "direction": CallDirection.INBOUND, "started_at": at}
        return a_live_call(org_id, at=at, **values)

    assert await hear_first_calls(database) == 0
    await write_live(database, [call(A, 9), call(B, 12)])
    assert [await hear_first_calls(database) for _ in range(2)] == [1, 0]
    assert await facts(database) == [
        {"order_id": order.id, "fact": "first_inbound", "positions": [0]}
    ]
    async with database.tenant(org_id) as session:
        numbers = await port_numbers.of_order(session, order.id)
    assert [each.first_inbound_at for each in numbers] == [NOON + 9 * MINUTE, None]


@pytest.mark.parametrize(("status", "arrives"), [(200, 1), (404, 0), (503, 0), (401, 1)])
async def test_webhooks_go_to_our_own_api_until_it_took_or_refused_them(
    database: Database, status: int, arrives: int
) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status)

    await SimulatedCarrier(database).submit(a_submission(), now=MONDAY)
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        assert open_postman(Settings(), database, http) is None
        postman = open_postman(SETTINGS, database, http)
        assert postman is not None
        assert await postman.deliver(now=MONDAY) == arrives
    (request,) = asked
    assert str(request.url) == "https://trunkline.example/v1/carriers/simulator/porting-webhook"
    assert request.headers["webhook-signature"].startswith("v1,")


async def test_an_api_that_is_away_gets_its_webhooks_later(database: Database) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    await SimulatedCarrier(database).submit(a_submission(), now=MONDAY)
    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as http:
        postman = open_postman(SETTINGS, database, http)
        assert postman is not None
        assert await postman.deliver(now=MONDAY) == 0


async def test_what_nobody_needs_is_forgotten(database: Database) -> None:
    org_id = await add_organization(database)
    now = datetime.now(UTC)
    old = now - timedelta(days=400)
    draft = await placed(database, org_id, A, at=old, sub_status=SubStatus.DRAFT)
    order = await placed(database, org_id, B, at=old)
    await SimulatedCarrier(database).submit(a_submission(), now=old)
    async with database.system() as session:
        await portability.put_many(session, "simulator", {A: {"portability": "yes"}}, now=old)

    await tidy_porting(database, now=now)

    async with database.system() as session:
        orders = list(await session.scalars(text("SELECT id FROM port_orders")))
        left = await session.scalar(
            text(
                "SELECT (SELECT count(*) FROM simulated_ports) "
                "+ (SELECT count(*) FROM portability_checks)"
            )
        )
    assert orders == [order.id]
    assert draft.id not in orders
    assert left == 0
