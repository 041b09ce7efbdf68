"""``make chaos``: a system of its own, 50 kills, and what is left compared with what was promised.

``python -m tests.chaos --rounds 50 --seed 1``; the exit status is 1 when something was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.rounds import chaos
from tests.support.labs import new_lab_network
from tests.support.loopback import claim_loopback_block
from tests.support.one_machine import run_one_machine

__all__ = ["main"]


async def run(rounds: int, seed: int) -> int:
    """Start a system, kill ``rounds`` times, compare; the number of differences."""
    with (
        tempfile.TemporaryDirectory(prefix="trunkline-chaos-") as folder,
        claim_loopback_block() as block,
    ):
        async with (
            run_one_machine(Path(folder), new_lab_network(block)) as up,
            chaos(Path(folder) / "var", up, seed=seed, report=say) as running,
        ):
            began = time.monotonic()
            for number in range(1, rounds + 1):
                say(f"round {number} of {rounds}")
                await running.round()
            differences = await running.differences()
            for difference in differences:
                say(f"DIFFERENT: {difference}")
            say(
                f"{rounds} kills {dict(running.kills)}, {running.customer.changes} changes and"
                f" {len(running.customer.calls)} calls in {time.monotonic() - began:.0f} s,"
                f" seed {seed}: {len(differences)} differences"
            )
            return len(differences)


def say(line: str) -> None:
    """A line for whoever watches."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Entry point; the exit status is 0 when nothing was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    given = parser.parse_args()
    return 1 if asyncio.run(run(given.rounds, given.seed)) else 0


if __name__ == "__main__":
    sys.exit(main())
