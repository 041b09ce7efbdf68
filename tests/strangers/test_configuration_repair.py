"""Processes and servers that die while a configuration changes: what was committed arrives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import psycopg
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.contracts import TrunkRevision
from local.parts import LOOPBACK
from local.process import ManagedProcess
from storage import trunks
from temporal_client import register_search_attributes
from tests.support.customer import Customer
from tests.support.forwarder import run_forwarder
from tests.support.postgres import PostgresForTests
from tests.support.product import POLL_INTERVAL, ApiProcess, Product, open_product
from tests.support.temporal import run_temporal
from workflows.names import trunk_workflow_id

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.temporal,
    pytest.mark.system,
    # The first test waits for every server and process to start.
    pytest.mark.timeout(120),
]

NUMBER = "+14155550100"
REPAIRED_WITHIN = 30.0
"""Seconds: the longest retry, and processes that start on a busy machine."""
DOWN = 2.0
"""Seconds without Temporal: several attempts of the relay."""

TRUNKS = 25
REVISIONS = 4


@pytest.fixture(scope="module")
async def product(
    postgres: PostgresForTests, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Product]:
    """A database and a Temporal of this file alone: nobody else relays, and either may die."""
    with postgres.database() as database_urls:
        async with (
            run_temporal(tmp_path_factory.mktemp("temporal-repair")) as temporal,
            open_product(
                tmp_path_factory.mktemp("product-repair"), database_urls, temporal
            ) as opened,
        ):
            await register_search_attributes(await temporal_of(opened))
            yield opened


@pytest.fixture
async def alone(product: Product) -> AsyncIterator[Product]:
    """The product while no process of it runs."""
    yield product
    await product.stop()


async def killed(process: ManagedProcess) -> None:
    process.kill()
    await process.ended()


async def sent(customer: Customer, path: str, *, method: str = "POST", **body: Any) -> Any:
    """The data of the answer to a mutation."""
    answer = await customer.http.request(
        method,
        f"{customer.url}/v1/sip/{path}",
        json=body,
        headers={"Authorization": f"Bearer {customer.key}"},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def attach(customer: Customer, *directions: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await sent(
        customer, "attach", phone_number=NUMBER, directions=directions, service="sip"
    )
    return found


async def new_trunk(customer: Customer, name: str) -> str:
    made = await sent(customer, "trunks", name=name, direction="both", sip_endpoint="a.example")
    trunk_id: str = made["trunk_id"]
    return trunk_id


async def revise(customer: Customer, trunk_id: str, *names: str) -> None:
    for name in names:
        await sent(customer, f"trunks/{trunk_id}", method="PATCH", name=name)


def outbound(host: str) -> dict[str, Any]:
    return {"type": "outbound", "sip_endpoint": f"sip:{host}"}


def rows(product: Product, query: str, *values: Any) -> list[Any]:
    """What the database holds, whoever may see it."""
    with psycopg.connect(product.database_urls.admin_url) as connection:
        return connection.execute(query, values).fetchall()


def waiting(product: Product) -> int:
    """How many revisions of trunks are not delivered."""
    ((count,),) = rows(
        product,
        "SELECT count(*) FROM outbox WHERE delivered_at IS NULL AND kind = %s",
        trunks.CHANGED,
    )
    return int(count)


def behind(product: Product) -> list[Any]:
    """Trunks whose workflow does not go by their newest revision."""
    return rows(
        product,
        "SELECT id, revision, adopted_revision FROM trunks "
        "WHERE adopted_revision IS DISTINCT FROM revision",
    )


async def eventually(product: Product, come_true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + REPAIRED_WITHIN
    while not come_true():
        assert time.monotonic() < give_up, f"{behind(product)}\n{product.logs()}"
        await asyncio.sleep(POLL_INTERVAL)


async def temporal_of(product: Product) -> Client:
    return await Client.connect(
        product.temporal.address,
        namespace=product.temporal.namespace,
        data_converter=pydantic_data_converter,
    )


async def revisions_told(client: Client, trunk_id: str) -> list[int]:
    """The revisions that the trunk's workflow was told of, as its history has them."""
    history = await client.get_workflow_handle(trunk_workflow_id(trunk_id)).fetch_history()
    return [
        TrunkRevision.model_validate_json(
            event.workflow_execution_signaled_event_attributes.input.payloads[0].data
        ).revision
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
        and event.workflow_execution_signaled_event_attributes.signal_name == "revised"
    ]


async def test_an_api_that_dies_between_the_commit_and_the_signal_leaves_it_to_the_worker(
    alone: Product,
) -> None:
    async with run_forwarder(LOOPBACK, alone.temporal.address) as way:
        doomed = await alone.start_api(temporal_address=way.address)
        customer = await alone.customer(doomed)
        way.hold()
        answered = await attach(customer, outbound("pbx.example.com"))
        await killed(doomed.process)
    assert answered == {"configured": [NUMBER], "failed": []}
    assert waiting(alone) == 1
    ((trunk_id, revision, adopted),) = behind(alone)
    assert adopted is None or adopted < revision

    await alone.start_worker()

    await eventually(alone, lambda: not behind(alone))
    assert waiting(alone) == 0
    assert await revisions_told(await temporal_of(alone), trunk_id) == [revision]


async def test_without_temporal_changes_are_taken_and_arrive_once_and_in_order_afterwards(
    alone: Product,
) -> None:
    api, _ = await asyncio.gather(alone.start_api(), alone.start_worker())
    customer = await alone.customer(api)
    trunk_id = await new_trunk(customer, "first")
    await eventually(alone, lambda: not behind(alone))
    await killed(alone.temporal.process)
    try:
        await revise(customer, trunk_id, "second", "third", "fourth")
        await attach(customer, outbound("pbx.example.com"))
        await asyncio.sleep(DOWN)
        await revise(customer, trunk_id, "fifth")
        assert waiting(alone) == 5
    finally:
        await alone.temporal.process.start()

    await eventually(alone, lambda: not behind(alone))
    assert waiting(alone) == 0
    assert await revisions_told(await temporal_of(alone), trunk_id) == [1, 2, 3, 4, 5]


async def test_a_relay_that_dies_in_the_middle_of_a_batch_loses_and_reorders_nothing(
    alone: Product,
) -> None:
    async with run_forwarder(LOOPBACK, alone.temporal.address) as way:
        collecting = await alone.start_api(temporal_address=way.address)
        customer = await alone.customer(collecting)
        way.hold()
        trunk_ids = [await new_trunk(customer, f"trunk {index}") for index in range(TRUNKS)]
        for trunk_id in trunk_ids:
            await revise(customer, trunk_id, *(f"{trunk_id} {n}" for n in range(2, REVISIONS + 1)))
        await killed(collecting.process)
    entries = TRUNKS * REVISIONS
    assert waiting(alone) == entries

    doomed = await alone.start_api()
    await eventually(alone, lambda: waiting(alone) < entries)
    await killed(doomed.process)
    left = waiting(alone)
    await alone.start_worker()

    await eventually(alone, lambda: not behind(alone))
    assert 0 < left < entries
    assert waiting(alone) == 0
    client = await temporal_of(alone)
    for told in await asyncio.gather(*(revisions_told(client, each) for each in trunk_ids)):
        # What was on its way when the relay died is told again, never what came before it.
        assert told == sorted(told)
        assert set(told) == set(range(1, REVISIONS + 1))
        assert len(told) <= REVISIONS + 1


async def test_of_two_organizations_that_attach_a_number_at_once_one_gets_its_calls(
    alone: Product,
) -> None:
    apis = await asyncio.gather(alone.start_api(), alone.start_api())
    organizations = [await alone.customer(api) for api in apis]
    inbound = {"type": "inbound", "auth_mode": "ip"}
    answers = await asyncio.gather(
        *(attach(customer.at(api.url), inbound) for api in apis for customer in organizations * 3)
    )

    holders = rows(
        alone,
        "SELECT org_id FROM number_bindings WHERE phone_number = %s AND direction = 'inbound'",
        NUMBER,
    )
    ((holder,),) = holders
    expected = [customer.org_id == holder for _ in apis for customer in organizations * 3]
    assert [answer["configured"] == [NUMBER] for answer in answers] == expected
    assert {failed["error"] for answer in answers for failed in answer["failed"]} == {
        "NUMBER_UNAVAILABLE"
    }


async def test_attaches_of_one_number_at_once_leave_one_winner_for_each_slot(
    alone: Product,
) -> None:
    apis = await asyncio.gather(alone.start_api(), alone.start_api())
    customer = await alone.customer(apis[0])
    hosts = [f"s{index}.example.com" for index in range(12)]

    async def attached(host: str, api: ApiProcess) -> bool:
        answer = await attach(customer.at(api.url), outbound(host))
        assert answer["configured"] or answer["failed"][0]["error"] == "CONFIG_LIMIT"
        return bool(answer["configured"])

    # Each twice at once, by either API: the second is no configuration of its own.
    outcomes = await asyncio.gather(*(attached(host, api) for host in hosts for api in apis))

    slots = rows(
        alone,
        "SELECT b.priority, t.sip_endpoint FROM number_bindings b JOIN trunks t ON t.id = b.trunk_id "
        "WHERE b.org_id = %s ORDER BY b.priority",
        customer.org_id,
    )
    winners = {endpoint for _, endpoint in slots}
    assert [priority for priority, _ in slots] == list(range(10))
    assert len(winners) == 10
    assert outcomes == [f"sip:{host}" in winners for host in hosts for _ in apis]
