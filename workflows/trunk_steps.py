"""What the Trunk workflow asks of activities, each with its limits."""

from __future__ import annotations

from datetime import datetime

from temporalio import workflow

from workflows.names import WORKFLOW_QUEUE

with workflow.unsafe.imports_passed_through():
    from activities.contracts import (
        ADOPT_RETRY,
        ADOPT_TIMEOUT,
        AdoptedRevision,
        DrillNote,
        LeftTrunk,
        LookedTrunk,
        PublishedRoute,
        TrunkContract,
        TrunkDecision,
        TrunkState,
    )
    from domain.failover_commands import Drill, DrillEnd
    from domain.failover_drill import DrillReport
    from domain.failover_route import Route

__all__ = ["adopt", "end_drill", "leave", "look", "note_drill", "publish"]


async def adopt(state: TrunkState, revision: int) -> None:
    """Go by a revision of the configuration."""
    await workflow.execute_activity_method(
        TrunkContract.adopt,
        AdoptedRevision(trunk_id=state.trunk_id, org_id=state.org_id, revision=revision),
        task_queue=WORKFLOW_QUEUE,
        start_to_close_timeout=ADOPT_TIMEOUT,
        retry_policy=ADOPT_RETRY,
    )


async def look(state: TrunkState) -> TrunkDecision | None:
    """What follows from how the trunk stands; ``None`` when it is gone."""
    return await workflow.execute_activity_method(
        TrunkContract.look,
        LookedTrunk(
            trunk_id=state.trunk_id,
            org_id=state.org_id,
            failover=state.failover,
            commands=state.commands,
            now=workflow.now(),
        ),
        task_queue=WORKFLOW_QUEUE,
        start_to_close_timeout=ADOPT_TIMEOUT,
        retry_policy=ADOPT_RETRY,
    )


async def publish(state: TrunkState, route: Route) -> None:
    """Let calls go by a route."""
    await workflow.execute_activity_method(
        TrunkContract.publish_route,
        PublishedRoute(trunk_id=state.trunk_id, org_id=state.org_id, route=route),
        task_queue=WORKFLOW_QUEUE,
        start_to_close_timeout=ADOPT_TIMEOUT,
        retry_policy=ADOPT_RETRY,
    )


async def note_drill(state: TrunkState, drill: Drill, report: DrillReport) -> None:
    """Write how the drill stands."""
    await _note(
        DrillNote(
            trunk_id=state.trunk_id,
            org_id=state.org_id,
            drill_id=drill.drill_id,
            drill=drill,
            end=drill.end,
            ended_at=drill.ended_at,
            report=report,
        )
    )


async def end_drill(state: TrunkState, drill_id: str, ended_at: datetime) -> None:
    """Write that a drill ended which nothing is known of: its workflow was ended from outside."""
    await _note(
        DrillNote(
            trunk_id=state.trunk_id,
            org_id=state.org_id,
            drill_id=drill_id,
            end=DrillEnd.INTERRUPTED,
            ended_at=ended_at,
        )
    )


async def leave(state: TrunkState) -> None:
    """Let go of a trunk that was removed."""
    await workflow.execute_activity_method(
        TrunkContract.leave,
        LeftTrunk(trunk_id=state.trunk_id, org_id=state.org_id),
        task_queue=WORKFLOW_QUEUE,
        start_to_close_timeout=ADOPT_TIMEOUT,
        retry_policy=ADOPT_RETRY,
    )


async def _note(note: DrillNote) -> None:
    await workflow.execute_activity_method(
        TrunkContract.note_drill,
        note,
        task_queue=WORKFLOW_QUEUE,
        start_to_close_timeout=ADOPT_TIMEOUT,
        retry_policy=ADOPT_RETRY,
    )
