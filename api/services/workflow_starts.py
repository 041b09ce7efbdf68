"""Work that a row of an organization stands for and a workflow does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from api.errors import Unavailable
from api.state import ApiState
from workflows.names import ORG_ID, WORKFLOW_QUEUE

__all__ = ["start_or_give_back"]

Order = TypeVar("Order")


async def start_or_give_back(
    state: ApiState,
    org_id: str,
    workflow: Callable[[Any, Order], Awaitable[Any]],
    order: Order,
    *,
    workflow_id: str,
    within: timedelta,
    give_back: Callable[[AsyncSession], Awaitable[object]],
) -> None:
    """Start the workflow, which Temporal ends ``within`` this time at the latest.

    While Temporal is away ``give_back`` ends the row, in a transaction of the organization, and
    ``Unavailable`` tells the caller to try again.
    """

    async def start(client: Client) -> None:
        await client.start_workflow(
            workflow,
            order,
            id=workflow_id,
            task_queue=WORKFLOW_QUEUE,
            execution_timeout=within,
            search_attributes=TypedSearchAttributes([SearchAttributePair(ORG_ID, org_id)]),
        )

    try:
        await state.temporal.call(start)
    except Unavailable:
        # The start may have arrived although its answer did not: nobody works on a row that has ended.
        async with state.database.tenant(org_id) as session:
            await give_back(session)
        raise
