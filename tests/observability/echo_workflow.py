"""A workflow whose activity says which ids its log records would carry."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from observability.context import current_log_ids

__all__ = ["EchoIds", "Parent", "log_ids_here"]

LIMIT = timedelta(seconds=10)


@activity.defn
async def log_ids_here() -> dict[str, str]:
    return dict(current_log_ids())


@workflow.defn
class EchoIds:
    @workflow.run
    async def run(self) -> dict[str, str]:
        return await workflow.execute_activity(log_ids_here, start_to_close_timeout=LIMIT)


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> dict[str, str]:
        return await workflow.execute_child_workflow(
            EchoIds.run, id=f"{workflow.info().workflow_id}:child"
        )
