"""Every shard that has something to probe gets a monitor, whatever Temporal forgot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.contracts import WatchEndReason
from domain.probe_target import shard_of
from storage.engine import Database
from storage.health_occupancy import occupied_shards
from storage.secret_box import SecretBox, generate_key
from storage.tables import ProcessKind
from temporal_client import register_search_attributes
from tests.activities.health_stage import a_trunk, eventually, name_of, place_trunk
from tests.workflows.fake_health import FakeHealth
from tests.workflows.harness import dev_server, new_worker
from upkeep.monitors import start_missing_monitors
from upkeep.passes import passes_of, this_process
from upkeep.relay import relay_outbox
from workflows.health_monitor import HealthMonitorWorkflow
from workflows.names import health_monitor_workflow_id

pytestmark = [pytest.mark.postgres, pytest.mark.temporal]

BOX = SecretBox.from_key_ring(generate_key("a"))


@pytest.fixture
async def temporal() -> AsyncIterator[Client]:
    """A real Temporal server that knows of nothing yet."""
    environment = await dev_server(data_converter=pydantic_data_converter)
    async with environment:
        await register_search_attributes(environment.client)
        yield environment.client


async def placed(database: Database, *addresses: str) -> list[int]:
    """A trunk at each address; the shards that they fall into."""
    names = [name_of(address) for address in addresses]
    for name in names:
        await place_trunk(database, await a_trunk(database, BOX), name)
    return sorted({shard_of(name.name_id) for name in names})


def monitor_of(client: Client, shard: int) -> WorkflowHandle[HealthMonitorWorkflow, object]:
    return client.get_workflow_handle_for(
        HealthMonitorWorkflow.run, health_monitor_workflow_id(shard)
    )


async def test_a_placed_trunk_starts_the_monitors_of_its_shards(
    database: Database, temporal: Client
) -> None:
    shards = await placed(database, "192.0.2.1", "192.0.2.2", "192.0.2.3")
    async with database.system() as session:
        assert await occupied_shards(session) == set(shards)

    await relay_outbox(database, temporal)

    fake = FakeHealth()
    async with new_worker(temporal, fake.all()):
        for shard in shards:
            await monitor_of(temporal, shard).result()
    assert sorted(watched.shard for watched in fake.watched) == shards


async def test_a_monitor_that_is_missing_is_started_and_one_that_runs_is_let_be(
    database: Database, temporal: Client
) -> None:
    shards = await placed(database, "192.0.2.1", "192.0.2.2", "192.0.2.3")
    assert await start_missing_monitors(database, temporal) == len(shards)

    async def listed() -> bool:
        return await start_missing_monitors(database, temporal) == 0

    await eventually(listed)
    await monitor_of(temporal, shards[0]).terminate()

    async def found() -> bool:
        return await start_missing_monitors(database, temporal) == 1

    await eventually(found)
    described = await monitor_of(temporal, shards[0]).describe()
    assert described.status is WorkflowExecutionStatus.RUNNING


async def test_where_nothing_is_probed_nothing_is_started(
    database: Database, temporal: Client
) -> None:
    trunk = await a_trunk(database, BOX)
    await place_trunk(database, trunk, name_of("192.0.2.1"))
    await place_trunk(database, trunk)
    assert await start_missing_monitors(database, temporal) == 0


async def test_every_process_looks_for_missing_monitors(
    database: Database, temporal: Client
) -> None:
    (shard,) = await placed(database, "192.0.2.1")

    async def connected() -> Client:
        return temporal

    passes = passes_of(this_process(ProcessKind.API), database, connected)
    (looking,) = [each for each in passes if each.name == "monitors"]
    assert looking.every <= timedelta(minutes=1)
    await looking.run()
    fake = FakeHealth(WatchEndReason.TIME)
    async with new_worker(temporal, fake.all()):
        await monitor_of(temporal, shard).result()
    assert len(fake.watched) == 2
