from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from time import monotonic

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from api.errors import Unavailable
from api.temporal import TemporalGateway
from settings import Settings
from tests.workflows.harness import binary

SHORT = timedelta(seconds=0.3)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def temporal_on(port: int) -> AsyncIterator[WorkflowEnvironment]:
    started = await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary("temporal"), ip="127.0.0.1", port=port, ui=False
    )
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
