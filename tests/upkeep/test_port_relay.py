"""An order that was committed has a process, and hears each fact once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from domain.porting.events import FactKind
from domain.porting.words import SubStatus
from storage import outbox, port_orders
from storage.engine import Database
from temporal_client import register_search_attributes
from tests.storage.factories import add_organization
from tests.storage.port_rows import an_order
from tests.workflows.fake_port import FakePort
from tests.workflows.harness import dev_server, new_worker
from tests.workflows.ports import Porting
from upkeep.relay import relay_outbox

pytestmark = [pytest.mark.postgres, pytest.mark.temporal]


@pytest.fixture(scope="module")
async def temporal() -> AsyncIterator[Client]:
    """A real Temporal server for the tests of this file."""
    environment = await dev_server(data_converter=pydantic_data_converter)
    async with environment:
        await register_search_attributes(environment.client)
        yield environment.client


async def test_an_order_begins_with_its_row_and_hears_its_facts(
    database: Database, temporal: Client
) -> None:
    org_id = await add_organization(database)
    new = an_order(org_id, "+12025550101", "+12025550102")
    async with database.tenant(org_id) as session:
        await port_orders.create(session, new)
    fake = FakePort()
    order = Porting(temporal, fake, order_id=new.id)
    async with new_worker(temporal, fake.all()):
        assert await relay_outbox(database, temporal) == 1
        await order.becomes(SubStatus.AWAITING_SIGNATURE)
        async with database.tenant(org_id) as session:
            await port_orders.tell(session, org_id, new.id, FactKind.LOA_SIGNED, letter=1)
        assert await relay_outbox(database, temporal) == 1
        await order.becomes(SubStatus.LSR_SENT)
        state = await order.standing()
        assert (state.order_id, state.org_id, state.signed) == (new.id, org_id, 1)
        assert len(set(state.facts)) == 2
        await order.handle.terminate()


async def test_a_fact_of_a_newer_release_waits(database: Database, temporal: Client) -> None:
    org_id = await add_organization(database)
    new = an_order(org_id, "+12025550101", sub_status=SubStatus.DRAFT)
    async with database.tenant(org_id) as session:
        await port_orders.create(session, new)
        await outbox.append(
            session,
            org_id=org_id,
            stream=port_orders.stream_of(new.id),
            kind=port_orders.PORT_CHANGED,
            payload={"order_id": new.id, "fact": "teleported"},
        )
    assert await relay_outbox(database, temporal) == 0
