"""Carries the id of the HTTP request through Temporal, so that a worker's log names the request.

The client writes it into the header of a workflow it starts; the workflow hands it to its activities;
the activity puts it, with its own ids, on every log record. Give it to the client: its worker takes it over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from temporalio import activity, client, converter, worker, workflow
from temporalio.api.common.v1 import Payload

with workflow.unsafe.imports_passed_through():
    from observability.context import current_request_id, log_ids

__all__ = ["HEADER", "LogIds"]

HEADER = "trunkline-request-id"


def _with_request_id(headers: Mapping[str, Payload], request_id: str | None) -> dict[str, Payload]:
    if request_id is None:
        return dict(headers)
    payload = converter.PayloadConverter.default.to_payload(request_id)
    return {**headers, HEADER: payload}


def _request_id(headers: Mapping[str, Payload]) -> str | None:
    payload = headers.get(HEADER)
    if payload is None:
        return None
    value: Any = converter.PayloadConverter.default.from_payload(payload)
    return value if isinstance(value, str) else None


class LogIds(client.Interceptor, worker.Interceptor):
    """Client and worker interceptor; adds no command to a history."""

    def intercept_client(self, next: client.OutboundInterceptor) -> client.OutboundInterceptor:
        return _Client(next)

    def intercept_activity(
        self, next: worker.ActivityInboundInterceptor
    ) -> worker.ActivityInboundInterceptor:
        return _Activity(next)

    def workflow_interceptor_class(
        self, input: worker.WorkflowInterceptorClassInput
    ) -> type[worker.WorkflowInboundInterceptor]:
        return _WorkflowInbound


class _Client(client.OutboundInterceptor):
    async def start_workflow(
        self, input: client.StartWorkflowInput
    ) -> client.WorkflowHandle[Any, Any]:
        input.headers = _with_request_id(input.headers, current_request_id())
        return await super().start_workflow(input)

    async def signal_workflow(self, input: client.SignalWorkflowInput) -> None:
        input.headers = _with_request_id(input.headers, current_request_id())
        await super().signal_workflow(input)


class _Activity(worker.ActivityInboundInterceptor):
    async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:
        info = activity.info()
        with log_ids(
            request_id=_request_id(input.headers),
            workflow_id=info.workflow_id,
            run_id=info.workflow_run_id,
            activity_type=info.activity_type,
        ):
            return await super().execute_activity(input)


class _WorkflowInbound(worker.WorkflowInboundInterceptor):
    def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
        super().init(_WorkflowOutbound(outbound))


class _WorkflowOutbound(worker.WorkflowOutboundInterceptor):
    """Reads the header of the workflow itself, so replay and continue-as-new need no state."""

    def start_activity(self, input: worker.StartActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = self._inherited(input.headers)
        return super().start_activity(input)

    async def start_child_workflow(
        self, input: worker.StartChildWorkflowInput
    ) -> workflow.ChildWorkflowHandle[Any, Any]:
        input.headers = self._inherited(input.headers)
        return await super().start_child_workflow(input)

    def _inherited(self, headers: Mapping[str, Payload]) -> dict[str, Payload]:
        own = workflow.info().headers.get(HEADER)
        return dict(headers) if own is None else {**headers, HEADER: own}
