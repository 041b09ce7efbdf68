"""The API over a real database, called without a socket; Temporal is away unless a test brings it."""

from __future__ import annotations

import io
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from temporalio.client import Client

from api.app import create_app
from observability.logs import configure_logging
from settings import Settings
from storage.engine import Database
from storage.secret_box import generate_key
from temporal_client import connect, register_search_attributes
from tests.api.calling import Caller
from tests.api.outbound import add_outbound
from tests.api.tenants import Tenant, make_tenant
from tests.support.postgres import TestDatabase
from tests.support.temporal import run_temporal


@pytest.fixture(autouse=True)
def log() -> Iterator[io.StringIO]:
    """What the process logs during the test, as JSON lines."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logging(level="debug", stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def settings(database_urls: TestDatabase, tmp_path: Path) -> Settings:
    """Settings of this test's API; nothing listens at the Temporal address."""
    return Settings(
        database_url=SecretStr(database_urls.app_url),
        secret_keys=SecretStr(generate_key("test")),
        temporal_address="127.0.0.1:1",
        document_folder=str(tmp_path / "documents"),
    )


@pytest.fixture
def app(settings: Settings, database: Database) -> FastAPI:
    """The application; its lifespan does not run, so there is no upkeep and no listener."""
    return create_app(settings, database=database)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of ``app``; errors that escape the application fail the test."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as opened:
        yield opened


@pytest.fixture
async def running_client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of ``app`` while its lifespan runs: with upkeep and the listener."""
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api.test") as opened,
    ):
        yield opened


@pytest.fixture
async def tenant(database: Database) -> Tenant:
    """An organization with the SIP entitlement."""
    return await make_tenant(database)


@pytest.fixture
async def other_tenant(database: Database) -> Tenant:
    """Another organization of the same installation."""
    return await make_tenant(database, "Zanzibar Telephony")


@pytest.fixture(scope="session")
async def temporal_address(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A real Temporal server, shared by the tests that need one."""
    async with run_temporal(tmp_path_factory.mktemp("temporal")) as server:
        client = await Client.connect(server.address, namespace=server.namespace)
        await register_search_attributes(client)
        yield server.address


@pytest.fixture
async def caller(
    settings: Settings, database: Database, tenant: Tenant, temporal_address: str
) -> AsyncIterator[Caller]:
    """An organization that can place test calls; no worker runs."""
    reachable = settings.model_copy(update={"temporal_address": temporal_address})
    app = create_app(reachable, database=database)
    await add_outbound(database, reachable, tenant.org_id)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api.test") as opened,
    ):
        calling = Caller(opened, tenant, app, database, await connect(reachable))
        yield calling
        await calling.forget()
