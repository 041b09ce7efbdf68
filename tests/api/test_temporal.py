from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from time import monotonic

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from api.errors import Unavailable
from api.temporal import TemporalGateway
from settings import Settings
from tests.api.waiting import eventually
from tests.workflows.harness import dev_server
from workflows.names import ORG_ID

SHORT = timedelta(seconds=0.3)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def temporal_on(port: int) -> AsyncIterator[WorkflowEnvironment]:
    started = await dev_server(ip="127.0.0.1", port=port, ui=False)
    async with started:
        yield started


def gateway(port: int, *, deadline: timedelta = timedelta(seconds=5)) -> TemporalGateway:
    return TemporalGateway(Settings(temporal_address=f"127.0.0.1:{port}"), deadline=deadline)


@pytest.mark.temporal
async def test_it_starts_without_temporal_and_uses_it_when_it_comes() -> None:
    port = free_port()
    tested = gateway(port)
    with pytest.raises(Unavailable) as refused:
        await tested.check()
    assert int(refused.value.headers["Retry-After"]) >= 1
    assert await tested.client_if_near() is None

    async with temporal_on(port):
        await tested.check()
        assert isinstance(await tested.client_if_near(), Client)

        async def describe(client: Client) -> None:
            await client.get_workflow_handle("no-such-workflow").describe()

        with pytest.raises(RPCError) as unknown:
            await tested.call(describe)
        assert unknown.value.status is RPCStatusCode.NOT_FOUND

    with pytest.raises(Unavailable):
        await tested.call(describe, deadline=timedelta(seconds=2))


@pytest.mark.temporal
async def test_a_namespace_that_is_not_there_yet_fails_no_call_and_learns_our_attributes_later(
    temporal_address: str,
) -> None:
    tested = TemporalGateway(
        Settings(temporal_address=temporal_address, temporal_namespace="made-later")
    )
    await tested.check()
    client = await tested.client_if_near()
    assert client is not None
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(
            namespace="made-later",
            workflow_execution_retention_period=Duration(seconds=86_400),
        )
    )

    async def knows_ours() -> bool:
        await tested.check()
        try:
            known = await client.operator_service.list_search_attributes(
                ListSearchAttributesRequest(namespace="made-later")
            )
        except RPCError as error:
            # The server goes by a list of namespaces that it reads now and then.
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False
        return ORG_ID.name in known.custom_attributes

    await eventually(knows_ours, seconds=60)


async def test_a_silent_server_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tested = gateway(silent.getsockname()[1], deadline=SHORT)
        started = monotonic()
        with pytest.raises(Unavailable):
            await tested.check()
        assert await tested.client_if_near() is None

        assert monotonic() - started < 3


async def test_one_silent_connect_does_not_multiply_the_wait_of_others() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tested = gateway(silent.getsockname()[1], deadline=SHORT)
        started = monotonic()
        outcomes = await asyncio.gather(
            *(tested.check() for _ in range(20)), return_exceptions=True
        )

        assert all(isinstance(each, Unavailable) for each in outcomes)
        assert monotonic() - started < 3


@pytest.mark.parametrize(
    ("status", "away"),
    [
        (RPCStatusCode.UNAVAILABLE, True),
        (RPCStatusCode.DEADLINE_EXCEEDED, True),
        (RPCStatusCode.RESOURCE_EXHAUSTED, True),
        (RPCStatusCode.UNAUTHENTICATED, True),
        (RPCStatusCode.NOT_FOUND, False),
        (RPCStatusCode.ALREADY_EXISTS, False),
        (RPCStatusCode.INVALID_ARGUMENT, False),
    ],
)
@pytest.mark.temporal
async def test_only_absence_becomes_503(
    temporal_address: str, status: RPCStatusCode, away: bool
) -> None:
    async def answer(_: Client) -> None:
        raise RPCError("said so", status, b"")

    tested = TemporalGateway(Settings(temporal_address=temporal_address))
    with pytest.raises(Unavailable if away else RPCError):
        await tested.call(answer)
