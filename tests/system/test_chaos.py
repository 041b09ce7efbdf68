"""Processes die while a customer works. ``make chaos`` does more of the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.rounds import chaos
from tests.support.labs import new_lab_network
from tests.support.loopback import LoopbackBlock
from tests.support.one_machine import run_one_machine

pytestmark = [
    pytest.mark.system,
    pytest.mark.postgres,
    pytest.mark.temporal,
    pytest.mark.timeout(480),
]

KILLS = 5
SEED = 20


async def test_what_was_answered_holds_whatever_died(
    loopback: LoopbackBlock, tmp_path: Path
) -> None:
    async with (
        run_one_machine(tmp_path, new_lab_network(loopback)) as up,
        chaos(tmp_path / "var", up, seed=SEED, report=lambda _: None) as running,
    ):
        for _ in range(KILLS):
            await running.round()
        assert running.kills.total() == KILLS
        assert await running.differences() == []
