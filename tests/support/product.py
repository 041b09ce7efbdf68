"""The product as its users run it: API and worker as processes over one database and one Temporal."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from local.files import private_folder
from local.parts import LOOPBACK, Programs
from local.ports import Wanted, claim_ports
from local.process import ManagedProcess, StartFailed, log_tail
from storage import presence
from storage.engine import Database
from storage.secret_box import generate_key
from storage.tables import ProcessKind, Role
from tests.api.tenants import make_tenant
from tests.support.customer import POLL_INTERVAL, Customer
from tests.support.postgres import TestDatabase
from tests.support.programs import inherited_environment
from tests.support.temporal import TemporalServer

__all__ = ["POLL_INTERVAL", "ApiProcess", "CollectorProcess", "Customer", "Product", "open_product"]

WORKER_GRACE = timedelta(seconds=1)
START_TIMEOUT = 20.0
HTTP_TIMEOUT = 20.0
"""Seconds: longer than a request that waits for an absent Temporal."""


@dataclass(frozen=True, slots=True)
class ApiProcess:
    """A running API."""

    url: str
    process: ManagedProcess


@dataclass(frozen=True, slots=True)
class CollectorProcess:
    """A running collector of HEP, and the UDP address that it listens on."""

    address: tuple[str, int]
    metrics_port: int
    process: ManagedProcess


class Product:
    """Starts processes of ours; what is still running when ``open_product`` ends is killed there."""

    def __init__(
        self,
        folder: Path,
        database_urls: TestDatabase,
        database: Database,
        temporal: TemporalServer,
        http: httpx.AsyncClient,
        settings: dict[str, str],
    ) -> None:
        self.folder = folder
        self.database_urls = database_urls
        self.database = database
        self.temporal = temporal
        self._environment = {
            **inherited_environment(folder),
            "TRUNKLINE_DATABASE_URL": database_urls.app_url,
            "TRUNKLINE_TEMPORAL_ADDRESS": temporal.address,
            "TRUNKLINE_TEMPORAL_NAMESPACE": temporal.namespace,
            "TRUNKLINE_SECRET_KEYS": generate_key("test"),
            **settings,
        }
        self._http = http
        self._started: list[ManagedProcess] = []

    async def start_worker(
        self, *, grace: timedelta = WORKER_GRACE, module: str | None = None
    ) -> ManagedProcess:
        """A worker process that polls; ``module`` is run in place of the worker's own program.

        Raises ``StartFailed`` and ``TimeoutError``.
        """
        port = _free_port()
        programs = self._programs(
            TRUNKLINE_WORKER_METRICS_PORT=str(port),
            TRUNKLINE_WORKER_GRACE=f"PT{grace.total_seconds():g}S",
        )
        program = programs.worker(metrics_port=port, grace=grace)
        if module is not None:
            program = replace(program, command=(sys.executable, "-m", module))
        process = ManagedProcess(program)
        await self._start(process)
        give_up = time.monotonic() + START_TIMEOUT
        while not await self._polls(process):
            if time.monotonic() > give_up:
                raise TimeoutError(f"the worker does not poll:\n{self.logs()}")
            await asyncio.sleep(POLL_INTERVAL)
        return process

    async def start_api(self, *, temporal_address: str | None = None) -> ApiProcess:
        """An API process that answers; ``temporal_address`` leads it another way to Temporal."""
        port = _free_port()
        programs = self._programs(
            TRUNKLINE_API_HOST=LOOPBACK,
            TRUNKLINE_API_PORT=str(port),
            TRUNKLINE_TEMPORAL_ADDRESS=temporal_address or self.temporal.address,
        )
        process = ManagedProcess(programs.api(host=LOOPBACK, port=port))
        await self._start(process)
        return ApiProcess(f"http://{LOOPBACK}:{port}", process)

    async def start_collector(self, address: str) -> CollectorProcess:
        """A collector of HEP over UDP on this host. Raises ``StartFailed``."""
        port, metrics_port = _free_port(address), _free_port()
        programs = self._programs(
            TRUNKLINE_HEP_UDP=f"{address}:{port}", TRUNKLINE_HEP_METRICS_PORT=str(metrics_port)
        )
        process = ManagedProcess(programs.hep(metrics_port=metrics_port))
        await self._start(process)
        return CollectorProcess((address, port), metrics_port, process)

    async def customer(self, api: ApiProcess) -> Customer:
        """A new organization that may discover."""
        tenant = await make_tenant(self.database)
        return Customer(tenant.org_id, tenant.keys[Role.EDITOR], api.url, self._http, self.logs)

    async def stop(self) -> None:
        """Stop every process that was started here."""
        await asyncio.gather(*(process.stop() for process in self._started))

    async def kill(self) -> None:
        """End every process that was started here, whatever it does."""
        for process in self._started:
            process.kill()
        await asyncio.gather(*(process.ended() for process in self._started))

    def logs(self) -> str:
        """The last lines of each process, for whoever reads why a test failed."""
        tails = (f"{path.name}:\n{log_tail(path)}" for path in (self.folder / "log").iterdir())
        return "\n".join(tails)

    async def _polls(self, worker: ManagedProcess) -> bool:
        """Whether the worker has said of itself that it is there."""
        async with self.database.system() as session:
            seen = await presence.seen(
                session, ProcessKind.WORKER, since=datetime.now(UTC) - timedelta(minutes=1)
            )
        return worker.pid in {each.pid for each in seen}

    def _programs(self, **environment: str) -> Programs:
        return Programs(self.folder, {**self._environment, **environment})

    async def _start(self, process: ManagedProcess) -> None:
        self._started.append(process)
        try:
            await process.start()
        except StartFailed as error:
            error.add_note(error.detail)
            raise


@asynccontextmanager
async def open_product(
    folder: Path, database_urls: TestDatabase, temporal: TemporalServer, **settings: str
) -> AsyncIterator[Product]:
    """The product over this database and Temporal; ``settings`` are further TRUNKLINE_ variables."""
    private_folder(folder / "log")
    database = Database(database_urls.app_url)
    async with httpx.AsyncClient(timeout=HTTP_TIMEOUT) as http:
        product = Product(folder, database_urls, database, temporal, http, settings)
        try:
            yield product
        finally:
            await product.kill()
            await database.dispose()


def _free_port(host: str = LOOPBACK) -> int:
    return claim_ports([Wanted("port", host, 0)])["port"]
