"""Software that we did not write, and our own prober to meet it with."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from local.process import ManagedProcess
from sip.net.guard import AddressGuard
from sip.net.probe_report import ProbeIdentity
from sip.net.prober import Prober
from sip.net.wire import WireTap
from tests.support.dns_server import DnsServer
from tests.support.kamailio import Kamailio, OptionsManner, run_kamailio
from tests.support.loopback import LoopbackBlock
from tests.support.postgres import PostgresForTests
from tests.support.product import ApiProcess, Product, open_product
from tests.support.temporal import TemporalServer, run_temporal

GUARD = AddressGuard(allowed=(IPv4Network("127.0.0.0/8"),))

OpenProber = Callable[..., AbstractAsyncContextManager[Prober]]


@dataclass(frozen=True, slots=True)
class Kamailios:
    """One process for each way to treat OPTIONS."""

    open: Kamailio
    md5: Kamailio
    sha256: Kamailio
    proxy: Kamailio
    dropping: Kamailio


@pytest.fixture(scope="session")
async def kamailios(
    loopback: LoopbackBlock, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Kamailios]:
    """Five Kamailios that answer openly, challenge (401 MD5, 401 SHA-256, 407 MD5), or drop."""
    manners = {
        "open": (OptionsManner.OPEN, "MD5"),
        "md5": (OptionsManner.CHALLENGED_BY_SERVER, "MD5"),
        "sha256": (OptionsManner.CHALLENGED_BY_SERVER, "SHA-256"),
        "proxy": (OptionsManner.CHALLENGED_BY_PROXY, "MD5"),
        "dropping": (OptionsManner.DROPPED, "MD5"),
    }
    async with AsyncExitStack() as stack:

        async def start(name: str) -> Kamailio:
            manner, algorithm = manners[name]
            folder = tmp_path_factory.mktemp(f"kamailio-{name}")
            running = run_kamailio(loopback.address(), folder, manner=manner, algorithm=algorithm)
            return await stack.enter_async_context(running)

        started = await asyncio.gather(*map(start, manners))
        yield Kamailios(**dict(zip(manners, started, strict=True)))


@pytest.fixture(scope="session")
async def temporal(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TemporalServer]:
    """The Temporal server of this run."""
    async with run_temporal(tmp_path_factory.mktemp("temporal")) as server:
        yield server


@pytest.fixture(scope="session")
async def dns(loopback: LoopbackBlock) -> AsyncIterator[DnsServer]:
    """The only name server that the product asks."""
    async with DnsServer(host=loopback.address()) as server:
        yield server


@pytest.fixture(scope="session")
async def product(
    postgres: PostgresForTests,
    temporal: TemporalServer,
    dns: DnsServer,
    kamailios: Kamailios,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Product]:
    """The product on a database of its own; its operator trusts the open Kamailio's authority."""
    folder = tmp_path_factory.mktemp("product")
    with postgres.database() as database_urls:
        async with open_product(
            folder,
            database_urls,
            temporal,
            TRUNKLINE_ALLOWED_NETWORKS="127.0.0.0/8",
            TRUNKLINE_TLS_CA_FILE=str(kamailios.open.ca_file),
            TRUNKLINE_DNS_SERVERS="{}:{}".format(*dns.address),
        ) as opened:
            yield opened


@pytest.fixture(scope="session")
def workers() -> list[ManagedProcess]:
    """Workers that were started; tests that kill one leave it here."""
    return []


@pytest.fixture(scope="session")
async def api(product: Product, workers: list[ManagedProcess]) -> ApiProcess:
    """The API that runs through the whole session; a first worker is started beside it."""
    started, worker = await asyncio.gather(product.start_api(), product.start_worker())
    workers.append(worker)
    return started


@pytest.fixture
async def worker(
    product: Product, api: ApiProcess, workers: list[ManagedProcess]
) -> ManagedProcess:
    """A worker that runs; the same one for as long as nobody kills it."""
    running = [each for each in workers if each.pid is not None]
    if not running:
        running = [await product.start_worker()]
        workers += running
    return running[0]


@pytest.fixture
def open_prober() -> OpenProber:
    """``open_prober(ca_file=..., tap=...)``: the product's prober, allowed to reach loopback."""

    def opened(*, ca_file: Path | None = None, tap: WireTap | None = None) -> Prober:
        identity = ProbeIdentity(
            user_agent="Trunkline/tests", ca_file=None if ca_file is None else str(ca_file)
        )
        return Prober(guard=GUARD, identity=identity, token=lambda: secrets.token_hex(16), tap=tap)

    return opened
