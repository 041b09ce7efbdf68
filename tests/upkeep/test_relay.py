"""The relay: what was committed reaches Temporal, in order, whatever is away meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.contracts import TrunkStanding
from api.temporal import TemporalGateway
from settings import Settings
from storage import outbox, trunks
from storage.engine import Database
from storage.ids import new_id
from storage.tables import ProcessKind
from temporal_client import register_search_attributes
from tests.api.tenants import Tenant, make_tenant
from tests.workflows.fake_trunk import FakeTrunk
from tests.workflows.harness import dev_server, new_worker
from upkeep.passes import passes_of, this_process
from upkeep.relay import LONGEST_RETRY, relay_outbox, retry_after
from workflows.names import ORG_ID, trunk_workflow_id

pytestmark = [pytest.mark.postgres, pytest.mark.temporal]


@pytest.fixture(scope="module")
async def temporal() -> AsyncIterator[Client]:
    """A real Temporal server for the tests of this file."""
    environment = await dev_server(data_converter=pydantic_data_converter)
    async with environment:
        await register_search_attributes(environment.client)
        yield environment.client


@pytest.fixture
async def tenant(database: Database) -> Tenant:
    return await make_tenant(database)


async def announce(
    database: Database, tenant: Tenant, trunk_id: str, revision: int, *, removed: bool = False
) -> None:
    """Commit a revision as a change of the configuration does."""
    async with database.tenant(tenant.org_id) as session:
        await outbox.append(
            session,
            org_id=tenant.org_id,
            stream=trunks.stream_of(trunk_id),
            kind=trunks.CHANGED,
            payload={"trunk_id": trunk_id, "revision": revision, "removed": removed},
        )


async def waiting(database: Database) -> list[tuple[int, str | None]]:
    """Attempts and last error of what is not delivered."""
    async with database.system() as session:
        rows = await session.execute(
            text("SELECT attempts, last_error FROM outbox WHERE delivered_at IS NULL ORDER BY id")
        )
        return [(row.attempts, row.last_error) for row in rows]


async def test_every_revision_reaches_its_trunk_in_order(
    database: Database, tenant: Tenant, temporal: Client
) -> None:
    fake = FakeTrunk()
    trunk_ids = [new_id("trk") for _ in range(30)]
    for revision in (1, 2):
        for trunk_id in trunk_ids:
            await announce(database, tenant, trunk_id, revision)
    for trunk_id in trunk_ids:
        await announce(database, tenant, trunk_id, 3, removed=True)

    delivered = await relay_outbox(database, temporal)

    async with new_worker(temporal, fake.all()):
        for trunk_id in trunk_ids:
            handle = temporal.get_workflow_handle(
                trunk_workflow_id(trunk_id), result_type=TrunkStanding
            )
            assert (await handle.result()).known == 3
    assert delivered == 90
    assert await waiting(database) == []


async def test_two_relays_deliver_each_entry_once(
    database: Database, tenant: Tenant, temporal: Client
) -> None:
    trunk_id = new_id("trk")
    for revision in range(1, 9):
        await announce(database, tenant, trunk_id, revision)

    first = await relay_outbox(database, temporal)
    second = await relay_outbox(database, temporal)

    assert (first, second) == (8, 0)
    signals = [
        event.workflow_execution_signaled_event_attributes.input.payloads[0].data
        async for event in temporal.get_workflow_handle(
            trunk_workflow_id(trunk_id)
        ).fetch_history_events()
        if event.HasField("workflow_execution_signaled_event_attributes")
    ]
    assert [b'"revision":%d,' % number in data for number, data in enumerate(signals, 1)] == [
        True
    ] * 8


async def test_an_entry_waits_for_temporal_and_keeps_what_is_behind_it(
    database: Database, tenant: Tenant, temporal: Client
) -> None:
    trunk_id = new_id("trk")
    for revision in (1, 2):
        await announce(database, tenant, trunk_id, revision)
    away = await Client.connect(
        temporal.service_client.config.target_host,
        namespace="nowhere",
        data_converter=pydantic_data_converter,
    )

    assert await relay_outbox(database, away) == 0
    ((attempts, error), (untouched, _)) = await waiting(database)
    assert (attempts, untouched) == (1, 0)
    assert error is not None
    assert "NOT_FOUND" in error

    # The time of its next attempt has come.
    async with database.system() as session:
        await session.execute(text("UPDATE outbox SET retry_at = now() - interval '1 second'"))
    assert await relay_outbox(database, temporal) == 2
    assert await waiting(database) == []


async def test_a_namespace_that_no_worker_has_seen_takes_what_the_api_relays(
    database: Database, tenant: Tenant
) -> None:
    trunk_id = new_id("trk")
    await announce(database, tenant, trunk_id, 1)
    async with await dev_server() as fresh:
        gateway = TemporalGateway(
            Settings(temporal_address=fresh.client.service_client.config.target_host)
        )
        passes = passes_of(this_process(ProcessKind.API), database, gateway.client_if_near)
        await next(each for each in passes if each.name == "relay").run()

        assert await waiting(database) == []
        described = await fresh.client.get_workflow_handle(trunk_workflow_id(trunk_id)).describe()
        assert described.typed_search_attributes[ORG_ID] == tenant.org_id


def test_an_absent_temporal_is_asked_again_within_seconds() -> None:
    waits = [retry_after(attempts) for attempts in range(40)]
    assert waits[0] < timedelta(seconds=1)
    assert waits == sorted(waits)
    assert max(waits) == LONGEST_RETRY
