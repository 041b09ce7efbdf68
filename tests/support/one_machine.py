"""The system of `make up`, whole, in a data folder and on ports of its own."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import IPv4Network
from pathlib import Path

from local.files import private_folder
from local.parts import ROOT
from local.process import ManagedProcess, ProcessSpec, StartFailed
from local.upfile import UpFile
from tests.support.programs import inherited_environment

__all__ = ["one_machine_environment", "run_one_machine"]

START_WITHIN = timedelta(seconds=150)
STOP_WITHIN = timedelta(seconds=30)


def one_machine_environment(var: Path, lab_network: str, **settings: str) -> dict[str, str]:
    """What to start it with; ``settings`` are further TRUNKLINE_ variables."""
    ports = ("API", "TEMPORAL", "TEMPORAL_UI", "MAIL", "MAIL_UI")
    return {
        **inherited_environment(var.parent),
        **{f"TRUNKLINE_{name}_PORT": "0" for name in ports},
        "TRUNKLINE_VAR_DIR": str(var),
        "TRUNKLINE_LAB_NETWORK": lab_network,
        **settings,
    }


@asynccontextmanager
async def run_one_machine(
    folder: Path, lab_network: IPv4Network, **settings: str
) -> AsyncIterator[UpFile]:
    """Run it with its data in ``folder`` until the block ends. Raises ``StartFailed``.

    It stays in the foreground, so that it goes with this process however that ends.
    """
    var = folder / "var"

    async def ready() -> bool:
        return UpFile.read(var) is not None

    process = ManagedProcess(
        ProcessSpec(
            name="up",
            command=(sys.executable, str(ROOT / "trunkline.py"), "up"),
            env=one_machine_environment(var, str(lab_network), **settings),
            cwd=ROOT,
            log=private_folder(folder / "log") / "up.log",
            ready=ready,
            ready_within=START_WITHIN,
            grace=STOP_WITHIN,
        )
    )
    try:
        await process.start()
        up = UpFile.read(var)
        assert up is not None
        yield up
    except StartFailed as error:
        error.add_note(error.detail)
        raise
    finally:
        await process.stop()
