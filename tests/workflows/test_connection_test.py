"""A connection test ends with an outcome, whatever becomes of its activity."""

from __future__ import annotations

from activities.contracts import CHECK_LIMITS, ConnectionTestOutcome
from domain.connection_test import ConnectionProblem
from tests.workflows.fake_connection_test import FakeConnectionTest, start_connection_test
from tests.workflows.harness import new_worker, time_skipping
from workflows.connection_test import CONNECTION_TEST_TIMEOUT
from workflows.names import WORKFLOW_QUEUE

ANSWERED = ConnectionTestOutcome(sip_code=200, response_time_ms=42)


async def test_what_the_check_found_is_the_outcome() -> None:
    fake = FakeConnectionTest(ANSWERED)
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        handle = await start_connection_test(environment.client)
        assert await handle.result() == ANSWERED
    assert len(fake.orders) == 1
    assert handle.id == f"connection-test:{fake.orders[0].trunk_id}:1"


async def test_a_check_that_breaks_is_not_repeated() -> None:
    fake = FakeConnectionTest(None)
    async with time_skipping() as environment, new_worker(environment.client, fake.all()):
        outcome = await (await start_connection_test(environment.client)).result()
    assert outcome == ConnectionTestOutcome(problem=ConnectionProblem.INTERRUPTED)
    assert len(fake.orders) == 1


async def test_a_check_that_nobody_takes_ends_before_the_workflow_does() -> None:
    async with (
        time_skipping() as environment,
        new_worker(environment.client, (), queues=[WORKFLOW_QUEUE]),
    ):
        outcome = await (await start_connection_test(environment.client)).result()
    assert outcome.problem is ConnectionProblem.INTERRUPTED
    assert CHECK_LIMITS.schedule_to_close < CONNECTION_TEST_TIMEOUT
