"""A real Temporal development server for the tests, on free ports, that can be stopped and resumed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from local.files import private_folder
from local.parts import LOOPBACK, Programs
from local.ports import Wanted, claim_ports
from local.process import ManagedProcess
from tests.support.programs import inherited_environment

__all__ = ["TemporalServer", "run_temporal"]

NAMESPACE = "default"
_PORTS = ("frontend", "ui", "http", "metrics")


@dataclass(frozen=True, slots=True)
class TemporalServer:
    """A running server. ``process`` may be stopped and started again: ports and state stay."""

    address: str
    namespace: str
    process: ManagedProcess


@asynccontextmanager
async def run_temporal(folder: Path) -> AsyncIterator[TemporalServer]:
    """Run a server with its state in ``folder`` until the block ends. Raises ``StartFailed``."""
    private_folder(folder / "log")
    ports = claim_ports([Wanted(name, LOOPBACK, 0) for name in _PORTS])
    specification = Programs(folder, inherited_environment(folder)).temporal(
        namespace=NAMESPACE,
        port=ports["frontend"],
        ui_port=ports["ui"],
        http_port=ports["http"],
        metrics_port=ports["metrics"],
    )
    process = ManagedProcess(specification)
    try:
        await process.start()
        yield TemporalServer(f"{LOOPBACK}:{ports['frontend']}", NAMESPACE, process)
    finally:
        # Nobody reads its state again.
        process.kill()
        await process.ended()
