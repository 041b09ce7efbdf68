"""Today's workflows still understand the histories of every earlier release.

Replay proves the shape of the command stream only. Changed timeouts, retry policies, task queues,
activity arguments and results are invisible to it; ``test_discovery`` reads those from the
histories that it produces.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from tests.workflows.port_scenarios import ANYWHERE, PORT_SCENARIOS
from tests.workflows.recorded import HISTORIES, activities_in, history_in, name_of
from tests.workflows.scenarios import SCENARIOS
from workflows.registry import WORKFLOWS

RECORDED = sorted(HISTORIES.glob("*.json*"))
BY_NAME = {scenario.name: scenario for scenario in (*SCENARIOS, *PORT_SCENARIOS)}


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
async def test_a_recorded_history_replays(path: Path) -> None:
    replayer = Replayer(workflows=WORKFLOWS, data_converter=pydantic_data_converter)
    await replayer.replay_workflow(history_in(path))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_a_recorded_history_reaches_what_its_scenario_protects(path: Path) -> None:
    scheduled = tuple(each for each in activities_in(path) if each not in ANYWHERE)
    assert scheduled == BY_NAME[name_of(path)].commands


def test_every_scenario_has_a_history_and_every_history_a_scenario() -> None:
    assert {name_of(path) for path in RECORDED} == set(BY_NAME)
