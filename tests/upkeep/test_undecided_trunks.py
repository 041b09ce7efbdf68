"""Trunks that nobody decided about are found, and their workflows told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from storage import trunk_routes
from storage.engine import Database
from storage.secret_box import SecretBox, generate_key
from temporal_client import register_search_attributes
from tests.storage.factories import add_organization
from tests.storage.failover_trunks import FailoverTrunk, a_route, add_failover_trunk
from tests.workflows.fake_trunk import FakeTrunk
from tests.workflows.harness import dev_server, new_worker
from upkeep.relay import relay_outbox
from upkeep.trunks import NUDGE_INTERVAL, PATIENCE, wake_undecided_trunks
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
async def trunk(database: Database) -> FailoverTrunk:
    """A trunk that was made by a release before there were decisions."""
    box = SecretBox.from_key_ring(generate_key("a"))
    made = await add_failover_trunk(
        database, box, await add_organization(database), "192.0.2.1", "192.0.2.2"
    )
    await age(database, "trunks", "updated_at", PATIENCE)
    return made


async def age(database: Database, table: str, column: str, span: timedelta) -> None:
    """Let all of these have happened a little more than that ago."""
    async with database.system() as session:
        await session.execute(
            text(f"UPDATE {table} SET {column} = :then"),
            {"then": datetime.now(UTC) - span - timedelta(seconds=1)},
        )


async def test_an_undecided_trunk_is_told_and_has_its_route(
    database: Database, temporal: Client, trunk: FailoverTrunk
) -> None:
    assert await wake_undecided_trunks(database) == 1
    assert await relay_outbox(database, temporal) == 1
    fake = FakeTrunk()
    handle = temporal.get_workflow_handle(trunk_workflow_id(trunk.trunk_id))
    async with new_worker(temporal, fake.all()):
        for _ in iter(int, 1):
            described = await handle.describe()
            if fake.routes:
                break
    assert described.typed_search_attributes[ORG_ID] == trunk.org_id
    assert (fake.position, fake.adopted) == (0, [])


async def test_nobody_is_told_again_and_again(database: Database, trunk: FailoverTrunk) -> None:
    assert await wake_undecided_trunks(database) == 1
    assert await wake_undecided_trunks(database) == 0
    await age(database, "outbox", "created_at", NUDGE_INTERVAL)
    assert await wake_undecided_trunks(database) == 1


async def test_a_trunk_that_was_just_made_or_has_a_route_is_left_alone(
    database: Database, trunk: FailoverTrunk
) -> None:
    async with database.system() as session:
        await session.execute(text("UPDATE trunks SET updated_at = now()"))
    assert await wake_undecided_trunks(database) == 0
    await age(database, "trunks", "updated_at", PATIENCE)
    async with database.tenant(trunk.org_id) as session:
        await trunk_routes.publish(
            session,
            trunk.org_id,
            trunk.trunk_id,
            1,
            a_route("192.0.2.1").model_dump(mode="json"),
            now=datetime.now(UTC),
        )
    assert await wake_undecided_trunks(database) == 0
