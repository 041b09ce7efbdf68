"""Save the histories of the scenarios: ``python -m tests.workflows.record EPOCH``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.workflows.harness import history_of, time_skipping
from tests.workflows.scenarios import SCENARIOS

HISTORIES = Path(__file__).parent / "histories"
ROOT = Path(__file__).parents[2]


async def record(epoch: str) -> None:
    """Write the histories that are missing for this epoch."""
    for scenario in SCENARIOS:
        path = HISTORIES / f"{scenario.name}.{epoch}.json"
        if path.exists():
            continue
        async with time_skipping() as environment:
            handle = await scenario.run(environment.client)
            text = (await history_of(handle)).to_json()
            # Stack traces of failures say where the repository is; nothing reads that.
            path.write_text(text.replace(str(ROOT), "/trunkline") + "\n")


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1]))
