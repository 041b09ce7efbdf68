"""Save the histories of the scenarios: ``python -m tests.workflows.record EPOCH``."""

from __future__ import annotations

import asyncio
import sys

from tests.workflows.harness import history_of, time_skipping
from tests.workflows.port_scenarios import PORT_SCENARIOS
from tests.workflows.recorded import path_of, save
from tests.workflows.scenarios import SCENARIOS


async def record(epoch: str) -> None:
    """Write the histories that are missing for this epoch."""
    for scenario in (*SCENARIOS, *PORT_SCENARIOS):
        path = path_of(scenario.name, epoch)
        if path.exists():
            continue
        async with time_skipping() as environment:
            handle = await scenario.run(environment.client)
            save(path, await history_of(handle))


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1]))
