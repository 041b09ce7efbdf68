"""Connection tests of trunks: admitted, run, answered (contract 7.6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.client import Client, WorkflowFailureError
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
)

from activities.contracts import ConnectionTestOrder, ConnectionTestOutcome
from api.authentication import Principal
from api.errors import Conflict, RateLimited, Unavailable
from api.schemas.connection_tests import ConnectionTestView
from api.services import trunks
from api.services.actor import Actor
from api.services.audit import record
from api.state import ApiState
from domain.connection_test import ConnectionProblem, explain
from storage import connection_tests
from storage.trunks import profile_of
from workflows.connection_test import CONNECTION_TEST_TIMEOUT, ConnectionTestWorkflow
from workflows.names import ORG_ID, WORKFLOW_QUEUE, connection_test_workflow_id

__all__ = ["NoEndpoint", "tested"]

PATIENCE: Final = timedelta(seconds=10)
"""Start and result together."""


class NoEndpoint(Conflict):
    """There is nothing to send to."""

    code = "TRUNK_HAS_NO_ENDPOINT"
    default_message = "the trunk has no endpoint to test"


async def tested(
    state: ApiState, principal: Principal, actor: Actor, trunk_id: str
) -> ConnectionTestView:
    """Test the trunk's endpoint and wait for the result; who asks at the same time gets the same.

    Raises ``NotFound``, ``Conflict``, ``RateLimited`` and ``Unavailable``.
    """
    revision = await _admit(state, principal, actor, trunk_id)
    return _view(await _run(state, principal.org_id, trunk_id, revision))


async def _admit(state: ApiState, principal: Principal, actor: Actor, trunk_id: str) -> int:
    """Count the test and write it down; the revision of the trunk that it is for."""
    org_id = principal.org_id
    # Tests of one target are counted across organizations: it is the target that is protected.
    async with state.database.system() as session:
        trunk = await trunks.get(session, org_id, trunk_id)
        endpoint = profile_of(trunk).endpoint
        if endpoint is None:
            raise NoEndpoint
        wait = await connection_tests.until_allowed(
            session,
            endpoint.host,
            limit=state.settings.discovery_runs_per_target,
            now=datetime.now(UTC),
        )
        if wait is not None:
            raise RateLimited(
                f"{endpoint.host} was tested too often in the last hour.", retry_after=wait
            )
        await record(
            session,
            actor,
            org_id=org_id,
            action=connection_tests.ACTION,
            subject=("trunk", trunk_id),
            after={
                "host": endpoint.host,
                "port": endpoint.port,
                "transport": endpoint.transport,
                "revision": trunk.revision,
            },
        )
        return trunk.revision


async def _run(state: ApiState, org_id: str, trunk_id: str, revision: int) -> ConnectionTestOutcome:
    async def run(client: Client) -> ConnectionTestOutcome:
        return await client.execute_workflow(
            ConnectionTestWorkflow.run,
            ConnectionTestOrder(trunk_id=trunk_id, org_id=org_id),
            id=connection_test_workflow_id(trunk_id, revision),
            task_queue=WORKFLOW_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            execution_timeout=CONNECTION_TEST_TIMEOUT,
            search_attributes=TypedSearchAttributes([SearchAttributePair(ORG_ID, org_id)]),
        )

    try:
        return await state.temporal.call(run, deadline=PATIENCE)
    except WorkflowFailureError as error:
        raise Unavailable("the test did not end in time; run it again") from error


def _view(outcome: ConnectionTestOutcome) -> ConnectionTestView:
    reachable = outcome.sip_code is not None
    problem = None if reachable else outcome.problem or ConnectionProblem.INTERRUPTED
    return ConnectionTestView(
        reachable=reachable,
        sip_code=outcome.sip_code,
        response_time_ms=outcome.response_time_ms,
        error=problem,
        message=None if problem is None else explain(problem),
    )
