"""``kill -9`` of the worker, of the API and of Temporal in the middle of a discovery."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import psycopg
import pytest

from local.process import ManagedProcess
from sip.message import parse_message
from storage import sip_messages
from storage.tables import MessageDirection
from tests.strangers.silence import silent_ports
from tests.support.forwarder import run_forwarder
from tests.support.loopback import LoopbackBlock
from tests.support.product import POLL_INTERVAL, ApiProcess, Customer, Product

pytestmark = [
    pytest.mark.peer,
    pytest.mark.postgres,
    pytest.mark.temporal,
    pytest.mark.system,
    # The first test waits for every server and process to start.
    pytest.mark.timeout(120),
]

CANDIDATES = 9
SILENT = (("udp", 5060), ("tcp", 5061))
"""Two ports where plain SIP waits for four seconds, and with the second TLS as well."""

AT_ONCE = CANDIDATES - 3
"""Attempts on this host that end at once, because nobody listens."""

SLOT_FREE_WITHIN = 20.0
"""Seconds: ten of grace for a row whose workflow may be starting, and the reaper's next round."""


async def killed(process: ManagedProcess) -> None:
    process.kill()
    await process.ended()


async def begun(customer: Customer, address: str) -> str:
    answer = await customer.discover(address)
    assert answer.status_code == 200, answer.text
    discovery_id: str = answer.json()["data"]["discovery_id"]
    return discovery_id


async def slot_free(customer: Customer, address: str) -> str:
    """Ask for discoveries until one is let in; its id."""
    give_up = time.monotonic() + SLOT_FREE_WITHIN
    while (answer := await customer.discover(address, port=5070)).status_code == 409:
        assert time.monotonic() < give_up, "the slot is still taken"
        await asyncio.sleep(POLL_INTERVAL)
    assert answer.status_code == 200, answer.text
    discovery_id: str = answer.json()["data"]["discovery_id"]
    return discovery_id


async def requests_sent(product: Product, customer: Customer, discovery_id: str) -> Counter[Any]:
    """How many probes really left for each port, by the messages on the wire."""
    async with product.database.tenant(customer.org_id) as session:
        messages = await sip_messages.of_owner(session, "discovery", discovery_id)
    branches = {
        (each.transport, each.remote_port, parse_message(each.data).via.branch)
        for each in messages
        if each.direction is MessageDirection.OUT
    }
    return Counter((transport, port) for transport, port, _ in branches)


def places(view: dict[str, Any]) -> list[tuple[str, int]]:
    return [(each["transport"], each["port"]) for each in view["attempts"]]


async def test_another_worker_finishes_what_a_killed_one_began(
    loopback: LoopbackBlock,
    product: Product,
    api: ApiProcess,
    worker: ManagedProcess,
    workers: list[ManagedProcess],
) -> None:
    address, customer = loopback.address(), await product.customer(api)
    with silent_ports(address, SILENT):
        discovery_id = await begun(customer, address)
        before = await customer.with_attempts(discovery_id, AT_ONCE)
        assert before["status"] == "running"
        await killed(worker)
        workers.append(await product.start_worker())
        view = await customer.ended(discovery_id, seconds=40)
    assert view["status"] == "completed"
    assert len(places(view)) == CANDIDATES
    assert len(set(places(view))) == CANDIDATES
    assert view["attempts"][:AT_ONCE] == before["attempts"]
    # On the wire too: only what had not ended was asked a second time.
    sent = await requests_sent(product, customer, discovery_id)
    assert sent["udp", 5060] == 2
    assert sent["udp", 5061] == sent["udp", 5080] == 1


async def test_without_any_worker_the_discovery_ends_as_interrupted_and_frees_its_slot(
    loopback: LoopbackBlock,
    product: Product,
    api: ApiProcess,
    worker: ManagedProcess,
    workers: list[ManagedProcess],
) -> None:
    address, customer = loopback.address(), await product.customer(api)
    with silent_ports(address, SILENT):
        discovery_id = await begun(customer, address)
        await customer.with_attempts(discovery_id, AT_ONCE)
        await killed(worker)
        assert (await customer.discover(address)).status_code == 409
        # The workflow may live for a minute: to the reaper that minute is over now.
        with psycopg.connect(product.database_urls.admin_url) as connection:
            connection.execute(
                "UPDATE discoveries SET started_at = started_at - interval '70 s', "
                "deadline_at = deadline_at - interval '70 s' WHERE id = %s",
                [discovery_id],
            )
        view = await customer.ended(discovery_id, seconds=10)
        assert view["status"] == "failed"
        assert view["failure"]["error"] == "INTERRUPTED"
        assert len(view["attempts"]) == AT_ONCE
        # The slot is free while there is still nobody to work, and who comes later does both.
        next_id = await slot_free(customer, address)
        workers.append(await product.start_worker())
        assert (await customer.ended(next_id, seconds=30))["status"] == "completed"
        assert await customer.discovery(discovery_id) == view


async def test_an_api_that_dies_before_it_started_the_workflow_leaves_no_slot_taken(
    loopback: LoopbackBlock, product: Product, worker: ManagedProcess
) -> None:
    address = loopback.address()
    async with run_forwarder(address, product.temporal.address) as way:
        api = await product.start_api(temporal_address=way.address)
        customer = await product.customer(api)
        way.hold()
        asking = asyncio.create_task(customer.discover(address))
        discovery_id = await _claimed(product, customer)
        await killed(api.process)
        (outcome,) = await asyncio.gather(asking, return_exceptions=True)
        assert isinstance(outcome, Exception), "the answer came before the API died"
    restarted = customer.at((await product.start_api()).url)
    await slot_free(restarted, address)
    view = await restarted.discovery(discovery_id)
    assert view["status"] == "failed"
    assert view["failure"]["error"] == "INTERRUPTED"
    assert view["attempts"] == []


async def test_an_api_that_dies_after_its_answer_does_not_stop_the_discovery(
    loopback: LoopbackBlock, product: Product, api: ApiProcess, worker: ManagedProcess
) -> None:
    address, doomed = loopback.address(), await product.start_api()
    customer = await product.customer(doomed)
    discovery_id = await begun(customer, address)
    await killed(doomed.process)
    view = await customer.at(api.url).ended(discovery_id, seconds=15)
    assert view["status"] == "completed"
    assert len(view["attempts"]) == CANDIDATES
    assert await slot_free(customer.at(api.url), address)


async def test_without_temporal_a_discovery_is_refused_and_old_ones_are_still_shown(
    loopback: LoopbackBlock, product: Product, api: ApiProcess, worker: ManagedProcess
) -> None:
    address, customer = loopback.address(), await product.customer(api)
    old = await customer.ended(await begun(customer, address), seconds=15)
    await killed(product.temporal.process)
    try:
        refused = await customer.discover(address)
        assert refused.status_code == 503, refused.text
        assert refused.json()["errors"][0]["error"] == "UNAVAILABLE"
        assert int(refused.headers["Retry-After"]) > 0
        assert _states(product, customer) == ["completed", "failed"]
        assert await customer.discovery(old["discovery_id"]) == old
    finally:
        await product.temporal.process.start()
    next_id = await slot_free(customer, address)
    assert (await customer.ended(next_id, seconds=30))["status"] == "completed"


async def _claimed(product: Product, customer: Customer) -> str:
    """The id of the organization's discovery as soon as its row is there."""
    give_up = time.monotonic() + 10
    while not (rows := _rows(product, customer)):
        assert time.monotonic() < give_up, "no row"
        await asyncio.sleep(POLL_INTERVAL)
    return rows[0][0]


def _states(product: Product, customer: Customer) -> list[str]:
    return [status for _, status in _rows(product, customer)]


def _rows(product: Product, customer: Customer) -> list[tuple[str, str]]:
    """Id and status of the organization's discoveries, oldest first, as the database has them."""
    with psycopg.connect(product.database_urls.admin_url) as connection:
        rows = connection.execute(
            "SELECT id, status FROM discoveries WHERE org_id = %s ORDER BY started_at",
            [customer.org_id],
        )
        return [(str(discovery_id), str(status)) for discovery_id, status in rows]
